"""Sends a stream of records in submissions, and finds out what became of each record.

A signed submission is taken whole or not at all. So where the gateway names records that it does not take, the others
are signed anew without them; those that it has already are posted again on their own, which gives their first receipts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, TypeAlias

from app.client.transport import Refused

Submit: TypeAlias = Callable[[Sequence[dict[str, Any]]], dict[str, Any]]

KNOWN_ALREADY = frozenset({"duplicate", "unique"})
"""Rules that a record breaks because the gateway has it, or is given it twice at once."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record and where it comes from: the line of a file, the place in a list."""

    line: int
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record.

    Attributes:
        line: Of the row.
        status: Stored now; duplicate of a record that the gateway had; refused for `errors`.
        id: Evidence id; None where refused.
        errors: `{"pointer", "rule", "detail"}` each, the pointer from the record's root.
    """

    line: int
    trade_id: str
    status: Literal["stored", "duplicate", "refused"]
    id: str | None
    errors: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of some rows.

    Attributes:
        rows: As they were given.
        outcomes: One for each, in order.
        receipts: Receipts of the submissions that it took, without their items.
    """

    rows: list[Row]
    outcomes: list[Outcome]
    receipts: list[dict[str, Any]]


def send(submit: Submit, rows: Iterable[Row], batch: int) -> Iterator[Sent]:
    """Sends rows in submissions of `batch`; yields after each, once what it acknowledges is durable."""
    source = iter(rows)
    while part := list(islice(source, batch)):
        outcomes, receipts = _settled(submit, part)
        yield Sent(part, sorted(outcomes, key=lambda outcome: outcome.line), receipts)


def _settled(submit: Submit, rows: list[Row]) -> tuple[list[Outcome], list[dict[str, Any]]]:
    outcomes: list[Outcome] = []
    receipts: list[dict[str, Any]] = []
    left = [rows]
    while left:
        part = left.pop()
        try:
            receipt = submit([row.record for row in part])
        except Refused as problem:
            refused, *others = _apart(part, problem)
            outcomes += refused
            left += [other for other in others if other]
            continue
        outcomes += [_taken(part[item["position"]], item) for item in receipt["items"]]
        receipts.append({name: value for name, value in receipt.items() if name != "items"})
    return outcomes, receipts


def _apart(part: list[Row], problem: Refused) -> tuple[list[Outcome], list[Row], list[Row]]:
    """Outcomes of records that are refused, then what to send again on its own: known ones last, so that the first of
    two equal records is stored before the second is called known.

    Raises:
        Refused: The problem is not with single records.
    """
    if problem.status == 413 and len(part) > 1:
        return [], part[len(part) // 2 :], part[: len(part) // 2]
    named: dict[int, list[dict[str, str]]] = {}
    for error in problem.errors:
        place, _, member = error["pointer"].removeprefix("/records/").partition("/")
        if not place.isdigit() or int(place) >= len(part):
            raise problem
        named.setdefault(int(place), []).append({**error, "pointer": f"/{member}" if member else ""})
    known = {place for place, errors in named.items() if all(error["rule"] in KNOWN_ALREADY for error in errors)}
    if not named or len(known) == len(part):
        raise problem
    refused = [
        Outcome(part[place].line, str(part[place].record.get("trade_id")), "refused", None, errors)
        for place, errors in named.items()
        if place not in known
    ]
    rest = [row for place, row in enumerate(part) if place not in named]
    return refused, [part[place] for place in sorted(known)], rest


def _taken(row: Row, item: dict[str, Any]) -> Outcome:
    errors = [
        {**error, "pointer": error["pointer"].removeprefix(f"/records/{item['position']}")}
        for error in item.get("errors") or ()
    ]
    return Outcome(row.line, str(row.record.get("trade_id")), item["status"], item["id"], errors)
