"""Nodes for the tests of chain/: each module runs once on the embedded node and once on anvil."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from chain.node.embedded import EmbeddedNode
from chain.rpc import RpcClient

from .faucet import FUNDED

# A deadline per example, and how slow data are to come, measure how busy the machine is. The same examples at each run:
# what fails, fails because of a change.
settings.register_profile(
    "chain", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("chain")


@pytest.fixture(scope="module", params=["embedded", "anvil"])
def node_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JSON-RPC address of the module's node, with money on `faucet.FAUCET`."""
    if request.param == "anvil":
        yield request.getfixturevalue("anvil_url")
        return
    with EmbeddedNode(tmp_path_factory.mktemp("chain"), funded=FUNDED) as node:
        yield node.url


@pytest.fixture(scope="module")
def node_rpc(node_url: str) -> Iterator[RpcClient]:
    """Client of the module's node."""
    with RpcClient(node_url, timeout=60) as rpc:
        yield rpc
