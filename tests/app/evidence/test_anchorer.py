"""How submissions become batches: one at a time, without hole or repetition, whatever happens between."""

import threading
import time
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.orm import Session, sessionmaker

from app.evidence.anchorer import RETRY_SECONDS, Anchorer
from app.evidence.models import EvidenceSubmission
from app.evidence.repository import ANCHORED, ORPHANED, PENDING
from app.indexer.models import EvidenceBatch
from app.settings import Settings
from chain.record import rfc3339
from tests.app.evidence.bench import Bench
from tests.database import database_url, make  # noqa: F401 - fixtures


@pytest.fixture
def bench(make: sessionmaker[Session]) -> Bench:  # noqa: F811
    return Bench(make)


def ranges(bench: Bench) -> list[tuple[int, int, int]]:
    """First sequence, last sequence and count of what was sent to the chain."""
    return [(call["fromSequence"], call["toSequence"], call["count"]) for _, call in bench.operations()]


def test_one_batch_is_on_its_way_at_a_time_and_the_next_begins_behind_it(bench: Bench) -> None:
    anchorer = Anchorer(bench.gateway)
    assert not anchorer.step()
    bench.post()
    bench.post(bench.record(), bench.record())
    assert anchorer.step()
    bench.post()
    assert not anchorer.step()
    assert ranges(bench) == [(1, 2, 3)]
    bench.show_batch()
    assert anchorer.step()
    assert ranges(bench) == [(1, 2, 3), (3, 3, 1)]
    assert bench.anchors() == [(1, 2, ANCHORED), (3, 3, PENDING)]


def test_a_batch_closes_on_age_or_size(make: sessionmaker[Session]) -> None:  # noqa: F811
    settings = Settings(batch_max_age_s=60, batch_max_records=5, DATABASE_URL="", CHAIN_URL="")
    bench = Bench(make, settings)
    anchorer = Anchorer(bench.gateway)
    for size in (2, 2):
        bench.post(*(bench.record() for _ in range(size)))
    assert not anchorer.step()
    bench.age(61)
    assert anchorer.step()
    bench.show_batch()
    anchorer.step()
    for size in (3, 3, 7):
        bench.post(*(bench.record() for _ in range(size)))
    assert not anchorer.step()
    bench.age(61)
    for _ in range(3):
        assert anchorer.step()
        bench.show_batch()
    # A submission is never split, though it may be larger than a batch should be.
    assert ranges(bench) == [(1, 2, 4), (3, 3, 3), (4, 4, 3), (5, 5, 7)]


def test_a_trade_that_is_not_past_holds_back_what_is_behind_it(bench: Bench) -> None:
    bench.post()
    bench.post(bench.record(traded_at=rfc3339(int(time.time()) + 60)))
    bench.post()
    anchorer = Anchorer(bench.gateway)
    assert anchorer.step()
    bench.show_batch()
    assert ranges(bench) == [(1, 1, 1)]
    assert not anchorer.step()
    with bench.sessions.begin() as session:
        session.execute(update(EvidenceSubmission).values(last_traded_at=int(time.time()) - 1))  # the time has come
    assert anchorer.step()
    assert ranges(bench) == [(1, 1, 1), (2, 3, 2)]


def test_a_refused_batch_is_anchored_again_from_where_the_chain_stands(bench: Bench) -> None:
    anchorer = Anchorer(bench.gateway)
    bench.post()
    anchorer.step()
    bench.post()
    bench.finish("refused", error={"code": "EvidenceLog_SequenceGap", "args": {}, "message": ""})
    anchorer.step()
    assert bench.anchors() == [(1, 1, ORPHANED)]
    assert not anchorer.step()
    bench.age(RETRY_SECONDS + 1)
    assert anchorer.step()
    assert bench.anchors() == [(1, 1, ORPHANED), (1, 2, PENDING)]


def test_a_batch_that_another_gateway_sent_first_is_not_waited_for(bench: Bench) -> None:
    anchorer = Anchorer(bench.gateway)
    bench.post()
    bench.post()
    anchorer.step()
    bench.show_batch()
    with bench.sessions.begin() as session:
        batch = session.get_one(EvidenceBatch, (bench.platform_id, 0))
        batch.root, batch.to_sequence = b"\x01" * 32, 1
    anchorer.step()
    bench.age(RETRY_SECONDS + 1)
    assert anchorer.step()
    assert bench.anchors() == [(1, 2, ORPHANED), (2, 2, PENDING)]


def test_a_batch_that_a_reorganisation_took_away_is_pending_until_it_is_back(bench: Bench) -> None:
    anchorer = Anchorer(bench.gateway)
    bench.post()
    anchorer.step()
    bench.show_batch()
    anchorer.step()
    with bench.sessions.begin() as session:
        session.delete(session.get_one(EvidenceBatch, (bench.platform_id, 0)))
    anchorer.step()
    assert bench.anchors() == [(1, 1, PENDING)]
    assert not anchorer.step()
    bench.show_batch()
    anchorer.step()
    assert bench.anchors() == [(1, 1, ANCHORED)]
    assert len(bench.operations()) == 1


def test_a_death_before_the_commit_leaves_nothing_and_the_next_step_sends_once(bench: Bench) -> None:
    bench.post()
    died = threading.Event()

    def die(session: Session) -> None:
        if session.new or session.dirty or session.info.get("operations_enqueued"):
            died.set()
            raise KeyboardInterrupt

    event.listen(bench.sessions, "before_commit", die)
    with pytest.raises(KeyboardInterrupt):
        Anchorer(bench.gateway).step()
    event.remove(bench.sessions, "before_commit", die)
    assert died.is_set()
    assert bench.anchors() == []
    assert bench.operations() == []
    assert Anchorer(bench.gateway).step()
    assert len(bench.operations()) == 1


def test_several_workers_at_once_send_one_batch(bench: Bench) -> None:
    for _ in range(3):
        bench.post()
    together = threading.Barrier(4)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            together.wait()
            for _ in range(5):
                Anchorer(bench.gateway).step()
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert ranges(bench) == [(1, 3, 3)]


def test_submissions_posted_at_once_have_sequences_without_hole(bench: Bench) -> None:
    together = threading.Barrier(6)
    taken: list[Any] = []

    def post() -> None:
        together.wait()
        for _ in range(4):
            taken.extend(bench.post())

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 24
    Anchorer(bench.gateway).step()
    assert ranges(bench) == [(1, 24, 24)]
