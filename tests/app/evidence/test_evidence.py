"""Evidence over HTTP: receipts, sequences, contradictions, anchors, proofs, and everything that is refused."""

import gzip
import json
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from app.evidence.models import EvidenceConflict, EvidenceRecord, EvidenceSubmission
from chain.keys import LocalSigner
from chain.typed_data import Submission, submission_digest
from tests.app.claims.scenario import World, build, until
from tests.app.conftest import RunningService


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    return build(service, buyers=2)


def stored(world: World) -> int:
    """Records in the database."""
    with world.service.gateway.sessions() as session:
        return session.scalar(select(func.count()).select_from(EvidenceRecord)) or 0


def next_sequence(world: World) -> int:
    """The next sequence of the platform that signs itself."""
    view = world.json(world.service.get(f"/v1/platforms/{world.signing_platform}/stream"), 200)
    return int(view["next_sequence"])


def test_a_receipt_is_given_and_the_record_goes_to_the_chain(world: World) -> None:
    record = world.record()
    receipt = world.json(world.post_custody([record]), 201)
    assert (receipt["stored"], receipt["count"], receipt["custody"]) == (1, 1, True)
    path = f"/v1/evidence/{receipt['items'][0]['id']}"
    first = world.json(world.service.get(path, world.platform_key), 200)
    assert first["state"] in ("received", "batched", "anchored", "final")
    assert first["record"] == record

    def anchored() -> dict[str, Any] | None:
        view: dict[str, Any] = world.service.get(path).json()
        return view if view["state"] in ("anchored", "final") else None

    view = until(anchored)
    proof = view["proof"]
    contracts, rpc = world.service.gateway.contracts, world.service.gateway.rpc
    as_bytes = bytes.fromhex
    parts = (
        _plain(proof["batch"]),
        _plain(proof["submission"]),
        [as_bytes(one[2:]) for one in proof["tradePath"]],
        [as_bytes(one[2:]) for one in proof["submissionPath"]],
    )
    # The contract itself says that the proof holds; a changed leaf it refuses.
    platform = as_bytes(proof["batch"]["platform"][2:])
    contracts.read(rpc, "EvidenceLog", "verify", [platform, as_bytes(view["leaf"][2:]), parts])


def _plain(members: dict[str, Any]) -> dict[str, Any]:
    return {name: bytes.fromhex(value[2:]) if isinstance(value, str) else value for name, value in members.items()}


def test_the_same_record_again_is_answered_with_the_first_receipt(world: World) -> None:
    record = world.record()
    first = world.json(world.post_custody([record]), 201)["items"][0]
    before = stored(world)
    reordered = dict(reversed(record.items())) | {"order_id": None}
    again = world.json(world.post_custody([reordered]), 200)
    assert (again["stored"], again["duplicates"], again["items"][0]["id"]) == (0, 1, first["id"])
    assert stored(world) == before


def test_a_trade_number_with_other_content_is_refused_and_flagged(world: World) -> None:
    record = world.record()
    world.json(world.post_custody([record]), 201)
    problem = world.json(world.post_custody([{**record, "settled_fen": 1_000_001}]), 409)
    assert problem["code"] == "trade_id_conflict"
    assert problem["errors"][0]["pointer"] == "/records/0/trade_id"
    with world.service.gateway.sessions() as session:
        kept = session.scalars(select(EvidenceConflict).where(EvidenceConflict.trade_id == record["trade_id"])).all()
    assert [json.loads(one.record)["settled_fen"] for one in kept] == [1_000_001]


def test_a_bad_item_does_not_lose_the_good_ones(world: World) -> None:
    good, twice = world.record(), world.record()
    records = [
        good,
        world.record() | {"settled_fen": -1},
        twice,
        twice,
        {**twice, "settled_fen": 5},
        world.record(buyer="X"),
    ]
    receipt = world.json(world.post_custody(records), 201)
    assert [item["status"] for item in receipt["items"]] == [
        "stored",
        "refused",
        "stored",
        "duplicate",
        "refused",
        "refused",
    ]
    assert (receipt["count"], receipt["stored"], receipt["duplicates"], receipt["refused"]) == (2, 2, 1, 3)
    assert receipt["items"][1]["errors"][0]["pointer"] == "/records/1/settled_fen"
    assert receipt["items"][3]["id"] == receipt["items"][2]["id"]


