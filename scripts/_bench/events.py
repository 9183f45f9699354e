"""A chain with as many events as wanted: a tenth vouchers, six tenths redemptions, three tenths write-offs.

Every call is a batch, as the gateway sends them; a block holds forty to a hundred events.
"""

from collections.abc import Callable
from typing import Any

from chain.claims import batch_args
from chain.enums import Funding, Role
from scripts._bench.ledger import HOLDERS, TREE, Ledger, digest
from scripts._bench.node import Node

_ORDERS, _CLAIMS, _PAYMENTS = 40, 50, 100


def make_events(node: Node, wanted: int, progress: Callable[[int], None]) -> tuple[Ledger, int]:
    """A deployment with about `wanted` events, Transfer and Locked not counted, and 64 blocks on top.

    Args:
        progress: told the events so far.

    Returns:
        The deployment and its first block.
    """
    first_block = int(node.rpc.call("eth_blockNumber"), 16) + 1
    ledger = Ledger(node)
    programme = ledger.programme(Funding.RESERVED_AT_ISSUE)
    made = 0
    vouchers: list[int] = []
    while len(vouchers) < wanted // 10:
        count = min(_ORDERS, wanted // 10 - len(vouchers))
        orders = [ledger.order(programme, (len(vouchers) + place) % HOLDERS, period=0) for place in range(count)]
        ledger.send(Role.OPERATOR, "VoucherLedger", "issueMany", orders)
        vouchers += [order["voucherId"] for order in orders]
        progress(made := len(vouchers))
    redemptions: list[dict[str, Any]] = []
    while len(redemptions) < wanted * 6 // 10:
        count = min(TREE, wanted * 6 // 10 - len(redemptions))
        places = [(len(redemptions) + place) % len(vouchers) for place in range(count)]
        trades = ledger.trades([place % HOLDERS for place in places])
        claims = ledger.claims([vouchers[place] for place in places], trades)
        for start in range(0, count, _CLAIMS):
            receipt, _ = ledger.send(
                Role.RELAYER, "VoucherLedger", "redeemMany", *batch_args(claims[start : start + _CLAIMS])
            )
            redemptions += ledger.redemptions(receipt)
            progress(made := len(vouchers) + len(redemptions))
    paid = wanted - made
    for start in range(0, paid, _PAYMENTS):
        part = redemptions[start : min(start + _PAYMENTS, paid)]
        ledger.send(Role.FINANCE, "VoucherLedger", "writeOff", part, digest(f"payment {start}"))
        progress(made + start + len(part))
    node.rpc.call("anvil_mine", "0x40")
    return ledger, first_block
