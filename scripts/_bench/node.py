"""A node to measure on, with time in our hand where the node gives it.

Gas depends on the bytes of a call: a zero byte costs 4, another 16 (EIP-2028). So keys, order of transactions and time
are fixed, and the same run costs the same on each node that lets its time be set.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

from chain.keys import LocalSigner, derive
from chain.node.embedded import EmbeddedNode
from chain.rpc import RpcClient, RpcError
from scripts._anvil import CHAIN_ID

ETHER = 10**18
GWEI = 10**9
# 18 May 2033: later than any node's genesis, which time must not go back behind.
START = 2_000_000_000
# The first account of the well-known test mnemonic, which anvil and other development nodes fund.
FAUCET = LocalSigner(bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
_GAS = 15_000_000
_TIMEOUT_SECONDS = 60.0


class Node:
    """A node, the keys that act on it, and its time.

    Attributes:
        name: for the report.
        now: Unix seconds of the latest block that was timed.
    """

    def __init__(self, name: str, rpc: RpcClient, *, now: int = START) -> None:
        self.name = name
        self.rpc = rpc
        self.now = now
        self.chain_id = int(rpc.call("eth_chainId"), 16)
        self._nonces: dict[str, int] = {}

    def signer(self, name: str) -> LocalSigner:
        """The key of a name, with money on it."""
        signer = derive(keccak(b"suanquan/bench"), name)
        if int(self.rpc.call("eth_getBalance", signer.address, "latest"), 16) < 5 * ETHER:
            self.send(FAUCET, to=signer.address, value=10 * ETHER)
        return signer

    def send(self, signer: LocalSigner, *, to: str | None = None, data: bytes = b"", value: int = 0) -> dict[str, Any]:
        """Sign, send and wait, one second after the block before; the receipt of a transaction that succeeded.

        Raises:
            AssertionError: it failed.
            TimeoutError: it was not mined.
        """
        self._set_time()
        fields: dict[str, Any] = {
            "chainId": self.chain_id,
            "nonce": self._next_nonce(signer.address),
            "gas": _GAS,
            "maxFeePerGas": 10 * GWEI,
            "maxPriorityFeePerGas": GWEI,
            "value": value,
            "data": "0x" + data.hex(),
        }
        raw = signer.sign_transaction(fields if to is None else {**fields, "to": to})
        tx_hash = self.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            receipt: dict[str, Any] | None = self.rpc.call("eth_getTransactionReceipt", tx_hash)
            if receipt is not None:
                if receipt["status"] != "0x1":
                    raise AssertionError(f"{tx_hash} failed on {self.name}")
                return receipt
            time.sleep(0.002)
        raise TimeoutError(f"{tx_hash} was not mined within {_TIMEOUT_SECONDS:g} s")

    def _next_nonce(self, account: str) -> int:
        """Counted here: a node may show a receipt a moment before it counts the nonce."""
        if account not in self._nonces:
            self._nonces[account] = int(self.rpc.call("eth_getTransactionCount", account, "pending"), 16)
        nonce = self._nonces[account]
        self._nonces[account] = nonce + 1
        return nonce

    def _set_time(self) -> None:
        self.now += 1
        try:
            self.rpc.call("evm_setNextBlockTimestamp", self.now)
        except RpcError:
            # A node with a clock of its own: headers get its times, whose zero bytes may cost a few dozen gas less.
            self.now = int(self.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


class _TimedNode(Node):
    """The embedded node: its clock reads our time."""

    def _set_time(self) -> None:
        self.now += 1


@contextmanager
def embedded() -> Iterator[Node]:
    """The embedded node in a folder of its own, under anvil's chain id, which signatures are bound to."""
    timed: list[Node] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedNode(
            Path(folder),
            chain_id=CHAIN_ID,
            funded={FAUCET.address: 1_000_000 * ETHER},
            clock=lambda: timed[0].now if timed else START,
        ) as node,
        RpcClient(node.url) as rpc,
    ):
        timed.append(_TimedNode("embedded", rpc))
        yield timed[0]


@contextmanager
def remote(url: str) -> Iterator[Node]:
    """A node of one's own; anvil's first account must have money there."""
    with RpcClient(url) as rpc:
        head = int(rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        client = str(rpc.call("web3_clientVersion"))
        yield Node(client, rpc, now=max(START, head))
