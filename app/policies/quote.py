"""The one decision: what a trade is subsidised with under a policy, or why not, or what must be known to tell.

    conditions and scope (findings) ─► tiers that fit, the one that gives most (就高) ─► ⌊basis × rate⌋, cut by limits

It is pure: no clock, no file, no chain, whole numbers only. It gives what the contract pays for a claim on a voucher of
the tier that it names, issued for as much as the limits leave; tests/policies holds the two against each other.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.policies.compiled import (
    COMPUTE_TYPES,
    CompiledPeriod,
    CompiledPolicy,
    CompiledProgramme,
    CompiledTier,
    products,
)
from app.policies.conditions import Facts
from app.policies.facts import facts_of
from app.policies.findings import Findings, look
from app.policies.model import ProgrammePart
from app.policies.question import NOTHING_USED, Question, Used
from app.policies.wording import BASIS_EN, BASIS_ZH, Reason, percent, reason, unknown, yuan
from app.programmes.amount import share, tightest
from chain.enums import Limit

_FOREVER_FEN = 2**63


class Quotation(NamedTuple):
    """The answer.

    Attributes:
        policy: id of the policy.
        version: of the policy; None where no policy pays.
        eligible: False if any rule refuses, whatever else is not known; None if it hangs on what is not known.
        tier: name of the tier that counts; None if none does, or it is not known which.
        rate_bps: rate that is applied.
        subsidy_fen: 0 where nothing is paid; None where it is not known.
        limited_by: what cut it below ⌊basis × rate⌋: support_ceiling, period_cap, total_cap or budget.
        reasons: why, most weighty first.
    """

    policy: str
    version: int | None
    eligible: bool | None
    tier: str | None
    rate_bps: int | None
    subsidy_fen: int | None
    limited_by: str | None
    reasons: tuple[Reason, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {**self._asdict(), "reasons": [one._asdict() for one in self.reasons]}


class _Candidate(NamedTuple):
    """A tier that fits, or may fit.

    Attributes:
        belongs: whether the claimant is of the tier; None if not known.
        rates_bps: rates that what was bought may have; several where that is not known.
        amount_fen: the most that the tier can give; None if the amounts are not known.
        limit: what cut it.
        room: each limit and what is left of it; empty if the amounts are not known.
    """

    tier: CompiledTier
    belongs: bool | None
    rates_bps: frozenset[int]
    amount_fen: int | None
    limit: Limit
    room: Mapping[Limit, tuple[int, int]]

    @property
    def certain(self) -> bool:
        """Whether tier and rate are known."""
        return self.belongs is True and len(self.rates_bps) == 1

    @property
    def rate_bps(self) -> int:
        """The rate, or the highest that may be."""
        return max(self.rates_bps)

    @property
    def rank(self) -> tuple[int, int, int]:
        """More is better: amount, then rate, then caps."""
        part = self.tier.part
        caps = min(part.period_cap_fen or _FOREVER_FEN, part.total_cap_fen or _FOREVER_FEN)
        return (self.amount_fen or 0, self.rate_bps, caps)


def quote(policy: CompiledPolicy, question: Question, only: str | None = None) -> Quotation:
    """What the trade is subsidised with under the policy.

    A policy of several programmes answers by the one that gives most; programmes for other kinds of trade keep silent.

    Args:
        only: The one programme to ask, by its name; all by default.
    """
    facts = facts_of(policy.fields, question)
    kind = question.trade.kind
    asked = [one for one in policy.programmes if only in (None, one.part.name)]
    meant = [one for one in asked if kind is None or kind in one.kinds] or asked
    answers = [_Decision(policy, programme, question, facts).quotation() for programme in meant]
    best = max(answers, key=lambda one: (one.eligible is True, one.eligible is None, one.subsidy_fen or 0))
    if len(answers) > 1 and best.eligible:
        open_ones = [str(one.part.name) for one, its in zip(meant, answers, strict=True) if its.subsidy_fen is None]
        if open_ones and best.subsidy_fen is not None:
            return best._replace(reasons=(*best.reasons, reason("undecided", others=", ".join(open_ones))))
    return best


class _Decision:
    """One programme's answer to one question."""

    def __init__(
        self,
        policy: CompiledPolicy,
        programme: CompiledProgramme,
        question: Question,
        facts: Facts,
    ) -> None:
        self._policy = policy.policy
        self._programme = programme
        self._part: ProgrammePart = programme.part
        self._question = question
        self._used: Used = question.used or NOTHING_USED
        self._facts = facts
        self._found: Findings = look(programme, question, facts)
        trade = question.trade
        self._basis_field = "contract_fen" if self._part.basis == "contract_value" else "settled_fen"
        self._basis_fen: int | None = getattr(trade, self._basis_field)

    def quotation(self) -> Quotation:
        """The answer."""
        found, candidates = self._found, self._candidates()
        if not candidates and not any(one.code == "kind_out_of_scope" for one in found.refusals):
            found.refusals.append(self._no_tier)
        if found.refusals:
            return self._answer(eligible=False, subsidy_fen=0, reasons=found.refusals)
        surely = any(one.belongs and 0 not in one.rates_bps for one in candidates)
        eligible = True if surely and not found.missing else None
        fitting = [one for one in candidates if one.certain]
        best = max(fitting, key=lambda one: one.rank, default=None)
        for one in candidates:
            self._note_doubt(one, best)
        if found.missing or best is None:
            # A tier is named only if it is the only one that can be.
            only = best if len(candidates) == 1 else None
            unknowns = [unknown(name) for name in found.missing]
            return self._answer(
                eligible=eligible, subsidy_fen=None, reasons=[*unknowns, *self._agreement_notes()], tier=only
            )
        return self._answer(
            eligible=True,
            tier=best,
            subsidy_fen=best.amount_fen,
            limited_by=None if best.limit == Limit.NONE else best.limit.name.lower(),
            reasons=self._explained(best, fitting),
        )

    # Tiers

    def _candidates(self) -> list[_Candidate]:
        """Tiers that fit and cover what was bought, or may do so."""
        trade, agreed = self._question.trade, self._agreed_bps()
        possible = products(trade.kind, trade.compute_type, trade.domestic_chip)
        found = []
        self._no_tier = reason("no_tier")
        for tier in self._programme.tiers:
            belongs = tier.when.holds(self._facts)
            if belongs is False:
                continue
            rates = frozenset(tier.rates_of(possible, agreed))
            if rates == {0}:
                self._no_tier = reason("product_out_of_scope")
            else:
                found.append(self._candidate(tier, belongs, rates))
        return found

    def _candidate(self, tier: CompiledTier, belongs: bool | None, rates: frozenset[int]) -> _Candidate:
        period = self._found.period
        if period is None or self._missing_amounts(tier, period):
            return _Candidate(tier, belongs, rates, None, Limit.NONE, {})
        room = self._room(tier, max(rates), period)
        amount_fen, limit = tightest({limit: left for limit, (_, left) in room.items()})
        return _Candidate(tier, belongs, rates, amount_fen, limit, room)

    def _note_doubt(self, one: _Candidate, best: _Candidate | None) -> None:
        """Notes what is not known of a tier, if the answer depends on it: it could give more than the best."""
        enough = None if best is None else best.amount_fen
        if enough is not None and one.amount_fen is not None and one.amount_fen <= enough:
            return
        if one.belongs is None:
            self._found.miss_of(one.tier.when, self._facts)
        if len(one.rates_bps) > 1:
            self._miss_product(one.tier)
        self._found.miss(*self._missing_amounts(one.tier, self._found.period))

    def _miss_product(self, tier: CompiledTier) -> None:
        """Notes which of type and chip the tier's rate hangs on."""
        trade, agreed = self._question.trade, self._agreed_bps()
        if trade.kind is None:
            return
        types = COMPUTE_TYPES if trade.compute_type is None else (trade.compute_type,)
        chips = (False, True) if trade.domestic_chip is None else (trade.domestic_chip,)
        by_type = [products(trade.kind, trade.compute_type, chip) for chip in chips]
        by_chip = [products(trade.kind, one, trade.domestic_chip) for one in types]
        for name, choices in (("trade.compute_type", by_type), ("trade.domestic_chip", by_chip)):
            if any(len(tier.rates_of(places, agreed)) > 1 for places in choices):
                self._found.miss(name)

    def _agreed_bps(self) -> int | None:
        """Rate of the separate agreement, where the policy knows of any."""
        agreed = self._question.claimant.agreement_rate_bps
        if self._part.agreements is None or agreed is None:
            return None
        return min(agreed, self._part.agreements.max_rate_bps)

    # Amounts

    def _missing_amounts(self, tier: CompiledTier, period: CompiledPeriod | None) -> list[str]:
        """What is not known of all that the amount depends on."""
        used, trade, part = self._used, self._question.trade, tier.part
        asked = (
            (f"trade.{self._basis_field}", self._basis_fen, True),
            ("trade.other_support_fen", trade.other_support_fen, True),
            ("used.entity_period_fen", used.entity_period_fen, part.period_cap_fen is not None),
            ("used.entity_total_fen", used.entity_total_fen, part.total_cap_fen is not None),
            (
                "used.programme_period_fen",
                used.programme_period_fen,
                period is not None and period.budget_fen is not None,
            ),
        )
        return [name for name, value, needed in asked if needed and value is None]

    def _room(self, tier: CompiledTier, rate_bps: int, period: CompiledPeriod) -> dict[Limit, tuple[int, int]]:
        """Each limit, and what is left of it; nothing is missing."""
        basis, used, part = self._basis_fen or 0, self._used, tier.part
        ceiling = share(basis, self._part.support_ceiling_bps)
        room = {
            Limit.NONE: (basis, share(basis, rate_bps)),
            Limit.SUPPORT_CEILING: (ceiling, ceiling - (self._question.trade.other_support_fen or 0)),
        }
        for limit, cap, taken in (
            (Limit.PERIOD_CAP, part.period_cap_fen, used.entity_period_fen),
            (Limit.TOTAL_CAP, part.total_cap_fen, used.entity_total_fen),
            (Limit.BUDGET, period.budget_fen, used.programme_period_fen),
        ):
            if cap is not None:
                room[limit] = (cap, cap - (taken or 0))
        return room

    # Words

    def _explained(self, best: _Candidate, fitting: Sequence[_Candidate]) -> list[Reason]:
        basis, part, room = self._basis_fen or 0, best.tier.part, best.room
        reasons = [
            reason(
                "tier",
                title_zh=part.title.zh,
                title_en=part.title.en,
                basis_zh=BASIS_ZH[self._part.basis],
                basis_en=BASIS_EN[self._part.basis],
                basis=yuan(basis),
                rate=percent(best.rate_bps),
                share=yuan(room[Limit.NONE][1]),
            )
        ]
        if best.limit != Limit.NONE:
            whole, left = room[best.limit]
            name = best.limit.name.lower()
            key = {"support_ceiling": "ceiling"}.get(name, "cap")
            reasons.append(reason(f"limited_by_{name}", **{key: yuan(whole), "left": yuan(max(left, 0))}))
        if best.amount_fen == 0:
            reasons.append(reason("nothing_to_pay"))
        if len(fitting) > 1:
            reasons.append(
                reason("higher_tier", tiers=", ".join(one.tier.part.name for one in fitting), tier=part.name)
            )
        if self._question.used is None:
            reasons.append(reason("used_not_given"))
        return reasons + self._agreement_notes()

    def _agreement_notes(self) -> list[Reason]:
        """What became of a separate agreement."""
        agreed, applied = self._question.claimant.agreement_rate_bps, self._agreed_bps()
        if self._part.agreements is None:
            return [] if agreed is None else [reason("agreement_not_provided")]
        if agreed is None:
            given = "agreement_rate_bps" in self._question.claimant.model_fields_set
            return [] if given else [reason("agreement_not_presented")]
        if applied != agreed:
            return [reason("agreement_cut", agreed=percent(agreed), rate=percent(applied or 0))]
        return [reason("agreement", rate=percent(agreed))]

    def _answer(
        self,
        *,
        eligible: bool | None,
        subsidy_fen: int | None,
        reasons: Sequence[Reason],
        tier: _Candidate | None = None,
        limited_by: str | None = None,
    ) -> Quotation:
        return Quotation(
            policy=self._policy.policy,
            version=self._policy.version,
            eligible=eligible,
            tier=None if tier is None else tier.tier.part.name,
            rate_bps=None if tier is None else tier.rate_bps,
            subsidy_fen=subsidy_fen,
            limited_by=limited_by,
            reasons=tuple(reasons),
        )
