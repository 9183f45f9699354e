"""What the chain says is published once, in one order, and taken back where a reorganisation takes it back."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.events import chain_feed, publisher, repository
from app.events.catalogue import EVERYONE
from app.events.message import body_of
from app.events.models import STANDING_FINAL, STANDING_OPEN, STANDING_REVERSED, Event, EventParty
from app.events.publisher import Publisher
from app.events.recorder import record, record_changes
from app.evidence.models import EvidenceAnchor
from app.indexer import Indexer
from chain.enums import Funding
from chain.relay import OperationStatus, enqueue
from chain.rpc import RpcClient
from scripts._anvil import Anvil
from tests.chain.ledger_world import World, digest
from tests.database import database_url, make

__all__ = ["database_url", "make"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One redemption, on an anvil of its own: the test bends the chain."""
    with Anvil() as anvil, RpcClient(anvil.url) as rpc:
        world = World.deployed(rpc, "events")
        world.register(
            world.registration("buyer"),
            world.registration("supplier", roles=2),
            world.registration("platform", roles=4),
        )
        programme_id = world.programme(Funding.RESERVED_AT_ISSUE)
        voucher_id = world.issue(programme_id, 1, "buyer", 1_000_000, period=0)
        world.redeem(world.claim(voucher_id, world.trade("buyer", 100_000)))
        yield world


class Desk:
    """An indexer and a publisher on one database."""

    def __init__(self, world: World, make: sessionmaker[Session]) -> None:
        self.make = make
        self.indexer = Indexer(make, world.rpc, world.contracts, world.start_block, finality_depth=8)
        self.publisher = Publisher(make, world.contracts, lambda *_: None)

    def follow(self) -> list[str]:
        """Types of what is published now, in order."""
        with self.make() as session:
            before = repository.head(session)
        self.indexer.catch_up()
        while self.publisher.step():
            pass
        with self.make() as session:
            rows = session.scalars(select(Event).where(Event.position > before).order_by(Event.position)).all()
            assert [row.position for row in rows] == list(range(before + 1, before + 1 + len(rows)))
            return [row.type for row in rows]

    def standing(self, kind: str) -> list[str]:
        with self.make() as session:
            return list(session.scalars(select(Event.standing).where(Event.type == kind).order_by(Event.id)))[-2:]


def test_events_survive_reorganisations_rebuilds_and_other_publishers(
    world: World, make: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_feed, "AT_ONCE", 3)
    monkeypatch.setattr(publisher, "AT_ONCE", 2)
    desk = Desk(world, make)
    told = desk.follow()
    assert told.index("voucher.issued") < told.index("evidence.anchored") < told.index("voucher.redeemed")
    assert desk.follow() == []

    # Who may see it: holder, platform and supplier of a redemption, everyone a published programme.
    with make() as session:
        redeemed = session.scalars(select(Event).where(Event.type == "voucher.redeemed")).all()[-1]
        parties = {party.party for party in redeemed.parties}
        assert parties == {digest(name) for name in ("buyer", "supplier", "platform")}
        public = select(Event.type).join(EventParty).where(EventParty.party == EVERYONE)
        assert set(session.scalars(public)) == {"programme.published"}

    # A freeze that is undone, then made again: told, reversed with a pointer to the first, told under a new id.
    world.rpc.call("anvil_mine", "0x1")
    world.act("regulator", "VoucherLedger", "freeze", (1 << 32) + 1, digest("why"))
    assert desk.follow() == ["voucher.frozen"]
    world.rpc.call("anvil_reorg", 2, [])
    world.rpc.call("anvil_mine", "0x1")
    assert desk.follow() == ["voucher.frozen.reversed"]
    with make() as session:
        frozen = select(Event).where(Event.type.startswith("voucher.frozen")).order_by(Event.id)
        first, undone = session.scalars(frozen).all()[-2:]
        assert undone.data["reverses"] == first.uid
        assert undone.data["chain"] == first.data["chain"]
        assert body_of(first) == body_of(first)
        assert first.data["chain"]["final"] is False
    world.act("regulator", "VoucherLedger", "freeze", (1 << 32) + 1, digest("why"))
    assert desk.follow() == ["voucher.frozen"]
    assert desk.standing("voucher.frozen") == [STANDING_REVERSED, STANDING_OPEN]

    # A projection that is built anew says nothing new, in whatever step the publisher looks.
    desk.indexer.rebuild()
    assert not desk.publisher.step()
    assert desk.follow() == []

    # Final: not undone any more, and not told again.
    world.rpc.call("anvil_mine", "0xc")
    assert desk.follow() == []
    assert desk.standing("voucher.frozen") == [STANDING_REVERSED, STANDING_FINAL]
    world.act("regulator", "VoucherLedger", "unfreeze", (1 << 32) + 1)
    assert desk.follow() == ["voucher.unfrozen"]


def test_ends_of_operations_and_lost_batches_are_told_with_the_change_or_not_at_all(
    make: sessionmaker[Session],
) -> None:
    record_changes(make)
    with make.begin() as session:
        operation = enqueue(session, kind="redeem", signer="relayer", to=bytes(20), data=b"", ref="cl_1")
    changes = (OperationStatus.SENT, OperationStatus.SUCCEEDED, OperationStatus.SENT, OperationStatus.REFUSED)
    for status in changes:
        with make.begin() as session:
            row = session.get_one(type(operation), operation.seq)
            row.status = status
            row.result = {"tx_hash": "0x01", "events": [1]}
    session = make()
    session.get_one(type(operation), operation.seq).status = OperationStatus.FAILED
    session.flush()
    session.rollback()
    with make.begin() as session:
        anchor = {"platform_id": b"\7" * 32, "from_sequence": 1, "to_sequence": 2, "root": bytes(32), "count": 5}
        row = EvidenceAnchor(**anchor, operation_id="op", state="pending", created_at=0, updated_at=0)
        session.add(row)
        session.flush()
        row.state = "orphaned"
    with make() as session:
        told = session.scalars(select(Event).order_by(Event.id)).all()
        assert [one.type for one in told] == [
            "operation.succeeded",
            "operation.reversed",
            "operation.refused",
            "evidence.orphaned",
        ]
        assert told[0].data["result"] == {"tx_hash": "0x01"}
        assert [party.party for party in told[3].parties] == [b"\7" * 32]


def test_an_event_that_commits_late_is_not_missed(world: World, make: sessionmaker[Session]) -> None:
    step = Publisher(make, world.contracts, lambda *_: None).step
    if make.kw["bind"].dialect.name == "sqlite":
        with make.begin() as session:
            record(session, "signer.balance_low", {})
        assert step()
        return
    slow = make()
    record(slow, "signer.balance_low", {"who": "slow"})
    slow.flush()
    with make.begin() as session:
        record(session, "signer.balance_low", {"who": "fast"})
    step()
    slow.commit()
    step()
    with make() as session:
        found = repository.after(session, 0, ["*"], None, 10)
        assert [one.data["who"] for one in found] == ["fast", "slow"]
        assert found[0].id > found[1].id
