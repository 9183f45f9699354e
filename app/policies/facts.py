"""What conditions speak of, read from a question. A fact that is not known is left out."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from app.policies.conditions import FIELDS, Facts
from app.policies.question import Question
from app.policies.terms import CHINA


def facts_of(fields: Iterable[str], question: Question) -> Facts:
    """Those of the fields that are known."""
    return Facts((name, value) for name in fields if (value := _READ[name](question)) is not None)


def _settled_in_zone_year(question: Question) -> int | None:
    claimant = question.claimant
    if claimant.settled_in_zone_on is not None:
        return int(claimant.settled_in_zone_on[:4])
    return 0 if "settled_in_zone_on" in claimant.model_fields_set else None


def _leads_project(question: Question) -> str | None:
    claimant = question.claimant
    return (claimant.leads_project or "none") if "leads_project" in claimant.model_fields_set else None


def _year(question: Question) -> int | None:
    at = question.trade.traded_at
    return None if at is None else datetime.fromtimestamp(at, CHINA).year


def _plain(name: str) -> Callable[[Question], Any]:
    owner, member = name.split(".")
    if owner == "claimant":
        return lambda question: getattr(question.claimant, member)
    if owner == "trade":
        return lambda question: getattr(question.trade, member)
    return lambda question: getattr(question.trade.supplier, member)


# By name, as a quotation has no time to take names apart.
_READ: dict[str, Callable[[Question], Any]] = {
    **{name: _plain(name) for name in FIELDS},
    "claimant.settled_in_zone_year": _settled_in_zone_year,
    "claimant.leads_project": _leads_project,
    "claimant.has_agreement": lambda question: question.claimant.agreement_rate_bps is not None,
    "trade.year": _year,
}
