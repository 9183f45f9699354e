"""Whether a trade is in scope, asked rule by rule: what refuses it, and what is not known.

Each rule is one that the contract knows too (contracts/src/VoucherLedger.sol), or a condition of the policy file, which
is decided before a voucher is issued. All are asked, so that a claimant hears of everything at once.
"""

from dataclasses import dataclass, field
from typing import Any

from app.policies.compiled import CompiledPeriod, CompiledProgramme
from app.policies.conditions import Condition, Facts
from app.policies.model import ProgrammePart
from app.policies.question import Claimant, Question, Trade
from app.policies.wording import Reason, reason, yuan

_ASKED_AS = {
    "claimant.settled_in_zone_year": "claimant.settled_in_zone_on",
    "trade.year": "trade.traded_at",
    "supplier.region": "trade.supplier.region",
    "supplier.listed": "trade.supplier.listed",
}


@dataclass(slots=True)
class Findings:
    """What was found.

    Attributes:
        refusals: each alone is enough to pay nothing.
        missing: fields that are not known and matter; keys of a dict, to keep their order.
        period: in which the trade counts.
    """

    refusals: list[Reason] = field(default_factory=list)
    missing: dict[str, None] = field(default_factory=dict)
    period: CompiledPeriod | None = None

    def miss(self, *fields: str) -> None:
        """Note fields that are not known."""
        self.missing.update(dict.fromkeys(fields))

    def demand(self, answer: bool | None, field_name: str, code: str) -> None:
        """A yes-or-no field that must be yes."""
        if answer is None:
            self.miss(field_name)
        elif not answer:
            self.refusals.append(reason(code))

    def miss_of(self, condition: Condition, facts: Facts) -> None:
        """Note what a condition could not be decided without."""
        self.miss(*(_ASKED_AS.get(name, name) for name in condition.fields if name not in facts))


def look(programme: CompiledProgramme, question: Question, facts: Facts) -> Findings:
    """All rules but those of tier and amount.

    Args:
        facts: known fields for conditions.
    """
    found = Findings()
    claimant, trade = question.claimant, question.trade
    _standing(found, claimant)
    _relation(found, claimant, trade)
    _scope(found, programme, trade)
    _terms(found, programme.part, trade)
    _time(found, programme, trade)
    for rule in programme.eligible:
        _rule(found, rule.part.code, rule.when, facts, wanted=True, texts=rule.part.text)
    for rule in programme.excluded:
        _rule(found, rule.part.code, rule.when, facts, wanted=False, texts=rule.part.text)
    return found


def _standing(found: Findings, claimant: Claimant) -> None:
    for code, answer in (("dishonest", claimant.dishonest), ("tax_blacklisted", claimant.tax_blacklisted)):
        if answer is None:
            found.miss(f"claimant.{code}")
        elif answer:
            found.refusals.append(reason(code))


def _relation(found: Findings, claimant: Claimant, trade: Trade) -> None:
    """Unrelated: neither the same organisation nor in one hand. Of two controllers one "none" settles it."""
    supplier = trade.supplier
    if claimant.uscc is not None and claimant.uscc in (supplier.uscc, trade.platform):
        found.refusals.append(reason("related_party"))
        return
    buyer_known = "controller" in claimant.model_fields_set
    supplier_known = "controller" in supplier.model_fields_set
    if buyer_known and supplier_known:
        if claimant.controller is not None and claimant.controller == supplier.controller:
            found.refusals.append(reason("related_party"))
        return
    if not buyer_known and not (supplier_known and supplier.controller is None):
        found.miss("claimant.controller")
    if not supplier_known and not (buyer_known and claimant.controller is None):
        found.miss("trade.supplier.controller")


def _scope(found: Findings, programme: CompiledProgramme, trade: Trade) -> None:
    part = programme.part
    if trade.kind is None:
        found.miss("trade.kind")
    elif trade.kind not in programme.kinds:
        found.refusals.append(reason("kind_out_of_scope", kind=trade.kind))
    if part.scope.suppliers == "listed":
        found.demand(trade.supplier.listed, "trade.supplier.listed", "supplier_not_listed")
    if programme.platforms is not None:
        if "platform" not in trade.model_fields_set:
            found.miss("trade.platform")
        elif trade.platform not in programme.platforms:
            platforms = ", ".join(sorted(programme.platforms))
            found.refusals.append(reason("platform_not_listed", platforms=platforms, platform=trade.platform or "-"))
    if programme.regions:
        _region(found, programme, trade.supplier.region)


def _terms(found: Findings, part: ProgrammePart, trade: Trade) -> None:
    """Paid, at a fair price, and large enough."""
    if part.buyer_paid:
        found.demand(trade.paid, "trade.paid", "not_paid")
    if part.price_fair:
        found.demand(trade.price_fair, "trade.price_fair", "price_not_fair")
    if part.min_trade_fen:
        if trade.settled_fen is None:
            found.miss("trade.settled_fen")
        elif trade.settled_fen < part.min_trade_fen:
            found.refusals.append(reason("below_minimum", least=yuan(part.min_trade_fen)))


def _region(found: Findings, programme: CompiledProgramme, region: str | None) -> None:
    """A district, its city or its province is in scope (GB/T 2260)."""
    if region is None:
        found.miss("trade.supplier.region")
    elif programme.regions.isdisjoint((region, region[:4] + "00", region[:2] + "0000")):
        regions = ", ".join(sorted(programme.regions))
        found.refusals.append(reason("region_out_of_scope", region=region, regions=regions))


def _time(found: Findings, programme: CompiledProgramme, trade: Trade) -> None:
    if trade.traded_at is None:
        found.miss("trade.traded_at")
    else:
        found.period = programme.period_of(trade.traded_at)
        if found.period is None:
            found.refusals.append(reason("outside_periods"))
    first, last = programme.contract_days
    if trade.contract_signed_on is None:
        found.miss("trade.contract_signed_on")
    elif not first <= trade.contract_signed_on <= last:
        found.refusals.append(reason("contract_date", first=first, last=last))


def _rule(found: Findings, code: str, when: Condition, facts: Facts, *, wanted: bool, texts: Any) -> None:
    holds = when.holds(facts)
    if holds is None:
        found.miss_of(when, facts)
    elif holds is not wanted:
        found.refusals.append(Reason(code, texts.zh, texts.en))
