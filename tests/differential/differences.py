"""Answers of the two sides in one form, and the smallest case that shows a difference."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pprint import pformat
from typing import Any, TypeAlias

import msgspec

from app.programmes.facts import Decision, Quote, Refusal, Terms
from chain.contract_error import ContractError
from chain.enums import Limit
from chain.trade import Trade

from .book import Book
from .trades import Case

Answer: TypeAlias = tuple[str, dict[str, Any]]


class Difference(AssertionError):
    """Contract and reference disagree; the text says all that is needed to see it again."""


@dataclass(frozen=True)
class Both:
    """What the two sides say to a case."""

    contract: Answer
    reference: Answer

    @property
    def differ(self) -> bool:
        """Whether they disagree."""
        return self.contract != self.reference


def from_contract(answer: dict[str, Any] | ContractError) -> Answer:
    """A quotation or a refusal of the contract."""
    return (answer.name, answer.arguments) if isinstance(answer, ContractError) else ("Quote", answer)


def from_reference(decision: Decision) -> Answer:
    """A quotation or a refusal of the reference, in the contract's names."""
    if isinstance(decision, Refusal):
        return decision.error, dict(decision.numbers)
    return "Quote", {
        "amountFen": decision.amount_fen,
        "rateBps": decision.rate_bps,
        "period": decision.period,
        "limit": decision.limit,
    }


def outcome(decision: Decision, trade: Trade) -> str:
    """Name under which a decision is counted: limits and parties apart."""
    if isinstance(decision, Quote):
        return f"paid, limit {decision.limit.name}"
    limit, party = decision.numbers.get("limit"), decision.numbers.get("id")
    if isinstance(limit, Limit):
        return f"{decision.error} {limit.name}"
    if party is not None:
        parts = {trade.platform: "platform", trade.supplier: "supplier", trade.buyer: "buyer"}
        return f"{decision.error} {parts[bytes(party)]}"  # type: ignore[call-overload]
    return decision.error


def smallest(case: Case, plain: Trade, ask: Callable[[Case], Both]) -> Case:
    """A case that still shows a difference, with as many members as possible those of the plain trade, and small.

    Args:
        ask: both answers to a case.
    """
    for name in Trade.__struct_fields__:
        for value in _simpler(case.trade, plain, name):
            simpler = Case(case.voucher, msgspec.structs.replace(case.trade, **{name: value}), case.now)
            if ask(simpler).differ:
                case = simpler
                break
    return case


def _simpler(trade: Trade, plain: Trade, name: str) -> Iterator[Any]:
    """Values of a member from the simplest on: the plain one, then amounts of few digits."""
    value, wanted = getattr(trade, name), getattr(plain, name)
    if value == wanted:
        return
    yield wanted
    if name.endswith("_fen"):
        yield from (10**digits for digits in range(len(str(value))))


def report(case: Case, both: Both, book: Book, plain: Trade) -> str:
    """The facts that a case rests on, as far as they are not the usual ones."""
    shown: list[tuple[str, Any]] = [("contract", both.contract), ("reference", both.reference), ("now", case.now)]
    voucher = book.vouchers.get(case.voucher)
    if voucher is not None:
        programme = book.programme_of(case.voucher)
        usual = Terms(group=0, funding=programme.terms.funding, periods=(), claims_until=0)
        terms = {one.name: getattr(programme.terms, one.name) for one in fields(Terms)}
        shown += [
            ("voucher", voucher),
            ("terms", {name: value for name, value in terms.items() if value != getattr(usual, name)}),
            ("programme", (programme.status, programme.budgets, programme.last_traded_at)),
            ("tier", programme.tiers[voucher.tier]),
            ("facts", book.facts(voucher, case.trade)),
        ]
    unlike = [name for name in Trade.__struct_fields__ if getattr(case.trade, name) != getattr(plain, name)]
    shown += [("trade", case.trade), ("not plain in the trade", unlike)]
    return "\n".join(f"{name}: {pformat(value, width=110)}" for name, value in shown)
