"""A node with the whole story on it, and databases to project it into."""

import pytest

from chain.rpc import RpcClient
from tests.chain.conftest import node_rpc, node_url
from tests.chain.ledger_world import World, story
from tests.database import database_url, make

__all__ = ["database_url", "make", "node_rpc", "node_url"]


@pytest.fixture(scope="module")
def told(node_rpc: RpcClient) -> World:
    """A world in which everything happened once."""
    world = World.deployed(node_rpc, "told")
    story(world)
    return world
