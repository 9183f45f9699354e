"""How posted bodies are read: types, encodings, limits, and what is said of bad ones."""

import gzip

import msgspec
import pytest

from app.errors import ApiError
from app.evidence.body import MAX_RECORDS, Posted, read

LIMIT = 100_000
ENVELOPE = {"platform": "P"}
WHOLE = msgspec.json.encode({**ENVELOPE, "records": [{"a": 1}, {"b": 2}]})
LINES = b'{"platform":"P","atomic":true}\n{"a":1}\n\n{"b":2}\r\n'


def refusal(body: bytes, content_type: str = "application/json", encoding: str = "") -> ApiError:
    """The error that a body is refused with."""
    with pytest.raises(ApiError) as caught:
        read(body, content_type, encoding, LIMIT)
    return caught.value


def texts(posted: Posted) -> list[bytes]:
    """The records, as they stand in the body."""
    return [bytes(record).strip() for record in posted.records]


def test_json_and_ndjson_plain_and_gzip_say_the_same() -> None:
    for body, content_type in (
        (WHOLE, "application/json; charset=utf-8"),
        (LINES, "application/x-ndjson"),
        (WHOLE, ""),
    ):
        for sent, encoding in ((body, ""), (gzip.compress(body), "gzip"), (body, "identity")):
            posted = read(sent, content_type, encoding, LIMIT)
            assert texts(posted) == [b'{"a":1}', b'{"b":2}']
            assert posted.envelope.platform == "P"


def test_gzip_of_several_members_is_read_whole() -> None:
    body = gzip.compress(WHOLE[:20]) + gzip.compress(WHOLE[20:])
    assert texts(read(body, "application/json", "gzip", LIMIT)) == [b'{"a":1}', b'{"b":2}']


def test_a_gzip_bomb_is_stopped_at_the_limit() -> None:
    for bomb in (gzip.compress(b"0" * 50_000_000), gzip.compress(b"0" * LIMIT) + gzip.compress(b"0")):
        error = refusal(bomb, encoding="gzip")
        assert (error.status, error.code, error.extra["limit_bytes"]) == (413, "body_too_large", LIMIT)


def test_damaged_gzip_is_malformed() -> None:
    whole = gzip.compress(WHOLE)
    for body in (whole[:-5], whole[:12], b"not gzip", WHOLE, whole + b"rest"):
        assert (refusal(body, encoding="gzip").status, refusal(body, encoding="gzip").code) == (400, "malformed_gzip")


def test_other_types_and_encodings_are_refused() -> None:
    assert refusal(WHOLE, "text/csv").status == 415
    assert refusal(WHOLE, encoding="br").status == 415


@pytest.mark.parametrize(
    "body", [b"", b"{", b"]", b'{"platform":"P","records":[{]}', b"\xff", b'{"platform":"P","records":[{}]} x']
)
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    assert (refusal(body).status, refusal(body).code) == (400, "malformed_json")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"[]", ""),
        (b'{"records":[{}]}', "/platform"),
        (b'{"platform":1,"records":[{}]}', "/platform"),
        (b'{"platform":"P"}', "/records"),
        (b'{"platform":"P","records":{}}', "/records"),
        (b'{"platform":"P","records":[]}', "/records"),
        (b'{"platform":"P","records":[{}],"sequence":"1"}', "/sequence"),
        (b'{"platform":"P","records":[{}],"atomic":1}', "/atomic"),
        (b'{"platform":"P","records":[{}],"extra":1}', "/extra"),
    ],
)
def test_a_bad_envelope_names_its_member(body: bytes, pointer: str) -> None:
    error = refusal(body)
    assert (error.status, error.errors[0]["pointer"]) == (422, pointer)


def test_too_many_records_name_the_limit() -> None:
    error = refusal(msgspec.json.encode({**ENVELOPE, "records": [{}] * (MAX_RECORDS + 1)}))
    assert (error.status, error.extra["limit_records"]) == (413, MAX_RECORDS)


def test_an_ndjson_envelope_holds_no_records() -> None:
    assert refusal(b'{"platform":"P","records":[]}\n{}', "application/x-ndjson").errors[0]["pointer"] == "/records"
    assert refusal(b"\n\n", "application/x-ndjson").code == "malformed_ndjson"
    assert refusal(b"{\n{}", "application/x-ndjson").code == "malformed_ndjson"
    assert refusal(b'{"platform":"P"}\n', "application/x-ndjson").errors[0]["pointer"] == "/records"
