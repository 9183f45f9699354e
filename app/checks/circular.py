"""circular: orders that run in a circle among organisations, and bursts of identical orders. Answer: hold."""

import msgspec
import networkx as nx

from app.checks.outcome import OK, Outcome, hold
from app.policies.checks import CircularCheck

BPS = 10_000


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer bought of a supplier within the window; both by controller where they have one, else by id, hex."""

    buyer: str
    supplier: str
    settled_fen: int


class Circular(msgspec.Struct, frozen=True, kw_only=True):
    """A trade and what its supplier bought, and their suppliers, and so on.

    Attributes:
        like_orders: Orders of the same pair and amount within an hour around it, itself counted.
    """

    buyer: str
    supplier: str
    settled_fen: int
    flows: list[Flow]
    like_orders: int = 1


def circular(trade: Circular, limits: CircularCheck) -> Outcome:
    """Whether a fair share of what the buyer pays can come back to it through others."""
    least_fen = trade.settled_fen * limits.min_return_bps // BPS
    graph = nx.DiGraph(
        (flow.buyer, flow.supplier)
        for flow in trade.flows
        if flow.settled_fen >= least_fen and flow.buyer != flow.supplier
    )
    if trade.supplier in graph and trade.buyer in graph:
        ways = nx.single_source_shortest_path(graph, trade.supplier, cutoff=limits.max_length - 1)
        way = ways.get(trade.buyer)
        if way is not None:
            return hold(
                "circle",
                "资金经 {length} 家机构回流至买方",
                "The money comes back to the buyer in a circle of {length} organisations",
                length=len(way),
                circle=[trade.buyer, *way[:-1]],
                least_fen=least_fen,
            )
    if trade.like_orders >= limits.burst_orders:
        return hold(
            "burst",
            "一小时内有 {like_orders} 笔相同订单",
            "{like_orders} identical orders within an hour",
            like_orders=trade.like_orders,
        )
    return OK
