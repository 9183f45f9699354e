"""Checks posted records one by one and makes of each what stands on chain for it. Knows no database.

This is nearly all the work that a submission takes, so it is made of plain data: `check` can run in another process.
"""

import hashlib
import json
import re
import secrets
from typing import Any

import msgspec

from chain.field_digests import RECORD_SALT_BYTES
from chain.merkle import MerkleTree
from chain.record import Record, RecordError, from_dict, to_trade, validate

MAX_SKEW_S = 60
"""How far a platform's clock may be ahead of ours. A batch waits until its trades are past, since the chain takes none
from the future."""
_SALT = re.compile(rf"0x[0-9a-f]{{{2 * RECORD_SALT_BYTES}}}")
# The end of every member's name, and of texts that begin with a colon; so never fewer than there are members.
_NAME_END = re.compile(rb'"\s*:')
_SALT_MEMBER_BYTES = len(',"salt":"0x"') + 2 * RECORD_SALT_BYTES

_to_json = msgspec.json.Encoder(order="sorted").encode
_from_json = msgspec.json.Decoder().decode


class Checked(msgspec.Struct, frozen=True, array_like=True):
    """A good record.

    Attributes:
        position: Place in the body, from 0.
        corrects: Number of the trade that it corrects or refunds.
        trade_digest: The trade id on chain.
        leaf: Standard Merkle leaf of the trade.
        content: Canonical JSON, UTF-8.
        content_digest: SHA-256 of it.
        salt: 32 bytes.
    """

    position: int
    trade_id: str
    corrects: str | None
    trade_digest: bytes
    leaf: bytes
    settlement_key: bytes
    buyer_id: bytes
    supplier_id: bytes
    traded_at: int
    settled_fen: int
    content: bytes
    content_digest: bytes
    salt: bytes


class Faults(msgspec.Struct, frozen=True, array_like=True):
    """A bad record: `{"pointer", "rule", "detail"}` each, the pointer from the body's root."""

    position: int
    trade_id: str | None
    errors: list[dict[str, str]]


class Job(msgspec.Struct, frozen=True, array_like=True):
    """The records of a submission.

    Attributes:
        platform: USCC that every record must name.
        custody: Whether the gateway salts and signs; then no record brings a salt, else each does.
        key: Jurisdiction key.
        now: Unix seconds.
        records: One JSON text each.
    """

    platform: str
    custody: bool
    key: bytes
    now: int
    records: list[bytes]


class Checks(msgspec.Struct, frozen=True, array_like=True):
    """What became of the records of a submission; the root is over the leaves of the good ones, None without any."""

    good: list[Checked]
    bad: list[Faults]
    root: bytes | None


class _Posted(Record, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    salt: str | None = None


_decode = msgspec.json.Decoder(_Posted).decode


def check(job: Job) -> Checks:
    """Checks all records of a submission."""
    good: list[Checked] = []
    bad: list[Faults] = []
    for position, text in enumerate(job.records):
        found = _good(job, position, text)
        if found is None:
            bad.append(Faults(position, *_faults(job, position, text)))
        else:
            good.append(found)
    return Checks(good, bad, MerkleTree([one.leaf for one in good]).root if good else None)


def stored_record(content: bytes) -> Record:
    """A record as it was stored."""
    return msgspec.json.decode(content, type=Record)


def _good(job: Job, position: int, text: bytes) -> Checked | None:
    """A record that breaks no rule; None for one that does."""
    try:
        record = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if record.platform != job.platform or _salt_fault(job, record.salt) or validate(record, now=job.now + MAX_SKEW_S):
        return None
    brought = record.salt
    msgspec.structs.force_setattr(record, "salt", None)  # no part of the content
    content = _to_json(record)
    if _repeated_name(text, record, content, salted=brought is not None):
        return None
    salt = secrets.token_bytes(RECORD_SALT_BYTES) if brought is None else bytes.fromhex(brought[2:])
    trade = to_trade(record, salt, job.key, custody=job.custody)
    return Checked(
        position,
        record.trade_id,
        record.corrects,
        trade.trade_id,
        trade.leaf(),
        trade.settlement_key,
        trade.buyer,
        trade.supplier,
        trade.traded_at,
        trade.settled_fen,
        content,
        hashlib.sha256(content).digest(),
        salt,
    )


def _faults(job: Job, position: int, text: bytes) -> tuple[str | None, list[dict[str, str]]]:
    """Trade number and all faults of a bad record."""
    name: str | None = None
    try:
        content = _from_json(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        wrong = [("", "json", f"is not JSON in UTF-8: {error}")]
    else:
        if isinstance(content, dict):
            trade_id = content.get("trade_id")
            name = trade_id if isinstance(trade_id, str) else None
            wrong = _content_faults(job, content)
            wrong += [] if wrong else _repetitions(text)
        else:
            wrong = [("", "type", "a record is a JSON object")]
    errors = [
        {"pointer": f"/records/{position}{pointer}", "rule": rule, "detail": detail} for pointer, rule, detail in wrong
    ]
    return name, errors


def _content_faults(job: Job, content: dict[str, Any]) -> list[tuple[str, str, str]]:
    wrong = _salt_fault(job, content.pop("salt", None))
    try:
        record = from_dict(content, now=job.now + MAX_SKEW_S)
    except RecordError as error:
        return wrong + [(problem.pointer, problem.rule, problem.message) for problem in error.problems]
    if record.platform != job.platform:
        wrong.append(("/platform", "same_platform", "must be the platform that posts"))
    return wrong


def _salt_fault(job: Job, salt: Any) -> list[tuple[str, str, str]]:
    if job.custody:
        return [] if salt is None else [("/salt", "custody", "in custody the gateway chooses the salt")]
    if isinstance(salt, str) and _SALT.fullmatch(salt):
        return []
    return [("/salt", "salt", f"must be 0x and {2 * RECORD_SALT_BYTES} lower-case hex digits")]


def _repeated_name(text: bytes, record: _Posted, content: bytes, *, salted: bool) -> bool:
    """Whether a member stands twice. Readers differ in which of the two counts (RFC 8259), so none may."""
    if len(text) == len(content) + salted * _SALT_MEMBER_BYTES:
        return False  # nothing is shorter than the canonical form, so there is no room for more
    values = msgspec.structs.astuple(record)
    members = len(values) - values.count(None) + salted
    return len(_NAME_END.findall(text)) != members and bool(_repetitions(text))


def _repetitions(text: bytes) -> list[tuple[str, str, str]]:
    names: list[str] = []
    json.loads(text, object_pairs_hook=lambda pairs: names.extend(name for name, _ in pairs))
    return [
        (f"/{name}", "unique_name", "stands more than once") for name in dict.fromkeys(names) if names.count(name) > 1
    ]
