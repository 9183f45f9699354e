"""A policy against past trades: who gains, what it costs, when the money is used up. Pure, as its quotations are.

Trades are gone through in order of trade time, each quoted with what was paid before; so caps and budgets bind as they
would have. Of a policy of several programmes each trade is paid by the one that gives most.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.policies.compiled import CompiledPolicy, CompiledProgramme
from app.policies.question import Question, Used
from app.policies.quote import Quotation, quote
from app.policies.terms import CHINA

UNKNOWN = "unknown."
NOBODY = "-"
BUDGET = "budget"


@dataclass(slots=True)
class BudgetUse:
    """What a budget of a programme paid.

    Attributes:
        budget_fen: None where no source states one.
        exhausted_at: Trade time of the first trade that was paid in part or not at all as the budget was used up.
        unpaid_fen: What trades would have got beside, had there been enough.
    """

    programme: str
    index: int
    budget_fen: int | None
    paid_fen: int = 0
    exhausted_at: int | None = None
    unpaid_fen: int = 0


@dataclass(slots=True)
class Simulation:
    """What a policy would have paid.

    Attributes:
        trades: Those that were looked at; of them `paid`, `refused` and `undecided`.
        by_claimant: Fen by USCC, of those who get anything.
        by_tier: Fen and claimants by tier.
        by_month: Fen by month of trade in China, 2026-03.
        refusals: Trades by the first reason why they are not paid.
        missing: Trades by a field that is not known and without which there is no answer.
    """

    policy: str
    version: int
    trades: int = 0
    paid: int = 0
    refused: int = 0
    undecided: int = 0
    cost_fen: int = 0
    budgets: list[BudgetUse] = field(default_factory=list)
    by_claimant: Counter[str] = field(default_factory=Counter)
    by_tier: Counter[str] = field(default_factory=Counter)
    tier_claimants: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    by_month: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            **{name: getattr(self, name) for name in ("policy", "version", "trades", "paid", "refused", "undecided")},
            "cost_fen": self.cost_fen,
            "budgets": [{name: getattr(one, name) for name in BudgetUse.__slots__} for one in self.budgets],
            "by_claimant": dict(self.by_claimant.most_common()),
            "by_tier": {
                name: {"paid_fen": fen, "claimants": len(self.tier_claimants[name])}
                for name, fen in self.by_tier.most_common()
            },
            "by_month": dict(sorted(self.by_month.items())),
            "refusals": dict(self.refusals.most_common()),
            "missing": dict(self.missing.most_common()),
        }


def in_order(questions: Iterable[Question]) -> list[Question]:
    """Trades in order of trade time, those without one last."""
    return sorted(questions, key=lambda one: (one.trade.traded_at is None, one.trade.traded_at or 0))


def simulate(policy: CompiledPolicy, questions: Sequence[Question]) -> Simulation:
    """What the policy would have paid for the trades.

    Args:
        questions: In order of trade time; what they say was used before is not looked at.
    """
    result = Simulation(policy.policy.policy, policy.policy.version)
    ledgers = [Ledger(programme) for programme in policy.programmes]
    for question in questions:
        kind = question.trade.kind
        meant = [one for one in ledgers if kind is None or kind in one.programme.kinds] or ledgers
        answers = [(ledger, ledger.quote(policy, question)) for ledger in meant]
        ledger, best = max(answers, key=lambda one: (one[1].subsidy_fen or 0, one[1].eligible is True))
        result.trades += 1
        who, at = question.claimant.uscc or NOBODY, question.trade.traded_at
        if best.limited_by == BUDGET and at is not None:
            ledger.cut(policy, question, best)
        if best.subsidy_fen:
            result.paid += 1
            result.cost_fen += best.subsidy_fen
            result.by_claimant[who] += best.subsidy_fen
            result.by_tier[str(best.tier)] += best.subsidy_fen
            result.tier_claimants[str(best.tier)].add(who)
            if at is not None:
                result.by_month[datetime.fromtimestamp(at, CHINA).strftime("%Y-%m")] += best.subsidy_fen
            ledger.pay(question, best.subsidy_fen)
        elif best.subsidy_fen is None:
            result.undecided += 1
            result.missing.update(_unknown(best))
        else:
            result.refused += 1
            result.refusals[_why_nothing(best)] += 1
    result.budgets = [use for ledger in ledgers for use in ledger.uses]
    return result


def _why_nothing(answer: Quotation) -> str:
    if answer.limited_by:
        return f"limited_by_{answer.limited_by}"
    return "nothing_to_pay" if answer.eligible else answer.reasons[0].code


def _unknown(answer: Quotation) -> list[str]:
    return [one.code.removeprefix(UNKNOWN) for one in answer.reasons if one.code.startswith(UNKNOWN)]


class Ledger:
    """What one programme paid so far."""

    def __init__(self, programme: CompiledProgramme) -> None:
        self.programme = programme
        part = programme.part
        self.uses = [BudgetUse(part.name, index, one.amount_fen) for index, one in enumerate(part.budgets)]
        self._total: Counter[str] = Counter()
        self._period: Counter[tuple[str, int]] = Counter()

    def quote(self, policy: CompiledPolicy, question: Question, *, spent: bool = True) -> Quotation:
        """The answer after all that was paid; with `spent` false as if nothing had been taken from the budget."""
        who, place = question.claimant.uscc or NOBODY, self._place(question)
        budget = 0 if place is None or not spent else self.uses[self._budget(place)].paid_fen
        used = Used(
            entity_period_fen=0 if place is None else self._period[who, place],
            entity_total_fen=self._total[who],
            programme_period_fen=budget,
        )
        return quote(policy, question.model_copy(update={"used": used}), only=self.programme.part.name)

    def cut(self, policy: CompiledPolicy, question: Question, answer: Quotation) -> None:
        """Notes that the budget was not enough for a trade."""
        place = self._place(question)
        if place is None:
            return
        use = self.uses[self._budget(place)]
        use.exhausted_at = question.trade.traded_at if use.exhausted_at is None else use.exhausted_at
        whole = self.quote(policy, question, spent=False)
        use.unpaid_fen += (whole.subsidy_fen or 0) - (answer.subsidy_fen or 0)

    def pay(self, question: Question, fen: int) -> None:
        """Notes a payment."""
        who, place = question.claimant.uscc or NOBODY, self._place(question)
        self._total[who] += fen
        if place is not None:
            self._period[who, place] += fen
            self.uses[self._budget(place)].paid_fen += fen

    def _place(self, question: Question) -> int | None:
        at = question.trade.traded_at
        period = None if at is None else self.programme.period_of(at)
        return None if period is None else self.programme.periods.index(period)

    def _budget(self, place: int) -> int:
        return self.programme.part.periods[place].budget