def test_atomic_refuses_all_for_one(world: World) -> None:
    before = stored(world)
    problem = world.json(world.post_custody([world.record(), world.record() | {"settled_fen": -1}], atomic=True), 422)
    assert problem["errors"][0]["pointer"] == "/records/1/settled_fen"
    assert stored(world) == before


def test_a_signed_submission_is_taken_in_sequence_and_replayed(world: World) -> None:
    sequence = next_sequence(world)
    body = world.signed([world.record() for _ in range(5)], sequence)
    first = world.json(world.post_signed(body), 201)
    assert (first["sequence"], first["count"], first["custody"]) == (sequence, 5, False)
    assert world.json(world.post_signed(body), 200) == first

    gap = world.json(world.post_signed(world.signed([world.record()], sequence + 2)), 409)
    assert (gap["code"], gap["expected"]) == ("sequence_gap", sequence + 1)
    reused = world.json(world.post_signed(world.signed([world.record()], sequence)), 409)
    assert reused["code"] == "sequence_reused"


def test_a_signed_submission_posted_again_under_the_next_sequence_uses_none_up(world: World) -> None:
    sequence = next_sequence(world)
    records = [world.record(), world.record()]
    first = world.json(world.post_signed(world.signed(records, sequence)), 201)
    again = world.json(world.post_signed(world.signed(records, sequence + 1)), 200)
    assert [item["id"] for item in again["items"]] == [item["id"] for item in first["items"]]
    mixed = world.json(world.post_signed(world.signed([*records, world.record()], sequence + 1)), 409)
    assert mixed["code"] == "duplicate_records"
    assert next_sequence(world) == sequence + 1


def test_a_bad_record_refuses_a_signed_submission_whole(world: World) -> None:
    sequence, before = next_sequence(world), stored(world)
    body = world.signed([world.record(), world.record()], sequence)
    body["records"][1]["settled_fen"] = 2**60
    problem = world.json(world.post_signed(body), 422)
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("invalid_records", "/records/1/settled_fen")
    record = world.record()
    twice = world.signed([record, record], sequence)
    assert world.json(world.post_signed(twice), 422)["errors"][0]["rule"] == "unique"
    assert (stored(world), next_sequence(world)) == (before, sequence)


def test_wrong_signatures_are_refused(world: World) -> None:
    sequence = next_sequence(world)
    body = world.signed([world.record()], sequence)
    other = LocalSigner(bytes(31) + b"\x08")
    digest = submission_digest(world.service.gateway.contracts, Submission(bytes(32), sequence, bytes(32), 1))
    wrong = [
        "0x" + "00" * 65,
        "0x" + other.sign_digest(digest).hex(),
        world.signed([world.record()], sequence)["signature"],
        body["signature"][:-2] + "1f",
        "0x1234",
        "z" * 132,
    ]
    for signature in wrong:
        problem = world.json(world.post_signed({**body, "signature": signature}), 422)
        assert problem["errors"][0]["pointer"] == "/signature", signature
    changed = {**body, "records": [{**body["records"][0], "settled_fen": 2}]}
    assert world.json(world.post_signed(changed), 422)["code"] == "bad_signature"
    assert next_sequence(world) == sequence


def test_a_sequence_out_of_range_is_named(world: World) -> None:
    body = world.signed([world.record()], 1)
    for sequence in (0, -1, 2**63, 10**20):
        problem = world.json(world.post_signed({**body, "sequence": sequence}), 422)
        assert problem["errors"][0]["pointer"] == "/sequence"


