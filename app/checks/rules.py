"""The checks by their codes, each with its version: what a decision names, so that it can be made again.

A check whose answer changes for the same inputs gets a new version beside the old one; both stay.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from app.checks.circular import Circular, circular
from app.checks.cross_region import CrossRegion, cross_region
from app.checks.dates import Dates, dates
from app.checks.gap import Gap, gap
from app.checks.once import SameTrade, Stacking, same_trade, stacking
from app.checks.outcome import Outcome
from app.checks.paid import Paid, paid
from app.checks.parties import RelatedParty, Standing, related_party, standing
from app.checks.plausible import Plausible, plausible
from app.checks.price_fair import PriceFair, price_fair
from app.checks.scope_match import ScopeMatch, scope_match
from app.checks.splitting import Splitting, splitting
from app.checks.trade_real import TradeReal, trade_real
from app.policies.checks import Checks


@dataclass(frozen=True)
class Rule:
    """A version of a check.

    Attributes:
        code: As in domain.md.
        inputs: Type of its inputs.
        decide: The check.
    """

    code: str
    version: int
    inputs: type[msgspec.Struct]
    decide: Callable[[Any, Any], Outcome]

    @property
    def setting(self) -> str:
        """Its name in a policy file."""
        return self.code.replace("-", "_")


RULES = (
    Rule("standing", 1, Standing, standing),
    Rule("related-party", 1, RelatedParty, related_party),
    Rule("scope-match", 1, ScopeMatch, scope_match),
    Rule("dates", 1, Dates, dates),
    Rule("same-trade", 1, SameTrade, same_trade),
    Rule("trade-real", 1, TradeReal, trade_real),
    Rule("cross-region", 1, CrossRegion, cross_region),
    Rule("price-fair", 1, PriceFair, price_fair),
    Rule("splitting", 1, Splitting, splitting),
    Rule("paid", 1, Paid, paid),
    Rule("plausible", 1, Plausible, plausible),
    Rule("gap", 1, Gap, gap),
    Rule("circular", 1, Circular, circular),
    Rule("stacking", 1, Stacking, stacking),
)
"""All versions, a check's newest last; in the order in which they are told."""
NEWEST = {rule.code: rule for rule in RULES}
BY_VERSION = {(rule.code, rule.version): rule for rule in RULES}
CODES = tuple(NEWEST)


def decide(rule: Rule, inputs: Any, settings: Checks) -> Outcome | None:
    """The outcome of a check; None where the policy turned it off.

    Args:
        inputs: Of the rule's type, or as JSON gives it.
    """
    limits = getattr(settings, rule.setting)
    if not limits.on:
        return None
    return rule.decide(msgspec.convert(inputs, rule.inputs), limits)
