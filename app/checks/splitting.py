"""splitting: one purchase cut into several, or one firm split into several claimants. Answer: hold."""

import msgspec

from app.checks.outcome import OK, Outcome, hold
from app.policies.checks import SplittingCheck

DAY_S = 86_400
BPS = 10_000
LIKE_BPS = 1_000
"""Agreements whose values differ by less than this share are parts of one purchase in equal pieces."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement with the same supplier, of the buyer or of a firm with the same controller.

    Attributes:
        key: Keyed digest of its number, hex.
        buyer: Registry id, hex.
    """

    key: str
    buyer: str
    signed_at: int
    contract_fen: int


class Splitting(msgspec.Struct, frozen=True, kw_only=True):
    """The agreement that is claimed for, and the others around it."""

    claimed: Agreement
    others: list[Agreement]


def splitting(trade: Splitting, limits: SplittingCheck) -> Outcome:
    """Looks at agreements signed within some days: many alike, several below a threshold, several firms in one hand."""
    claimed = trade.claimed
    by_key = {
        one.key: one for one in trade.others if abs(one.signed_at - claimed.signed_at) <= limits.within_days * DAY_S
    }
    near = [claimed, *(one for key, one in by_key.items() if key != claimed.key)]
    total_fen = sum(one.contract_fen for one in near)
    numbers = {"within_days": limits.within_days, "contracts": len(near), "total_fen": total_fen}
    firms = {one.buyer for one in near}
    if len(firms) > 1:
        return hold(
            "claimants",
            "同一控制方的 {firms} 家企业在 {within_days} 天内与同一供应商签约",
            "{firms} firms of one controller signed with the same supplier within {within_days} days",
            firms=len(firms),
            **numbers,
        )
    threshold = limits.threshold_fen
    if threshold is not None and len(near) > 1 and max(o.contract_fen for o in near) < threshold <= total_fen:
        return hold(
            "below_threshold",
            "{within_days} 天内 {contracts} 份合同各低于 {threshold_fen},合计 {total_fen}",
            "{contracts} contracts within {within_days} days, each below {threshold_fen}, together {total_fen}",
            threshold_fen=threshold,
            **numbers,
        )
    alike = [
        one for one in near if abs(one.contract_fen - claimed.contract_fen) * BPS <= claimed.contract_fen * LIKE_BPS
    ]
    if len(alike) > limits.max_contracts:
        return hold(
            "alike",
            "{within_days} 天内与同一供应商签订 {alike} 份金额相近的合同",
            "{alike} contracts of like value with the same supplier within {within_days} days",
            alike=len(alike),
            **numbers,
        )
    return OK
