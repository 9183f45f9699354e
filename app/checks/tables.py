"""Tables that checks compare with, imported by file: blacklists, registered capacity of suppliers, fair prices.

A CSV file in UTF-8, or an XLSX one, with a header. Days are days of China, both included. A preview says what each row
would do; a row with an error stops the whole file, and the same file twice changes nothing.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session
from stdnum.cn import uscc as uscc_number

from app.checks.models import BlacklistEntry, FairPrice, SupplierCapacity
from app.checks.schemas import Imported, RowFault, TableName
from app.clock import now
from app.entities.tables import TableRefused
from app.entities.tables import rows as sheet_rows
from app.errors import Invalid
from app.policies.terms import day_end, day_start
from app.schema import MAKER, MAX_FEN

XLSX = b"PK\x03\x04"
ROW = "#"
"""Under which a row of a sheet carries its number."""
LISTS = ("dishonest", "tax_blacklisted")
MAX_ROWS = 100_000
MAX_CARDS = 10_000_000


@dataclass(frozen=True)
class Table:
    """What a file of a table holds.

    Attributes:
        columns: Its header, besides `from` and `to`.
        key: Members of the primary key, in its order, besides the first day. A later file may correct the others.
    """

    model: type[Any]
    columns: tuple[str, ...]
    key: tuple[str, ...]


TABLES: Mapping[str, Table] = {
    "blacklists": Table(BlacklistEntry, ("uscc", "list_name"), ("uscc", "list_name")),
    "capacities": Table(SupplierCapacity, ("uscc", "cards"), ("uscc",)),
    "prices": Table(FairPrice, ("resource", "price_fen"), ("resource",)),
}


def take(session: Session, name: TableName, content: str | bytes, *, preview: bool) -> Imported:
    """Reads a file and, unless it is a preview or has errors, keeps its rows.

    Args:
        content: Text of a CSV file, or the bytes of a CSV or XLSX file.

    Raises:
        Invalid: It is neither, the header is another one, or there are too many rows.
    """
    table = TABLES[name]
    if isinstance(content, bytes) and content.startswith(XLSX):
        rows, unread = _sheet_rows(table, content)
    else:
        rows, unread = _rows(table, _text(content)), []
    found, faults = _checked(table, rows)
    faults = sorted([*unread, *faults], key=lambda fault: fault.row)
    kept = [(session.get(table.model, key), values) for key, values in found.items()]
    added = [values for row, values in kept if row is None]
    changed = [(row, values) for row, values in kept if row is not None and not _holds(row, values)]
    applied = not preview and not faults
    if applied:
        at = now()
        session.add_all(table.model(**values, imported_at=at) for values in added)
        for row, values in changed:
            for part, value in (*values.items(), ("imported_at", at)):
                setattr(row, part, value)
        session.flush()
    return Imported(
        rows=len(rows),
        added=len(added),
        changed=len(changed),
        unchanged=len(kept) - len(added) - len(changed),
        applied=applied,
        errors=faults[:200],
    )


def _text(content: str | bytes) -> str:
    try:
        return content if isinstance(content, str) else content.decode()
    except UnicodeDecodeError as error:
        raise Invalid("/content", "utf8", "the file is neither XLSX nor text in UTF-8") from error


def _demand_header(table: Table, names: Sequence[str]) -> None:
    header = [*table.columns, "from", "to"]
    if sorted(names) != sorted(header):
        raise Invalid("/content", "header", f"the first line must be {','.join(header)}")


def _sheet_rows(table: Table, content: bytes) -> tuple[list[dict[str, Any]], list[RowFault]]:
    """The rows of an XLSX file with their numbers under ROW, and cells that cannot be read."""
    try:
        lines = list(sheet_rows(content))
    except TableRefused as error:
        raise Invalid("/content", "xlsx", str(error)) from error
    names = [cell.text for cell in lines[0][1]] if lines else []
    _demand_header(table, names)
    found: list[dict[Any, Any]] = []
    faults: list[RowFault] = []
    for number, cells in lines[1:]:
        unread = [
            RowFault(row=number, column=name, detail=cell.detail)
            for name, cell in zip(names, cells, strict=False)
            if cell.rule
        ]
        faults += unread
        if not unread:
            texts = [cell.text for cell in cells]
            row: dict[Any, Any] = dict(zip(names, [*texts, *[""] * (len(names) - len(texts))], strict=False))
            found.append({**row, None: texts[len(names) :], ROW: number})
    return found, faults


def _rows(table: Table, content: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(content.removeprefix("\ufeff")), restval="", strict=True)
    try:
        _demand_header(table, reader.fieldnames or ())
        rows = list(reader)
    except csv.Error as error:
        raise Invalid("/content", "csv", f"line {reader.line_num}: {error}") from error
    if len(rows) > MAX_ROWS:
        raise Invalid("/content", "max_rows", f"a file has at most {MAX_ROWS} rows, not {len(rows)}")
    return rows


def _checked(table: Table, rows: list[dict[str, Any]]) -> tuple[dict[tuple[Any, ...], dict[str, Any]], list[RowFault]]:
    """Good rows by their keys, and what is wrong with the others."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    faults: list[RowFault] = []
    for line, row in enumerate(rows, start=2):
        number = int(row.get(ROW, line))
        values, wrong = _read(table, row)
        key = tuple(values.get(part) for part in (*table.key, "from_at"))
        if not wrong and key in found:
            wrong = [("from", "the same key and first day stand above already")]
        faults += [RowFault(row=number, column=column, detail=detail) for column, detail in wrong]
        if not wrong:
            found[key] = values
    return found, faults


def _holds(row: Any, values: Mapping[str, Any]) -> bool:
    return all(getattr(row, part) == value for part, value in values.items())


def _read(table: Table, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The values of a row, and what is wrong with it by column."""
    values: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    if row.get(None):  # type: ignore[call-overload]  # where DictReader puts what stands beyond the header
        wrong.append(("", "has more fields than the header"))
    for column in table.columns:
        text = str(row[column]).strip()
        found, fault = _value(column, text)
        values[column] = found
        if fault:
            wrong.append((column, fault))
    days = {}
    for column in ("from", "to"):
        try:
            days[column] = date.fromisoformat(str(row[column]).strip())
        except ValueError:
            wrong.append((column, "is no day like 2026-01-31"))
    if len(days) == 2:
        if days["to"] < days["from"]:
            wrong.append(("to", "lies before `from`"))
        elif days["to"].year > 9000 or days["from"].year < 1970:
            wrong.append(("to", "lies out of the years 1970 to 9000"))
        else:
            values["from_at"], values["to_at"] = day_start(days["from"]), day_end(days["to"])
    return values, wrong


def _value(column: str, text: str) -> tuple[Any, str | None]:
    if column == "uscc":
        known = MAKER.fullmatch(text) or (uscc_number.is_valid(text) and text == uscc_number.compact(text))
        return text, None if known else "is no valid 统一社会信用代码"
    if column == "list_name":
        return text, None if text in LISTS else f"is none of {', '.join(LISTS)}"
    if column == "resource":
        return text, None if 1 <= len(text) <= 200 and text.isprintable() else "has 1 to 200 printable characters"
    most = MAX_CARDS if column == "cards" else MAX_FEN
    if not text.isascii() or not text.isdigit() or len(text) > 15 or not 0 < int(text) <= most:
        return None, f"is no whole number from 1 to {most}"
    return int(text), None
