"""Reads a posted submission: JSON or NDJSON, plain or gzip, into an envelope and one piece of JSON for each record.

Records stay undecoded here, so that each can be decoded on its own and a bad one be named without hiding the others.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from app.errors import ApiError, Invalid

MAX_RECORDS = 10_000
JSON_TYPES = frozenset({"application/json", ""})
NDJSON_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})


class Envelope(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a submission says of itself.

    Attributes:
        platform: USCC of the platform.
        sequence: The platform's own gapless counter; left out in custody, where the gateway counts.
        signature: 65 bytes as 0x-hex over the submission; left out in custody, where the gateway signs.
        atomic: Whether one bad record refuses all. A signed submission is atomic in any case: its signature covers
            the root over all records.
    """

    platform: str
    sequence: int | None = None
    signature: str | None = None
    atomic: bool = False


class _Whole(Envelope, forbid_unknown_fields=True, frozen=True, kw_only=True):
    records: list[msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Posted:
    """A submission as it came.

    Attributes:
        records: One JSON text each.
    """

    envelope: Envelope
    records: Sequence[bytes | msgspec.Raw]


_ENVELOPE = msgspec.json.Decoder(Envelope)
_WHOLE = msgspec.json.Decoder(_Whole)


def read(body: bytes, content_type: str, content_encoding: str, limit: int) -> Posted:
    """The submission in a request body.

    Args:
        limit: Most bytes that the body may have once decompressed.

    Raises:
        ApiError: 400 if it is malformed, 413 if it is too large, 415 for another type or encoding, 422 for a member
            that breaks a rule.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES | NDJSON_TYPES:
        raise ApiError(
            415, "unsupported_media_type", "Send application/json or application/x-ndjson.", got=media_type[:100]
        )
    encoding = content_encoding.strip().lower()
    if encoding == "gzip":
        body = _gunzip(body, limit)
    elif encoding not in ("", "identity"):
        raise ApiError(415, "unsupported_encoding", "Content-Encoding may be gzip or identity.", got=encoding[:100])
    posted = _ndjson(body) if media_type in NDJSON_TYPES else _json(body)
    if not posted.records:
        raise Invalid("/records", "min_length", "A submission has at least one record.")
    if len(posted.records) > MAX_RECORDS:
        raise ApiError(
            413,
            "too_many_records",
            f"A submission has at most {MAX_RECORDS} records; this one has {len(posted.records)}.",
            limit_records=MAX_RECORDS,
        )
    return posted


def pointer_of(error: msgspec.ValidationError, prefix: str = "") -> tuple[str, str]:
    """JSON pointer and text of a decoding error, which msgspec gives as "text - at `$.member[0]`"."""
    text, _, path = str(error).partition(" - at `")
    parts = path.rstrip("`").removeprefix("$").replace("[", ".").replace("]", "").split(".")
    if "field `" in text:  # a missing or unknown member is named in the text, its parent in the path
        parts.append(text.split("field `", 1)[1].split("`", 1)[0])
    place = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts if part)
    return prefix + place, text


def _json(body: bytes) -> Posted:
    try:
        whole = _WHOLE.decode(body)
    except msgspec.ValidationError as error:
        place, text = pointer_of(error)
        raise Invalid(place, "schema", text) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(400, "malformed_json", f"The body is not JSON: {error}.") from error
    return Posted(whole, whole.records)


def _ndjson(body: bytes) -> Posted:
    """First line the envelope, then one record a line; empty lines count for nothing."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    if not lines:
        raise ApiError(400, "malformed_ndjson", "The body is empty; its first line is the envelope.")
    try:
        envelope = _ENVELOPE.decode(lines[0])
    except msgspec.ValidationError as error:
        place, text = pointer_of(error)
        raise Invalid(place, "schema", f"Line 1: {text}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(400, "malformed_ndjson", f"Line 1 is not JSON: {error}.") from error
    return Posted(envelope, lines[1:])


def _gunzip(body: bytes, limit: int) -> bytes:
    """The plain body; stops as soon as it grows beyond the limit, whatever the compressed size promises."""
    plain = bytearray()
    rest = body
    try:
        while rest:
            member = zlib.decompressobj(wbits=31)
            plain += member.decompress(rest, limit + 1 - len(plain))
            if len(plain) > limit:
                raise ApiError(
                    413, "body_too_large", f"The body may have at most {limit} bytes, decompressed.", limit_bytes=limit
                )
            if not member.eof:
                raise ApiError(400, "malformed_gzip", "The gzip body ends early.")
            rest = member.unused_data
    except zlib.error as error:
        raise ApiError(400, "malformed_gzip", f"The body is not gzip: {error}.") from error
    return bytes(plain)
