"""The same addresses on two chains: one deployer, one nonce, two deployments whose rows stay apart."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.indexer import Indexer, projection_digest
from app.indexer.models import Entity, IndexState
from app.indexer.projected import OWN, scoped
from chain.node.embedded import EmbeddedNode
from chain.rpc import RpcClient
from tests.chain.faucet import FUNDED
from tests.chain.ledger_world import World, digest

OTHER_CHAIN = 7


@pytest.fixture(scope="module")
def worlds(anvil_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """One on anvil and one on an embedded chain."""
    folder = tmp_path_factory.mktemp("other-chain")
    with (
        EmbeddedNode(folder, chain_id=OTHER_CHAIN, funded=FUNDED) as node,
        RpcClient(node.url, timeout=60) as embedded,
        RpcClient(anvil_url) as anvil,
    ):
        here, there = World.deployed(anvil, "twins"), World.deployed(embedded, "twins")
        here.register(here.registration("resident"))
        there.register(there.registration("stranger"), there.registration("guest"))
        yield here, there


def test_the_same_addresses_on_two_chains_are_kept_apart(
    worlds: tuple[World, World], make: sessionmaker[Session]
) -> None:
    here, there = worlds
    assert here.contracts.addresses == there.contracts.addresses
    assert here.contracts.chain_id != there.contracts.chain_id == OTHER_CHAIN
    ours = Indexer(make, here.rpc, here.contracts, here.start_block)
    theirs = Indexer(scoped(make, 2), there.rpc, there.contracts, there.start_block, deployment_id=2)
    theirs.catch_up()
    ours.catch_up()

    with scoped(make, OWN)() as session:
        assert session.scalars(select(Entity.id)).all() == [digest("resident")]
        before = projection_digest(session)
    with scoped(make, 2)() as session:
        assert set(session.scalars(select(Entity.id))) == {digest("stranger"), digest("guest")}
    with make() as session:
        states = session.scalars(select(IndexState).order_by(IndexState.chain_id)).all()
        assert [state.chain_id for state in states] == [OTHER_CHAIN, here.contracts.chain_id]

    # A rebuild of one leaves the other alone.
    theirs.rebuild()
    with scoped(make, OWN)() as session:
        assert projection_digest(session) == before
        assert session.scalars(select(IndexState.chain_id)).all() == [here.contracts.chain_id]
    theirs.catch_up()
    with scoped(make, 2)() as session:
        assert len(session.scalars(select(Entity.id)).all()) == 2
