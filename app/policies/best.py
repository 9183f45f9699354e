"""The best of several policies for one trade: one trade is subsidised once, by the one that gives most (就高不重复)."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from app.policies.compiled import CompiledPolicy
from app.policies.question import Question
from app.policies.quote import Quotation, quote
from app.policies.wording import reason, yuan

ALL = "all"


class Choice(NamedTuple):
    """The best answer, and those of all other policies, best first."""

    best: Quotation
    runners_up: tuple[Quotation, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form: the best, with `runners_up`."""
        return {**self.best.to_dict(), "runners_up": [one.to_dict() for one in self.runners_up]}


def best_of(policies: Iterable[CompiledPolicy], question: Question) -> Choice:
    """Which policy gives most, and why.

    Policies that cannot be decided are named in the reasons. Where no policy pays, the answer is that of none: `policy`
    is "all", `version` null.
    """
    answers = sorted((quote(one, question) for one in policies), key=_rank)
    paying = [one for one in answers if one.subsidy_fen]
    undecided = [one.policy for one in answers if one.eligible is None or one.subsidy_fen is None]
    doubt = [reason("undecided", others=", ".join(undecided))] if undecided else []
    if not paying:
        eligible, subsidy_fen = (None, None) if undecided else (False, 0)
        why = [*doubt] if undecided else [reason("no_policy")]
        return Choice(Quotation(ALL, None, eligible, None, None, subsidy_fen, None, tuple(why)), tuple(answers))
    best, *others = answers
    following = [f"{one.policy} {yuan(one.subsidy_fen or 0)}" for one in paying[1:]]
    why = [
        reason(
            "higher_policy", policy=best.policy, subsidy=yuan(best.subsidy_fen or 0), next=", ".join(following) or "-"
        )
    ]
    return Choice(best._replace(reasons=(*why, *best.reasons, *doubt)), tuple(others))


def _rank(answer: Quotation) -> tuple[int, int, str]:
    """Paying ones by amount, then the undecided, then the others."""
    if answer.subsidy_fen:
        return (0, -answer.subsidy_fen, answer.policy)
    return (1 if answer.eligible is None or answer.subsidy_fen is None else 2, 0, answer.policy)
