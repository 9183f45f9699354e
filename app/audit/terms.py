"""Terms as the contract takes them, in the words of the rules of redemption."""

from collections.abc import Mapping
from typing import Any

from app.programmes.facts import Period, Product, Terms, Tier
from chain.enums import NO_CAP, Basis, ComputeType, Funding, TradeAttributes, TradeKind


def facts_of(terms: Mapping[str, Any]) -> Terms:
    """The rules that a programme of these ProgrammeTerms has."""
    return Terms(
        group=terms["group"],
        funding=Funding(terms["funding"]),
        periods=tuple(Period(one["startsAt"], one["endsAt"], one["budget"]) for one in terms["periods"]),
        claims_until=terms["claimsUntil"],
        in_trade_order=terms["inTradeOrder"],
        trade_before_issue=terms["tradeBeforeIssue"],
        one_claim_per_contract=terms["oneClaimPerContract"],
        suppliers_listed=terms["suppliersListed"],
        platforms_listed=terms["platformsListed"],
        basis=Basis(terms["basis"]),
        support_ceiling_bps=terms["supportCeilingBps"],
        min_trade_fen=terms["minTradeFen"],
        required_attributes=TradeAttributes(terms["requiredAttributes"]),
        contracts_from=terms["contractsFrom"],
        contracts_to=terms["contractsTo"],
        regions=frozenset(terms["regions"]),
    )


def tier_of(tier: Mapping[str, Any]) -> Tier:
    """A tier's rates and caps; the place of a rate is kind × 8 + compute type × 2 + domestic (Rules.rateIndex)."""
    rates = {
        Product(TradeKind(place // 8), ComputeType(place % 8 // 2), place % 2 == 1): rate
        for place, rate in enumerate(tier["rateBps"])
        if rate
    }
    return Tier(rates, _cap(tier["periodCapFen"]), _cap(tier["totalCapFen"]))


def _cap(fen: int) -> int | None:
    return None if fen == NO_CAP else fen
