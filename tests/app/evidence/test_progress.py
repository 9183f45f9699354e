"""What a platform is told of how far its record is."""

import pytest
from sqlalchemy.orm import Session, sessionmaker

from app.auth.roles import Role
from app.auth.service import Principal
from app.evidence import progress
from app.evidence.anchorer import Anchorer
from app.indexer.models import EvidenceBatch, IndexState
from tests.app.evidence.bench import Bench
from tests.database import database_url, make  # noqa: F401 - fixtures


@pytest.fixture
def bench(make: sessionmaker[Session]) -> Bench:  # noqa: F811
    return Bench(make)


def state(bench: Bench, evidence_id: str) -> str:
    caller = Principal("key", Role.REGULATOR, "")
    with bench.sessions() as session:
        return progress.view(session, bench.gateway, caller, evidence_id).state


def anchor_state(bench: Bench, evidence_id: str) -> str:
    """Of the record's own chain."""
    with bench.sessions() as session:
        found = progress.view(session, bench.gateway, Principal("key", Role.REGULATOR, ""), evidence_id)
    return found.anchors[0].state


def finalise(bench: Bench, block_number: int) -> None:
    """Lets the indexer hold a block for final."""
    contracts = bench.gateway.contracts
    with bench.sessions.begin() as session:
        session.merge(
            IndexState(
                chain_id=contracts.chain_id,
                deployment=contracts.ledger,
                block_number=100,
                block_hash=bytes(32),
                timestamp=1,
                final_block_number=block_number,
            )
        )


def test_a_record_is_final_once_its_block_is_and_not_by_its_depth(bench: Bench) -> None:
    evidence_id = bench.post()[0]
    assert state(bench, evidence_id) == "received"
    Anchorer(bench.gateway).step()
    assert state(bench, evidence_id) == "batched"
    bench.show_batch()
    finalise(bench, 0)
    assert state(bench, evidence_id) == "anchored"
    finalise(bench, 1)
    assert state(bench, evidence_id) == "final"


def test_a_reorganisation_shows_until_the_batch_is_back(bench: Bench) -> None:
    evidence_id = bench.post()[0]
    anchorer = Anchorer(bench.gateway)
    anchorer.step()
    bench.show_batch()
    anchorer.step()
    assert state(bench, evidence_id) == "anchored"
    with bench.sessions.begin() as session:
        session.delete(session.get_one(EvidenceBatch, (bench.platform_id, 0)))
    assert (state(bench, evidence_id), anchor_state(bench, evidence_id)) == ("batched", "orphaned")
    anchorer.step()
    assert anchor_state(bench, evidence_id) == "pending"
    bench.show_batch()
    anchorer.step()
    assert (state(bench, evidence_id), anchor_state(bench, evidence_id)) == ("anchored", "anchored")
