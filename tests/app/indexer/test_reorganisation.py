"""When the chain changes behind the indexer, the tables follow, or it stands still and says why."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from app.indexer import Indexer, projection_digest
from app.indexer.digest import table_digests
from app.indexer.models import ChainBlock, ChainEvent, Entity, IndexState, ProjectionUndo, Redemption, Voucher
from chain.enums import Funding
from chain.logs import DeepReorganisation
from chain.rpc import RpcClient
from scripts._anvil import Anvil
from tests.chain.ledger_world import World, digest


@pytest.fixture
def world() -> Iterator[World]:
    """A world with one redemption in it, on an anvil of its own: these tests bend the chain."""
    with Anvil() as anvil, RpcClient(anvil.url) as rpc:
        world = World.deployed(rpc, "bent")
        world.register(
            world.registration("buyer"),
            world.registration("supplier", roles=2),
            world.registration("platform", roles=4),
        )
        programme_id = world.programme(Funding.RESERVED_AT_ISSUE)
        voucher_id = world.issue(programme_id, 1, "buyer", 1_000_000, period=0)
        world.redeem(world.claim(voucher_id, world.trade("buyer", 100_000)))
        yield world


def _indexer(world: World, make: sessionmaker[Session], **options: Any) -> Indexer:
    return Indexer(make, world.rpc, world.contracts, world.start_block, **options)


def _digest(make: sessionmaker[Session]) -> str:
    with make() as session:
        return projection_digest(session)


def _rebuilt(world: World, make: sessionmaker[Session]) -> dict[str, str]:
    indexer = _indexer(world, make)
    indexer.rebuild()
    indexer.catch_up()
    with make() as session:
        return table_digests(session)


@pytest.mark.parametrize("depth", [1, 6])
@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_tables_follow_a_reorganisation(world: World, make: sessionmaker[Session], depth: int, restarted: bool) -> None:
    indexer = _indexer(world, make)
    indexer.catch_up()
    # More of the rows that are there, and new ones; then all of it is gone.
    voucher_id = (1 << 32) + 1
    claim = world.claim(voucher_id, world.trade("buyer", 200_000))
    world.redeem(claim)
    world.act("regulator", "EntityRegistry", "freeze", digest("buyer"), digest("reason"))
    world.act("regulator", "VoucherLedger", "freeze", voucher_id, digest("reason"))
    world.act("operator", "VoucherLedger", "createProgramme", world.terms(Funding.FIRST_COME))
    world.register(world.registration("newcomer"))
    indexer.catch_up()
    before = _digest(make)

    world.rpc.call("anvil_reorg", depth, [])
    if restarted:
        indexer = _indexer(world, make)
    indexer.catch_up()
    assert _digest(make) != before
    with make() as session:
        found = table_digests(session)
        entities = set(session.scalars(select(Entity.id)))
        redeemed = session.scalar(select(func.count()).select_from(Redemption))
    assert digest("newcomer") not in entities
    assert redeemed == (1 if depth >= 5 else 2)
    assert found == _rebuilt(world, make)


def test_what_happens_after_a_reorganisation_is_projected_on_what_is_left(
    world: World, make: sessionmaker[Session]
) -> None:
    indexer = _indexer(world, make)
    voucher_id = (1 << 32) + 1
    claims = [world.claim(voucher_id, world.trade("buyer", 10_000)) for _ in range(4)]
    for claim in claims:
        world.redeem(claim)
        indexer.catch_up()
    for depth in (2, 1, 3):
        world.rpc.call("anvil_reorg", depth, [])
        for claim in claims[-depth:]:
            world.redeem(claim)
            indexer.step()
        indexer.catch_up()
    with make() as session:
        voucher = session.get_one(Voucher, voucher_id)
        assert voucher.redeemed_fen == world.read("VoucherLedger", "voucher", voucher_id)["redeemedFen"]
        found = table_digests(session)
    assert found == _rebuilt(world, make)


def test_a_shorter_chain_is_followed(world: World, make: sessionmaker[Session]) -> None:
    snapshot = world.rpc.call("evm_snapshot")
    world.register(world.registration("one"))
    world.register(world.registration("two"))
    indexer = _indexer(world, make)
    indexer.catch_up()
    world.rpc.call("evm_revert", snapshot)
    world.register(world.registration("three"))
    indexer.catch_up()
    with make() as session:
        entities = set(session.scalars(select(Entity.id)))
        found = table_digests(session)
    assert digest("three") in entities
    assert digest("two") not in entities
    assert found == _rebuilt(world, make)


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_a_reorganisation_below_finality_halts_and_deletes_nothing(
    world: World, make: sessionmaker[Session], restarted: bool
) -> None:
    indexer = _indexer(world, make, finality_depth=2)
    indexer.catch_up()
    before = _digest(make)
    world.rpc.call("anvil_reorg", 6, [])
    if restarted:
        indexer = _indexer(world, make, finality_depth=2)
    for _ in range(2):
        with pytest.raises(DeepReorganisation):
            indexer.step()
    assert _digest(make) == before


def test_a_node_that_lags_is_waited_for(world: World, make: sessionmaker[Session]) -> None:
    indexer = _indexer(world, make)
    indexer.catch_up()
    before = _digest(make)
    snapshot_head = int(world.rpc.call("eth_blockNumber"), 16)
    # The same blocks, only fewer of them: as when a load balancer asks another node.
    world.rpc.call("anvil_rollback", 2)
    assert int(world.rpc.call("eth_blockNumber"), 16) == snapshot_head - 2
    assert not indexer.step()
    assert _digest(make) == before
    lagging_far = _indexer(world, make, finality_depth=0)
    lagging_far.rebuild()
    lagging_far.catch_up()
    world.rpc.call("anvil_rollback", 1)
    with pytest.raises(DeepReorganisation):
        lagging_far.step()


def test_final_blocks_leave_no_undo_behind_and_no_empty_headers(world: World, make: sessionmaker[Session]) -> None:
    indexer = _indexer(world, make, finality_depth=3)
    for _ in range(4):
        world.rpc.call("anvil_mine", "0x2")
        indexer.catch_up()
    head = int(world.rpc.call("eth_blockNumber"), 16)
    with make() as session:
        assert session.scalars(select(ProjectionUndo)).all() == []
        eventful = set(session.scalars(select(ChainEvent.block_number)))
        blocks = set(session.scalars(select(ChainBlock.number)))
        state = session.scalars(select(IndexState)).one()
    assert blocks == eventful | set(range(head - 3, head + 1))
    assert (state.block_number, state.final_block_number) == (head, head - 3)