def test_custody_is_for_platforms_that_keep_no_key(world: World) -> None:
    body = {"platform": world.signing_platform, "records": [world.record(platform=world.signing_platform)]}
    assert world.json(world.post_signed(body), 409)["code"] == "own_key"
    salted = world.record(salt="0x" + "00" * 32)
    assert world.json(world.post_custody([salted]), 422)["errors"][0]["pointer"] == "/records/0/salt"
    half = world.signed([world.record()], next_sequence(world))
    del half["signature"]
    assert world.json(world.post_signed(half), 422)["errors"][0]["pointer"] == "/signature"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"buyer": "91410100MA4T000001"}, "/buyer"),
        ({"platform": "91410100MA4T000001"}, "/platform"),
        ({"settled_fen": -1}, "/settled_fen"),
        ({"settled_fen": 2**48}, "/settled_fen"),
        ({"settled_fen": 2**70}, "/settled_fen"),
        ({"settled_fen": 1.5}, "/settled_fen"),
        ({"settled_fen": "100"}, "/settled_fen"),
        ({"traded_at": "2099-01-01T00:00:00Z"}, "/traded_at"),
        ({"traded_at": "2024-02-30T00:00:00Z"}, "/traded_at"),
        ({"traded_at": 1719820800}, "/traded_at"),
        ({"invoice_id": "INV\u200b-1"}, "/invoice_id"),
        ({"invoice_id": "ＩＮＶ-1"}, "/invoice_id"),
        ({"chip_model": "A\u030aB"}, "/chip_model"),
        ({"chip_model": "\u202eA10"}, "/chip_model"),
        ({"region_id": "01"}, "/region_id"),
        ({"kind": "gift"}, "/kind"),
        ({"colour": "red"}, "/colour"),
        ({"compute_type": "none"}, "/compute_type"),
    ],
)
def test_bad_fields_are_named(world: World, change: dict[str, Any], pointer: str) -> None:
    before = stored(world)
    problem = world.json(world.post_custody([{**world.record(), **change}]), 422)
    assert problem["errors"][0]["pointer"] == f"/records/0{pointer}"
    assert problem["errors"][0]["rule"]
    assert stored(world) == before


def test_a_missing_field_and_what_is_no_object_are_named(world: World) -> None:
    record = world.record()
    del record["invoice_id"]
    assert world.json(world.post_custody([record]), 422)["errors"][0]["pointer"] == "/records/0/invoice_id"
    answer = world.service.post("/v1/evidence", world.platform_key, {"platform": world.platform, "records": [1]})
    assert world.json(answer, 422)["errors"][0]["pointer"] == "/records/0"


def test_ndjson_and_gzip_are_taken(world: World) -> None:
    lines = [{"platform": world.platform}, world.record(), world.record()]
    body = gzip.compress("\n".join(json.dumps(line) for line in lines).encode())
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    answer = world.service.http.post(
        "/v1/evidence", content=body, headers={**world.service.headers(world.platform_key), **headers}
    )
    assert world.json(answer, 201)["stored"] == 2


def test_a_gzip_bomb_is_refused(world: World) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = world.service.http.post(
        "/v1/evidence",
        content=gzip.compress(b" " * 100_000_000),
        headers={**world.service.headers(world.platform_key), **headers},
    )
    assert world.json(answer, 413)["limit_bytes"] == world.service.gateway.settings.max_body_bytes


def test_the_idempotency_key_replays_the_receipt(world: World) -> None:
    body = {"platform": world.platform, "records": [world.record()]}
    first = world.service.post("/v1/evidence", world.platform_key, body, **{"Idempotency-Key": "e-1"})
    again = world.service.post("/v1/evidence", world.platform_key, body, **{"Idempotency-Key": "e-1"})
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())


def test_platforms_post_for_themselves_only(world: World) -> None:
    body = {"platform": world.signing_platform, "records": [world.record()]}
    assert world.json(world.service.post("/v1/evidence", world.platform_key, body), 403)["code"] == "other_platform"
    for who in ("operator", "registrar", "reviewer-1", "finance", "regulator", world.buyer_keys[0]):
        assert world.service.post("/v1/evidence", who, body).status_code == 403, who
    assert world.service.http.post("/v1/evidence", json=body).status_code == 401


