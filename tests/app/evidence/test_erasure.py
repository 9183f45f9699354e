"""What is left of a record whose content was erased: it stands where it was anchored, and shows nothing."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from app.auth.roles import Role
from app.auth.service import Principal
from app.claims import service as claims
from app.claims.schemas import NewClaim, NewClaims
from app.errors import ApiError, Conflict, Invalid, NotFound
from app.evidence import progress
from app.evidence.anchorer import Anchorer
from app.evidence.bundles import bundle_of
from app.evidence.erasure import erase
from app.evidence.repository import record as stored_row
from chain.merkle import root_from
from tests.app.evidence.bench import Bench
from tests.database import database_url, make  # noqa: F401 - fixtures

OPERATOR = Principal("key-1", Role.OPERATOR, "")
REASON = "deletion asked for by the person concerned"


@pytest.fixture
def bench(make: sessionmaker[Session]) -> Bench:  # noqa: F811
    return Bench(make)


def erased(bench: Bench, evidence_id: str) -> int:
    """Erases a record; the HTTP status."""
    with bench.sessions.begin() as session:
        return erase(session, bench.gateway, OPERATOR, evidence_id, REASON)[0]


def view(bench: Bench, evidence_id: str) -> dict[str, Any]:
    with bench.sessions() as session:
        return progress.view(session, bench.gateway, OPERATOR, evidence_id).model_dump()


def test_an_erased_record_is_proved_by_leaf_and_path_and_shows_nothing(bench: Bench) -> None:
    evidence_id, other = bench.post(bench.record(chip_model="SECRET-CHIP"), bench.record())
    Anchorer(bench.gateway).step()
    bench.show_batch()
    before = view(bench, evidence_id)
    assert erased(bench, evidence_id) == 201
    after = view(bench, evidence_id)
    assert (after["record"], after["proof"]["trade"]) == (None, None)
    assert after["erasure"]["reason"] == REASON
    assert (after["erasure"]["erased_by"], after["erasure"]["role"]) == ("key-1", "operator")
    for name in ("tradePath", "submissionPath", "submission", "batch"):
        assert after["proof"][name] == before["proof"][name]
    path = [bytes.fromhex(node[2:]) for node in after["proof"]["tradePath"]]
    root = root_from(bytes.fromhex(after["leaf"][2:]), path)
    assert f"0x{root.hex()}" == after["proof"]["submission"]["root"]
    with bench.sessions() as session:
        row = stored_row(session, evidence_id)
        assert row is not None
        assert (row.record, row.salt) == (b"", b"")
        with pytest.raises(ApiError) as caught:
            bundle_of(session, bench.gateway, row, disclose=["chip_model"])
    assert (caught.value.status, caught.value.code) == (410, "evidence_erased")
    assert view(bench, other)["record"] is not None


def test_erasing_again_keeps_the_first_note(bench: Bench) -> None:
    (evidence_id,) = bench.post()
    assert (erased(bench, evidence_id), erased(bench, evidence_id)) == (201, 200)
    with bench.sessions.begin() as session, pytest.raises(NotFound):
        erase(session, bench.gateway, OPERATOR, "ev_none", REASON)


def test_an_erased_trade_is_still_recognised(bench: Bench) -> None:
    record = bench.record()
    (evidence_id,) = bench.post(record)
    erased(bench, evidence_id)
    assert bench.post(record) == [evidence_id]
    with pytest.raises(Exception, match="posted before with other content"):
        bench.post({**record, "settled_fen": 5})


def test_the_digest_that_is_kept_cannot_be_tried(bench: Bench) -> None:
    (evidence_id,) = bench.post()
    with bench.sessions() as session:
        digest = session.execute(text("SELECT content_digest FROM evidence_records")).scalar_one()
    erased(bench, evidence_id)
    with bench.sessions() as session:
        assert session.execute(text("SELECT content_digest FROM evidence_records")).scalar_one() != digest


def test_a_record_with_an_undecided_claim_is_not_erased(bench: Bench) -> None:
    (evidence_id,) = bench.post()
    voucher = bench.show_programme(in_order=False)
    with bench.sessions.begin() as session:
        claims.take(session, OPERATOR, NewClaims(items=[NewClaim(voucher_id=voucher, evidence_id=evidence_id)]))
    with pytest.raises(Conflict) as caught:
        erased(bench, evidence_id)
    assert caught.value.code == "claim_undecided"
    assert view(bench, evidence_id)["record"] is not None


def test_an_erased_record_is_not_claimed(bench: Bench) -> None:
    (evidence_id,) = bench.post()
    voucher = bench.show_programme(in_order=False)
    erased(bench, evidence_id)
    with bench.sessions.begin() as session, pytest.raises(Invalid) as caught:
        claims.take(session, OPERATOR, NewClaims(items=[NewClaim(voucher_id=voucher, evidence_id=evidence_id)]))
    assert caught.value.errors[0]["rule"] == "erased"


def test_nothing_of_the_content_is_left_in_the_file(bench: Bench, tmp_path: Path) -> None:
    (evidence_id,) = bench.post(bench.record(chip_model="SECRET-CHIP", task_type="x" * 100))
    erased(bench, evidence_id)
    database = tmp_path / "gateway.sqlite"
    if database.exists():
        sqlite3.connect(database).execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    content = b"".join(file.read_bytes() for file in tmp_path.glob("gateway.sqlite*"))
    assert b"SECRET-CHIP" not in content
    assert json.dumps(view(bench, evidence_id)).count("SECRET-CHIP") == 0
