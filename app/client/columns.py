"""How the columns of a CSV file become the fields of a record.

A column is taken for the field of its name. `COLUMN=FIELD` maps another name; `COLUMN=FIELD:yuan` reads an amount in
yuan into a field in fen, `COLUMN=FIELD:cst` a time of China (2026-01-05 16:00:00) into one in UTC; `COLUMN=` leaves the
column out. An empty cell is an absent field. Truth is true or false, 1 or 0, 是 or 否.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args, get_type_hints

from chain.record import FIELD_NAMES, Problem, Record

CHINA = timezone(timedelta(hours=8))
TRUTH = {"true": True, "1": True, "是": True, "false": False, "0": False, "否": False}

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_YUAN = re.compile(r"[0-9]{1,14}(\.[0-9]{1,2})?")


class MappingError(ValueError):
    """A mapping of columns that cannot be; the text says why."""


class Unreadable(ValueError):
    """A cell that a reading does not fit; the text is the rule."""


def _kinds() -> dict[str, type]:
    """Field to int, bool or str, optional or not, limited or not."""
    found: dict[str, type] = {}
    for name, hint in get_type_hints(Record).items():
        possible = {hint, *get_args(hint)}
        found[name] = next((kind for kind in (bool, int) if kind in possible), str)
    return found


KINDS = _kinds()


def plain(field: str, text: str) -> Any:
    """A cell as the field's type; what does not fit stays text, which the record's own check refuses by name."""
    kind = KINDS[field]
    if kind is bool:
        return TRUTH.get(text.lower(), text)
    return int(text) if kind is int and _WHOLE.fullmatch(text) else text


def _yuan(_field: str, text: str) -> int:
    if not _YUAN.fullmatch(text):
        raise Unreadable("must be an amount in yuan, with two decimals at most and no separators")
    return int(Decimal(text) * 100)


def _cst(_field: str, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None or moment.microsecond:
        raise Unreadable("must be a time of China without zone, such as 2026-01-05 16:00:00")
    return moment.replace(tzinfo=CHINA).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


READINGS: dict[str, Callable[[str, str], Any]] = {"": plain, "yuan": _yuan, "cst": _cst}


class Columns:
    """The mapping for one file.

    Args:
        header: Names of its columns.
        mapped: `COLUMN=FIELD[:reading]` each.
        constants: Fields that every record gets, whatever the file says.

    Raises:
        MappingError: A column has no field, two have the same, or a reading is unknown or does not fit the field.
    """

    def __init__(self, header: Sequence[str], mapped: Sequence[str], constants: Mapping[str, Any]) -> None:
        rules = dict(_rule(one) for one in mapped)
        missing = sorted(rules.keys() - set(header))
        if missing:
            raise MappingError(f"the file has no column {', '.join(missing)}; it has {', '.join(header)}")
        self._constants = dict(constants)
        self._targets: list[tuple[str, str, Callable[[str, str], Any]] | None] = []
        taken: dict[str, str] = {}
        for column in header:
            field, reading = rules.get(column, (column, ""))
            if not field or (field in constants and column not in rules):
                self._targets.append(None)
                continue
            if field not in KINDS:
                raise MappingError(
                    f"column {column!r} is no field of a record: map it with --map '{column}=FIELD', or leave it out "
                    f"with --map '{column}='. Fields: {', '.join(FIELD_NAMES)}"
                )
            if field in taken:
                raise MappingError(f"columns {taken[field]!r} and {column!r} are both {field}")
            if reading == "yuan" and not field.endswith("_fen"):
                raise MappingError(f"{field} is no amount in fen, so it cannot be read from yuan")
            taken[field] = column
            self._targets.append((column, field, READINGS[reading]))

    def record(self, cells: Sequence[str]) -> tuple[dict[str, Any], list[Problem]]:
        """The record of a line, and the cells that could not be read."""
        if len(cells) != len(self._targets):
            words = f"has {len(cells)} cells, the header {len(self._targets)}"
            return {}, [Problem("", "columns", words)]
        record: dict[str, Any] = {}
        problems = []
        for target, cell in zip(self._targets, cells, strict=True):
            text = cell.strip()
            if target is None or not text:
                continue
            column, field, reading = target
            try:
                record[field] = reading(field, text)
            except Unreadable as error:
                problems.append(Problem(f"/{field}", "reading", f"{error} (column {column}: {text[:40]!r})"))
        record.update(self._constants)
        return record, problems


def constant(text: str) -> tuple[str, Any]:
    """The field and value of a `FIELD=VALUE`.

    Raises:
        MappingError: There is no such field.
    """
    field, _, value = text.partition("=")
    if field not in KINDS:
        raise MappingError(f"--set {text!r}: a record has no field {field!r}; it has {', '.join(FIELD_NAMES)}")
    return field, plain(field, value.strip())


def _rule(text: str) -> tuple[str, tuple[str, str]]:
    column, equals, target = text.rpartition("=")
    field, _, reading = target.partition(":")
    if not equals or not column or reading not in READINGS:
        raise MappingError(f"--map {text!r}: want COLUMN=FIELD, COLUMN=FIELD:yuan, COLUMN=FIELD:cst or COLUMN=")
    return column, (field, reading)
