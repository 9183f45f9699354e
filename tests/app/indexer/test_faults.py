"""Whatever dies or lies: the projection is whole, and nothing disappears."""

from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from app.indexer import Indexer, projection_digest
from app.indexer.models import ChainEvent, Entity, IndexState, ParkedEvent, Voucher
from app.indexer.projected import OWN, scoped
from chain.rpc import RpcClient
from tests.chain.ledger_world import World, digest


class Killed(BaseException):
    """The process ended here."""


class MortalClient(RpcClient):
    """A real client of a real node, whose process dies at a call."""

    def __init__(self, url: str, calls: int) -> None:
        super().__init__(url)
        self._left = calls

    def fetch(self, kind: Any, requests: Any, *, timeout: float | None = None) -> list[Any]:
        self._left -= 1
        if self._left < 0:
            raise Killed
        return super().fetch(kind, requests, timeout=timeout)


def _digest(make: sessionmaker[Session]) -> str:
    with make() as session:
        return projection_digest(session)


def _whole(told: World, make: sessionmaker[Session]) -> str:
    indexer = Indexer(make, told.rpc, told.contracts, told.start_block)
    indexer.rebuild()
    indexer.catch_up()
    return _digest(make)


def test_a_crash_in_the_middle_of_the_backfill_leaves_whole_blocks(
    told: World, make: sessionmaker[Session], node_url: str
) -> None:
    expected = _whole(told, make)
    Indexer(make, told.rpc, told.contracts, told.start_block).rebuild()
    for calls in (2, 3, 1, 5, 0, 1):
        with MortalClient(node_url, calls) as rpc, pytest.raises(Killed):
            Indexer(make, rpc, told.contracts, told.start_block, first_range=3, finality_depth=2).catch_up()
        with make() as session:
            done = session.scalars(select(IndexState)).one_or_none()
            newest = session.scalar(select(ChainEvent.block_number).order_by(ChainEvent.id.desc()).limit(1))
        assert newest is None or (done is not None and newest <= done.block_number)
    Indexer(make, told.rpc, told.contracts, told.start_block).catch_up()
    assert _digest(make) == expected


def test_an_event_that_does_not_fit_is_parked_and_the_others_go_on(told: World, make: sessionmaker[Session]) -> None:
    # An indexer that began too late: it misses the registrations that later events are about.
    late = int(told.rpc.call("eth_blockNumber"), 16) - 8
    indexer = Indexer(make, told.rpc, told.contracts, late)
    indexer.catch_up()
    with make() as session:
        parked = session.scalars(select(ParkedEvent).order_by(ParkedEvent.id)).all()
        assert parked
        assert all(row.reason.startswith("LookupError: no row") for row in parked)
        assert all(row.log["topics"] for row in parked)
        state = session.scalars(select(IndexState)).one()
    assert state.block_number == int(told.rpc.call("eth_blockNumber"), 16)
    assert indexer.halted is None


def test_an_event_that_the_database_refuses_is_parked_alone(told: World, make: sessionmaker[Session]) -> None:
    indexer = Indexer(make, told.rpc, told.contracts, told.start_block)
    # Nobody but the projector writes here; a row in its way stands for whatever a database may object to.
    with make.begin() as session:
        session.add(
            Entity(
                deployment_id=OWN,
                id=digest("in the way"),
                number=2,
                account=bytes(20),
                kind="enterprise",
                roles=1,
                region=0,
                standing="good",
                standing_until=0,
                frozen=False,
                registered_at=0,
                tx_hash=bytes(32),
                block_number=0,
            )
        )
    indexer.catch_up()
    with make() as session:
        parked = session.scalars(select(ParkedEvent)).all()
        assert any(row.reason.startswith("IntegrityError") for row in parked)
        # The rest of the same transaction and block is there.
        assert session.get(Entity, digest("buyer")) is not None
        assert session.get(Entity, digest("other buyer")) is None
        assert len(session.scalars(select(Voucher)).all()) == 5


def test_two_indexers_on_one_database_do_the_work_once(told: World, make: sessionmaker[Session]) -> None:
    expected = _whole(told, make)
    one, other = (
        Indexer(make, told.rpc, told.contracts, told.start_block, first_range=2, finality_depth=4) for _ in range(2)
    )
    one.rebuild()
    busy = [True, True]
    while any(busy):
        busy = [one.step(), other.step()]
    assert _digest(make) == expected
    assert one.block_number == other.block_number


def test_a_new_version_tries_parked_events_again(told: World, make: sessionmaker[Session]) -> None:
    expected = _whole(told, make)
    late = int(told.rpc.call("eth_blockNumber"), 16) - 8
    indexer = Indexer(make, told.rpc, told.contracts, late)
    indexer.rebuild()
    indexer.catch_up()
    with make.begin() as session:
        assert session.scalars(select(ParkedEvent)).all()
        session.execute(update(ParkedEvent).values(parked_by="older"))
    Indexer(make, told.rpc, told.contracts, told.start_block).catch_up()
    assert _digest(make) == expected


def test_an_old_and_a_new_deployment_stand_side_by_side(told: World, make: sessionmaker[Session]) -> None:
    expected = _whole(told, make)
    other = World.deployed(told.rpc, f"another on {make.kw['bind'].dialect.name}")
    other.register(told.registration("stranger") | {"id": digest("stranger"), "region": 310000})
    new = Indexer(make, told.rpc, other.contracts, other.start_block, deployment_id=2)
    new.catch_up()
    Indexer(make, told.rpc, told.contracts, told.start_block).catch_up()
    assert _digest(make) == expected
    with scoped(make, 2)() as session:
        # Both number their organisations alike; a session sees those of one.
        assert [row.id for row in session.scalars(select(Entity).where(Entity.number == 1))] == [digest("stranger")]
        assert session.get(Entity, digest("buyer")) is None
        assert session.get_one(Entity, digest("stranger")).region == 310000
        assert session.scalar(select(func.count()).select_from(Entity)) == 1
        assert session.scalar(select(select(Voucher.id).exists())) is False
        assert session.scalars(select(ParkedEvent)).all() == []
    with scoped(make, OWN)() as session:
        assert session.get(Entity, digest("stranger")) is None
        assert session.scalar(select(func.count(Voucher.id))) == 5
    new.rebuild()
    assert _digest(make) == expected
