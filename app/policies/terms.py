"""The contract terms that a programme of a policy file means (contracts/src/types/Programme.sol, ProgrammeTerms)."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from app.policies.model import NO_CAP, Days, ProgrammePart, RatePart, TierPart
from chain.enums import Basis, ComputeType, Funding, TradeAttributes, TradeKind

CHINA = timezone(timedelta(hours=8), "CST")
RATES = 40
UNSTATED_BUDGET_FEN = 2**48 - 1
"""What stands on chain for a budget that no source states: the most that the contract can hold."""

_BASIS = {"settled": Basis.SETTLED, "rent_incurred": Basis.SETTLED, "contract_value": Basis.CONTRACT}


def day_start(day: date) -> int:
    """First Unix second of a calendar day in China."""
    return int(datetime.combine(day, time(), CHINA).timestamp())


def day_end(day: date) -> int:
    """First Unix second after a calendar day in China."""
    return day_start(day + timedelta(days=1))


def basis_of(programme: ProgrammePart) -> Basis:
    """What the contract applies the rate to."""
    return _BASIS[programme.basis]


def budget_fen(programme: ProgrammePart, index: int) -> int:
    """A budget as it stands on chain."""
    amount = programme.budgets[index].amount_fen
    return UNSTATED_BUDGET_FEN if amount is None else amount


def required_attributes(programme: ProgrammePart) -> TradeAttributes:
    """What the evidence of a trade must carry."""
    attributes = TradeAttributes(0)
    if programme.buyer_paid:
        attributes |= TradeAttributes.BUYER_PAID
    if programme.scope.dispatch:
        attributes |= TradeAttributes.UNIFIED_DISPATCH
    return attributes


def rate_places(rate: RatePart) -> list[int]:
    """Places of a rate in the contract's table: kind × 8 + compute type × 2 + domestic, as Rules.rateIndex."""
    types = [ComputeType[one.upper()] for one in rate.compute_types] if rate.kind == "compute" else list(ComputeType)
    return [
        TradeKind[rate.kind.upper()] * 8 + one * 2 + domestic
        for one in types
        for domestic in (False, True)
        if rate.domestic_chip in (None, domestic)
    ]


def rate_table(tier: TierPart) -> list[int]:
    """Rates in basis points; of two for one product the later counts."""
    table = [0] * RATES
    for rate in tier.rates:
        for place in rate_places(rate):
            table[place] = rate.rate_bps
    return table


def contract_tier(tier: TierPart) -> dict[str, Any]:
    """The tier as the contract takes it."""
    return {
        "name": tier.name.encode().ljust(32, b"\0"),
        "entity": bytes(32),
        "periodCapFen": NO_CAP if tier.period_cap_fen is None else tier.period_cap_fen,
        "totalCapFen": NO_CAP if tier.total_cap_fen is None else tier.total_cap_fen,
        "rateBps": rate_table(tier),
    }


def contract_terms(
    programme: ProgrammePart, *, group: int, policy_hash: bytes, policy_uri: str, approvers: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """The contract's ProgrammeTerms.

    Args:
        group: The policy's.
        policy_hash: keccak256 of the file, 32 bytes.
        approvers: Addresses by stage.
    """
    return {
        "policyHash": policy_hash,
        "policyURI": policy_uri,
        "group": group,
        "funding": Funding[programme.funding.upper()],
        "inTradeOrder": programme.order == "trade_time",
        "tradeBeforeIssue": programme.mode == "after_trade",
        "oneClaimPerContract": programme.one_claim_per_contract,
        "suppliersListed": programme.scope.suppliers == "listed",
        "platformsListed": programme.scope.platforms is not None,
        "basis": basis_of(programme),
        "supportCeilingBps": programme.support_ceiling_bps,
        "challengeSeconds": programme.challenge_seconds,
        "minTradeFen": programme.min_trade_fen,
        "requiredAttributes": int(required_attributes(programme)),
        "contractsFrom": day_start(programme.window.contracts.first),
        "contractsTo": day_end(programme.window.contracts.last) - 1,
        "claimsUntil": day_end(programme.window.claims_until) - 1,
        "regions": [int(region) for region in programme.scope.regions],
        "budgetsFen": [budget_fen(programme, index) for index in range(len(programme.budgets))],
        "periods": [_period(period, period.budget) for period in programme.periods],
        "tiers": [contract_tier(tier) for tier in programme.tiers],
        "stages": [
            {"name": stage.name.encode().ljust(32, b"\0"), "required": stage.required, "approvers": list(accounts)}
            for stage, accounts in zip(programme.stages, approvers, strict=True)
        ],
    }


def _period(days: Days, budget: int) -> dict[str, int]:
    return {"startsAt": day_start(days.first), "endsAt": day_end(days.last), "budget": budget}
