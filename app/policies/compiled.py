"""A policy file made ready for many quotations: conditions parsed, rates in tables, days in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from app.policies.conditions import Condition, compile_condition
from app.policies.files import parse
from app.policies.model import Policy, ProgrammePart, Rule, TierPart
from app.policies.terms import RATES, day_end, day_start, rate_places, rate_table
from chain.enums import ComputeType, TradeKind

COMPUTE_TYPES = ("general", "intelligent", "super")


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule of eligibility or exclusion."""

    part: Rule
    when: Condition


@dataclass(frozen=True, slots=True)
class CompiledTier:
    """A tier.

    Attributes:
        rates_bps: by kind × 8 + compute type × 2 + domestic, as in the contract.
        covered: whether the tier names a rate at a place, be it zero; an agreement's rate counts there.
    """

    part: TierPart
    when: Condition
    rates_bps: tuple[int, ...]
    covered: tuple[bool, ...]

    def rates_of(self, products: Sequence[int], agreed_bps: int | None) -> set[int]:
        """Rates that the products can have, 0 for out of scope; one if all have the same.

        Args:
            products: places in the table that the trade may have.
            agreed_bps: rate of a separate agreement, in place of the tier's.
        """
        if agreed_bps is None:
            return {self.rates_bps[place] for place in products}
        return {agreed_bps if self.covered[place] else 0 for place in products}


@dataclass(frozen=True, slots=True)
class CompiledPeriod:
    """A period: first second, first second after it, and its budget in fen, None where none is stated."""

    starts_at: int
    ends_at: int
    budget_fen: int | None


class CompiledProgramme:
    """A programme of a policy."""

    def __init__(self, part: ProgrammePart) -> None:
        self.part = part
        self.kinds = part.kinds
        self.eligible = [CompiledRule(rule, compile_condition(rule.when)) for rule in part.eligible]
        self.excluded = [CompiledRule(rule, compile_condition(rule.when)) for rule in part.excluded]
        self.tiers = [_tier(tier) for tier in part.tiers]
        self.periods = [
            CompiledPeriod(day_start(one.first), day_end(one.last), part.budgets[one.budget].amount_fen)
            for one in part.periods
        ]
        self.contract_days = (part.window.contracts.first.isoformat(), part.window.contracts.last.isoformat())
        self.platforms = None if part.scope.platforms is None else frozenset(part.scope.platforms)
        self.regions = frozenset(part.scope.regions)

    def period_of(self, traded_at: int) -> CompiledPeriod | None:
        """The period in which a trade lies."""
        return next((one for one in self.periods if one.starts_at <= traded_at < one.ends_at), None)


class CompiledPolicy:
    """A policy, ready for quotations."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.programmes = [CompiledProgramme(part) for part in policy.programmes]

    @cached_property
    def fields(self) -> frozenset[str]:
        """What its conditions speak of."""
        conditions = [
            one
            for programme in self.programmes
            for one in (
                *(rule.when for rule in programme.eligible),
                *(rule.when for rule in programme.excluded),
                *(tier.when for tier in programme.tiers),
            )
        ]
        return frozenset(field for condition in conditions for field in condition.fields)


@lru_cache(maxsize=64)
def compiled(content: bytes) -> CompiledPolicy:
    """The policy in a file's bytes.

    Raises:
        PolicyError: see `app.policies.files.parse`.
    """
    return CompiledPolicy(parse(content))


def compiled_programme(content: bytes, name: str) -> CompiledProgramme:
    """A programme of the policy in a file's bytes, by its name.

    Raises:
        PolicyError: see `app.policies.files.parse`.
        KeyError: There is none.
    """
    for one in compiled(content).programmes:
        if one.part.name == name:
            return one
    raise KeyError(name)


@cache
def products(kind: str | None, compute_type: str | None, domestic_chip: bool | None) -> tuple[int, ...]:
    """Places in the table of rates that a trade may have, as far as it is known."""
    kinds = list(TradeKind) if kind is None else [TradeKind[kind.upper()]]
    chips = (False, True) if domestic_chip is None else (domestic_chip,)
    found: list[int] = []
    for one in kinds:
        if one != TradeKind.COMPUTE:
            types: Sequence[str] = ("none",)
        else:
            types = COMPUTE_TYPES if compute_type is None else (compute_type,)
        found += [one * 8 + ComputeType[a_type.upper()] * 2 + chip for a_type in types for chip in chips]
    return tuple(found)


def _tier(part: TierPart) -> CompiledTier:
    covered = [False] * RATES
    for rate in part.rates:
        for place in rate_places(rate):
            covered[place] = True
    return CompiledTier(part, compile_condition(part.when), tuple(rate_table(part)), tuple(covered))
