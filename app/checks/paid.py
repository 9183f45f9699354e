"""paid: the buyer has paid its own share; a refund after payment reopens the claim. Answer: hold."""

import msgspec

from app.checks.outcome import OK, Outcome, hold
from app.policies.checks import Check


class Paid(msgspec.Struct, frozen=True, kw_only=True):
    """What the buyer paid and got back.

    Attributes:
        buyer_paid: What the platform signed.
        own_share_fen: Amount settled less the subsidy by the rate.
        paid_fen: Null where not stated.
        refunded_fen: By the record itself and by all that correct it.
        corrections: Evidence ids of these.
    """

    buyer_paid: bool
    own_share_fen: int
    paid_fen: int | None
    refunded_fen: int = 0
    corrections: list[str] = []


def paid(trade: Paid, _limits: Check) -> Outcome:
    """A corrected trade is held whatever the amount: what was claimed is not what stands now."""
    if trade.refunded_fen or trade.corrections:
        return hold(
            "refunded",
            "付款后退款 {refunded_fen},更正记录 {count} 条",
            "{refunded_fen} was refunded after payment; {count} records correct the trade",
            refunded_fen=trade.refunded_fen,
            count=len(trade.corrections),
            corrections=trade.corrections,
        )
    if not trade.buyer_paid or (trade.paid_fen is not None and trade.paid_fen < trade.own_share_fen):
        return hold(
            "own_share",
            "买方应自付 {own_share_fen},已付 {paid_fen}",
            "The buyer's own share is {own_share_fen}; paid was {paid_fen}",
            own_share_fen=trade.own_share_fen,
            paid_fen=trade.paid_fen,
            buyer_paid=trade.buyer_paid,
        )
    return OK