def test_only_parties_and_staff_read_a_record(world: World) -> None:
    (evidence,) = world.evidence_ids([world.record()])
    path = f"/v1/evidence/{evidence}"
    for who in ("regulator", world.platform_key, world.buyer_keys[0]):
        assert world.service.get(path, who).status_code == 200
    for who in (world.buyer_keys[1], world.signing_key):
        assert world.service.get(path, who).status_code == 404
    assert world.service.get(f"/v1/platforms/{world.platform}/stream", world.buyer_keys[0]).status_code == 404
    listed = world.json(world.service.get("/v1/evidence", world.buyer_keys[1], limit=200), 200)
    assert evidence not in [item["id"] for item in listed["items"]]


def test_lists_are_paged_in_the_order_of_arrival(world: World) -> None:
    posted = world.evidence_ids([world.record() for _ in range(5)])
    seen: list[str] = []
    after = ""
    while after is not None:
        page = world.json(
            world.service.get("/v1/evidence", "operator", platform=world.platform, after=after, limit=3), 200
        )
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
    assert seen == sorted(seen)
    assert [one for one in seen if one in posted] == posted


def test_everything_acknowledged_is_stored_and_everything_stored_is_anchored(world: World) -> None:
    with world.service.gateway.sessions() as session:
        acknowledged = session.scalar(select(func.sum(EvidenceSubmission.count)))
    assert acknowledged == stored(world)
    for platform in (world.platform, world.signing_platform):

        def all_anchored(number: str = platform) -> bool:
            view = world.json(world.service.get(f"/v1/platforms/{number}/stream"), 200)
            return bool(view["anchored_to"] == view["next_sequence"] - 1 and not view["pending"])

        until(all_anchored)


