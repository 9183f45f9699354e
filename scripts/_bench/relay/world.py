"""Redemptions that are ready to be sent, on a node that is as it was before each side begins."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eth_hash.auto import keccak

from chain.contracts import Contracts, encode_call
from chain.enums import Funding, Role
from chain.keys import LocalSigner
from chain.rpc import RpcClient
from scripts._anvil import Anvil
from scripts._bench.ledger import HOLDERS, REDEEMED_FEN, TREE, Ledger
from scripts._bench.node import FAUCET, Node

_ETHER = 10**18
_HOUR = 3_600
_VOUCHERS_AT_ONCE = 10


@dataclass(frozen=True)
class World:
    """A deployment at rest.

    Attributes:
        state: what anvil loads.
        keys: private keys that may redeem.
        calls: one redemption each; they may be sent in any order.
    """

    state: Path
    contracts: Contracts
    keys: list[bytes]
    calls: list[bytes]

    @contextmanager
    def node(self) -> Iterator[Anvil]:
        """A node on which nothing is redeemed yet."""
        with Anvil("--load-state", str(self.state)) as anvil:
            yield anvil

    def check(self, rpc: RpcClient) -> None:
        """Raises AssertionError unless each call was a redemption."""
        budget, _ = self.contracts.read(rpc, "VoucherLedger", "budget", [1, 0])
        redeemed = budget["redeemedFen"] / REDEEMED_FEN
        if redeemed != len(self.calls):
            raise AssertionError(f"{redeemed:g} of {len(self.calls)} calls redeemed")


@contextmanager
def prepared(count: int, signers: int) -> Iterator[World]:
    """A world with so many calls and keys, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="suanquan-bench-") as folder:
        state = Path(folder) / "state.json"
        # Preparing moves the node's time on: trades must lie in the past when they are redeemed.
        then = int(time.time()) - _HOUR
        with Anvil("--state", str(state), "--timestamp", str(then)) as anvil, RpcClient(anvil.url) as rpc:
            ledger = Ledger(Node("anvil", rpc, now=then))
            keys = [keccak(b"suanquan/bench/relayer/%d" % number) for number in range(signers)]
            for key in keys:
                _admit(ledger, LocalSigner(key).address)
            calls = _calls(ledger, count)
        yield World(state, ledger.contracts, keys, calls)


def _admit(ledger: Ledger, address: str) -> None:
    grant = encode_call("EntityRegistry", "grantRole", [Role.RELAYER.value, address])
    ledger.node.send(ledger.node.signer("admin"), to=ledger.contracts.registry, data=grant)
    ledger.node.send(FAUCET, to=address, value=100 * _ETHER)


def _calls(ledger: Ledger, count: int) -> list[bytes]:
    programme = ledger.programme(Funding.FIRST_COME)
    orders = [ledger.order(programme, holder) for holder in range(HOLDERS)]
    for place in range(0, HOLDERS, _VOUCHERS_AT_ONCE):
        ledger.send(Role.OPERATOR, "VoucherLedger", "issueMany", orders[place : place + _VOUCHERS_AT_ONCE])
    vouchers = [order["voucherId"] for order in orders]
    calls: list[bytes] = []
    while len(calls) < count:
        holders = [place % HOLDERS for place in range(min(TREE, count - len(calls)))]
        claims = ledger.claims([vouchers[holder] for holder in holders], ledger.trades(holders))
        calls += [encode_call("VoucherLedger", "redeem", [claim]) for claim in claims]
    return calls
