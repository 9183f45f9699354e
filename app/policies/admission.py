"""Whether an organisation may have a voucher of a programme, and on which tiers: what is told before there is a trade.

Rules that speak of the trade are open then and are not asked; the contract and the quotation ask them later.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.policies.compiled import CompiledProgramme
from app.policies.conditions import Condition
from app.policies.facts import facts_of
from app.policies.findings import Findings
from app.policies.question import Claimant, Question, Trade
from app.policies.wording import Reason, reason


class Admission(NamedTuple):
    """The answer.

    Attributes:
        tiers: Whether the organisation belongs to each tier; None where that is not known.
        refusals: Rules that it breaks; any of them is enough.
        missing: Fields without which a rule or a tier cannot be told.
    """

    tiers: dict[str, bool | None]
    refusals: tuple[Reason, ...]
    missing: tuple[str, ...]

    def admits(self, tier: str) -> bool | None:
        """Whether a voucher may be issued on a tier; None where that is not known."""
        if self.refusals or self.tiers.get(tier) is False:
            return False
        return True if not self.missing and self.tiers.get(tier) else None


def admit(programme: CompiledProgramme, claimant: Claimant, asked_at: int, only: Sequence[str] = ()) -> Admission:
    """Decides.

    Args:
        asked_at: Unix seconds; "this year" of a condition is its year.
        only: Tiers to look at; all by default.
    """
    tiers = [one for one in programme.tiers if not only or one.part.name in only]
    rules = [(rule, True) for rule in programme.eligible] + [(rule, False) for rule in programme.excluded]
    conditions: list[Condition] = [tier.when for tier in tiers] + [rule.when for rule, _ in rules]
    fields = {name for condition in conditions for name in condition.fields}
    facts = facts_of(fields, Question(claimant=claimant, trade=Trade(traded_at=asked_at)))
    found = Findings()
    for code, answer in (("dishonest", claimant.dishonest), ("tax_blacklisted", claimant.tax_blacklisted)):
        if answer is None:
            found.miss(f"claimant.{code}")
        elif answer:
            found.refusals.append(reason(code))
    for rule, wanted in rules:
        if _of_the_trade(rule.when):
            continue
        holds = rule.when.holds(facts)
        if holds is None:
            found.miss_of(rule.when, facts)
        elif holds is not wanted:
            found.refusals.append(Reason(rule.part.code, rule.part.text.zh, rule.part.text.en))
    belongs = {tier.part.name: tier.when.holds(facts) for tier in tiers}
    for tier in tiers:
        if belongs[tier.part.name] is None:
            found.miss_of(tier.when, facts)
    return Admission(belongs, tuple(found.refusals), tuple(found.missing))


def _of_the_trade(condition: Condition) -> bool:
    return any(not name.startswith("claimant.") and name != "trade.year" for name in condition.fields)