# Name of a bad submission to the status that refuses it.
BAD = {
    "malformed": 400,
    "nested without end": 400,
    "truncated": 400,
    "oversized": 413,
    "too many": 413,
    "unsigned": 409,
    "wrongly signed": 422,
    "out of sequence": 409,
    "future-dated": 422,
    "duplicated member": 422,
    "duplicated record": 422,
    "full-width invoice": 422,
    "zero-width trade number": 422,
    "right-to-left text": 422,
    "full-width buyer": 422,
    "beyond 48 bits": 422,
    "beyond 63 bits": 422,
    "beyond 64 bits": 422,
    "of 400 digits": 422,
    "negative": 422,
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_submission_gets_a_4xx_and_nothing_of_it_is_stored(world: World, name: str) -> None:
    before, sequence = stored(world), next_sequence(world)
    body = _bad(world, name, sequence)
    headers = {**world.service.headers(world.signing_key), "Content-Type": "application/json"}
    for kind, sent in (("", body), ("gzip", gzip.compress(body, 1))):
        answer = world.service.http.post("/v1/evidence", content=sent, headers={**headers, "Content-Encoding": kind})
        assert answer.status_code == BAD[name], (kind, answer.text[:300])
        assert answer.json()["code"]
    assert (stored(world), next_sequence(world)) == (before, sequence)


def _bad(world: World, name: str, sequence: int) -> bytes:
    good = world.signed([world.record(), world.record()], sequence)
    text = json.dumps(good).encode()
    one = world.record()
    texts = {
        "malformed": b'{"platform": ',
        "nested without end": b'{"platform":"P","records":' + b"[" * 100_000,
        "truncated": text[:-40],
        "oversized": b" " * (world.service.gateway.settings.max_body_bytes + 1),
        "duplicated member": text.replace(b'"settled_fen": 1000000', b'"settled_fen": 1, "settled_fen": 1000000', 1),
    }
    bodies = {
        "too many": {**good, "records": [{}] * 10_001},
        "unsigned": {"platform": world.signing_platform, "records": [world.record(platform=world.signing_platform)]},
        "wrongly signed": {**good, "signature": "0x" + "11" * 65},
        "out of sequence": world.signed([one], sequence + 1),
        "future-dated": world.signed([world.record(traded_at="2199-01-01T00:00:00Z")], sequence),
        "duplicated record": world.signed([one, one], sequence),
        "full-width invoice": _with(good, {"invoice_id": "ＩＮＶ"}),
        "zero-width trade number": _with(good, {"trade_id": "T\u200b1"}),
        "right-to-left text": _with(good, {"chip_model": "\u202eA10"}),
        "full-width buyer": _with(good, {"buyer": "９" * 18}),
        "beyond 48 bits": _with(good, {"settled_fen": 2**48}),
        "beyond 63 bits": _with(good, {"settled_fen": 2**63}),
        "beyond 64 bits": _with(good, {"settled_fen": 2**64}),
        "of 400 digits": _with(good, {"settled_fen": 10**400}),
        "negative": _with(good, {"settled_fen": -1}),
    }
    return texts[name] if name in texts else json.dumps(bodies[name]).encode()


def test_a_replayed_submission_gets_its_first_receipt_and_stores_nothing(world: World) -> None:
    before, sequence = stored(world), next_sequence(world)
    good = world.signed([world.record(), world.record()], sequence)
    first = world.json(world.post_signed(good), 201)
    assert world.json(world.post_signed(good), 200)["items"] == first["items"]
    replayed = world.json(world.post_signed(world.signed(good["records"], sequence + 1)), 200)
    assert (replayed["stored"], replayed["duplicates"]) == (0, 2)
    assert stored(world) - before == first["stored"] == 2
    assert next_sequence(world) == sequence + 1


def test_json_nested_without_end_is_a_4xx_wherever_a_body_is_read(world: World) -> None:
    paths: dict[str, dict[str, Any]] = world.service.http.get("/openapi.json").json()["paths"]
    commands = [
        (method, re.sub(r"{[^}]*}", "1", path))
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "requestBody" in operation
    ]
    assert len(commands) > 20
    headers = {**world.service.headers("operator"), "Content-Type": "application/json"}
    for method, path in commands:
        answer = world.service.http.request(method, path, content=b'{"a":' * 100_000, headers=headers)
        assert 400 <= answer.status_code < 500, (method, path, answer.text[:300])


def _with(body: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A submission with another first record."""
    return {**body, "records": [{**body["records"][0], **change}, *body["records"][1:]]}


def test_a_correction_names_a_trade_that_was_posted_and_is_found_from_it(world: World) -> None:
    original = world.record()
    refund = world.record(charge_class="correction", corrects=original["trade_id"], refunded_fen=1000)
    lost = world.record(charge_class="correction", corrects="T-never")
    receipt = world.json(world.post_custody([original, refund, lost]), 201)
    assert [item["status"] for item in receipt["items"]] == ["stored", "stored", "refused"]
    error = receipt["items"][2]["errors"][0]
    assert (error["pointer"], error["rule"]) == ("/records/2/corrects", "known_trade")
    view = world.json(world.service.get(f"/v1/evidence/{receipt['items'][0]['id']}"), 200)
    assert view["corrected_by"] == [receipt["items"][1]["id"]]


def test_only_operators_erase(world: World) -> None:
    (evidence,) = world.evidence_ids([world.record()])
    path, body = f"/v1/evidence/{evidence}/erasure", {"reason": "asked for by the buyer"}
    for who in ("registrar", "reviewer-1", "finance", "regulator", world.platform_key, world.buyer_keys[0]):
        assert world.service.post(path, who, body).status_code == 403, who
    assert world.service.http.post(path, json=body).status_code == 401
    assert world.json(world.service.post(path, "operator", {"reason": ""}), 422)["errors"][0]["pointer"] == "/reason"
    assert world.json(world.service.post(path, "operator", body), 201)["reason"] == body["reason"]
    bundle = world.service.get(f"/v1/evidence/{evidence}/bundle", disclose="invoice_id")
    assert bundle.status_code in (409, 410)  # not anchored yet, or erased
    for who in ("regulator", "operator"):
        (noted,) = world.json(world.service.get("/v1/evidence-erasures", who), 200)["items"]
        assert (noted["evidence_id"], noted["role"], noted["reason"]) == (evidence, "operator", body["reason"])
    for who in ("registrar", "reviewer-1", "finance", world.platform_key, world.buyer_keys[0]):
        assert world.service.get("/v1/evidence-erasures", who).status_code == 403, who
