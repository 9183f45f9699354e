"""A node to test against, embedded or anvil, and wallets with money on it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address

from chain.node.embedded import EmbeddedNode
from chain.rpc import RpcClient

from . import shelf

GWEI = 10**9
ETHER = 10**18
# The first account of the well-known test mnemonic, which anvil funds.
FAUCET: LocalAccount = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
FUNDED = {FAUCET.address: 1_000_000 * ETHER}


def wait_until(found: Callable[[], Any], seconds: float = 120) -> Any:
    """What `found` returns once that is not None."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = found()
        if result is not None:
            return result
        time.sleep(0.005)
    raise TimeoutError("it did not happen")


class Wallet:
    """A key that signs transactions for one chain."""

    def __init__(self, account: LocalAccount, rpc: RpcClient) -> None:
        self.account = account
        self.address: str = account.address
        self.rpc = rpc
        self.chain_id = int(rpc.call("eth_chainId"), 16)

    def nonce(self, block: str = "pending") -> int:
        return int(self.rpc.call("eth_getTransactionCount", self.address, block), 16)

    def sign(self, **fields: Any) -> str:
        """Raw transaction; nonce, gas and fees are filled in where left out."""
        defaults = {"chainId": self.chain_id, "value": 0, "gas": 21_000}
        fields = {**defaults, **fields}
        if "gasPrice" not in fields:
            fields = {"maxFeePerGas": 10 * GWEI, "maxPriorityFeePerGas": GWEI, **fields}
        if "to" in fields:
            fields["to"] = to_checksum_address(fields["to"])  # eth-account signs for nothing else
        if "nonce" not in fields:
            fields["nonce"] = self.nonce()
        return self.account.sign_transaction(fields).raw_transaction.to_0x_hex()

    def send(self, **fields: Any) -> str:
        """Sign and send; returns the hash."""
        return self.rpc.call("eth_sendRawTransaction", self.sign(**fields))

    def receipt(self, tx_hash: str) -> Any:
        def mined() -> Any:
            receipt = self.rpc.call("eth_getTransactionReceipt", tx_hash)
            # It can be there a moment before the state of its block is the latest.
            seen = receipt is not None and int(self.rpc.call("eth_blockNumber"), 16) >= int(receipt["blockNumber"], 16)
            return receipt if seen else None

        return wait_until(mined)

    def mine(self, **fields: Any) -> Any:
        """Sign, send, and wait for the receipt."""
        return self.receipt(self.send(**fields))

    def deploy_shelf(self) -> str:
        receipt = self.mine(data=shelf.INITCODE, gas=1_000_000)
        assert receipt["status"] == "0x1"
        return receipt["contractAddress"]


def funded_wallet(rpc: RpcClient) -> Wallet:
    """A fresh key with 100 ether."""
    wallet = Wallet(Account.create(), rpc)
    Wallet(FAUCET, rpc).mine(to=wallet.address, value=100 * ETHER)
    return wallet


@pytest.fixture(scope="module", params=["embedded", "anvil"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JSON-RPC address of the module's node: once the embedded one, once anvil."""
    if request.param == "anvil":
        yield request.getfixturevalue("anvil_url")
        return
    with EmbeddedNode(tmp_path_factory.mktemp("chain"), funded=FUNDED) as node:
        yield node.url


@pytest.fixture
def rpc(url: str) -> Iterator[RpcClient]:
    with RpcClient(url, timeout=60) as client:
        yield client


@pytest.fixture
def wallet(rpc: RpcClient) -> Wallet:
    return funded_wallet(rpc)
