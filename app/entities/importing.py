"""Registers organisations from a file: all of it or nothing, and a second time nothing more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.entities import repository
from app.entities.models import Organisation
from app.entities.schemas import ImportView, NewEntity, RowError
from app.entities.service import Prepared, enter, prepare
from app.entities.tables import Cell, TableRefused, rows
from app.errors import ApiError, Invalid
from app.gateway import Gateway
from app.policies.terms import CHINA

COLUMNS = {
    "统一社会信用代码": "uscc",
    "机构名称": "name",
    "名称": "name",
    "机构类型": "kind",
    "行政区划代码": "region",
    "角色": "roles",
    "实际控制方": "controller",
    "信用状态": "standing",
    "信用有效期至": "standing_until",
}
"""Headings in Chinese; those in English are the names of the fields."""
FIELDS = tuple(NewEntity.model_fields)
REQUIRED = ("uscc", "name", "kind", "region", "standing_until")
SHOWN_ERRORS = 1_000
AT_ONCE = 100
"""Organisations in one call of the registry, as many as by the API."""
_SEPARATORS = str.maketrans("、,,;", ";;;;")


@dataclass
class Read:
    """What a file says.

    Attributes:
        numbers: Row of each organisation.
        prepared: The same organisations, ready to be entered; none where anything is wrong.
    """

    entities: list[NewEntity] = field(default_factory=list)
    prepared: list[Prepared] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rows: int = 0
    errors: list[RowError] = field(default_factory=list)


def read(gateway: Gateway, content: bytes) -> Read:
    """Reads a file; what takes long of an import, and needs no database.

    Raises:
        Invalid: The file as a whole is refused, or lacks a column.
    """
    found = _read(content)
    if not found.errors:
        found.prepared = [prepare(gateway, entity) for entity in found.entities]
    return found


def run(session: Session, gateway: Gateway, read: Read, *, dry: bool) -> ImportView:
    """Registers the organisations of a file that are not registered yet.

    Args:
        dry: Whether only to say what would be done.

    Raises:
        ApiError: 422 with row, column and rule of what is wrong, unless `dry`; nothing is registered then.
    """
    known = repository.by_numbers(session, [entity.uscc for entity in read.entities])
    faults = list(read.errors)
    for number, entity in zip(read.numbers, read.entities, strict=True):
        there = known.get(entity.uscc)
        if there is not None:
            faults += _differences(number, entity, there)
    new = len(read.entities) - len(known)
    errors = sorted(faults, key=lambda error: error.row)
    if errors and not dry:
        raise ApiError(
            422,
            "import_refused",
            f"{len(errors)} cells are wrong; nothing was registered.",
            errors=[
                {"pointer": f"/{error.row}/{error.column}", **error.model_dump()} for error in errors[:SHOWN_ERRORS]
            ],
            error_count=len(errors),
        )
    operations = []
    if not dry:
        ready = [one for one in read.prepared if one.row["uscc"] not in known]
        parts = [ready[start : start + AT_ONCE] for start in range(0, len(ready), AT_ONCE)]
        operations = [enter(session, gateway, part).id for part in parts]
    return ImportView(
        dry=dry,
        rows=read.rows,
        new=new,
        unchanged=len(known) - len({error.row for error in errors if error.rule == "differs"}),
        error_count=len(errors),
        errors=errors[:SHOWN_ERRORS],
        operations=operations,
    )


def _differences(row: int, entity: NewEntity, there: Organisation) -> Iterator[RowError]:
    """What a file says otherwise of an organisation that is registered; an import changes no registration."""
    for column in ("name", "kind", "region", "controller"):
        if getattr(entity, column) != getattr(there, column):
            detail = f"is registered with {getattr(there, column)!r}; an import changes nothing"
            yield RowError(row=row, column=column, rule="differs", detail=detail)


def _read(content: bytes) -> Read:
    read = Read()
    seen: dict[str, int] = {}
    try:
        lines = rows(content)
        _, head = next(lines, (0, ()))
        columns = _columns(head)
        for number, cells in lines:
            read.rows += 1
            entity = _entity(number, columns, cells, read.errors)
            if entity is None:
                continue
            if entity.uscc in seen:
                detail = f"stands in row {seen[entity.uscc]} too"
                read.errors.append(RowError(row=number, column="uscc", rule="unique", detail=detail))
                continue
            seen[entity.uscc] = number
            read.entities.append(entity)
            read.numbers.append(number)
    except TableRefused as error:
        raise Invalid("/", "table", str(error), code="table_refused") from error
    return read


def _columns(head: Sequence[Cell]) -> list[str]:
    names = [COLUMNS.get(cell.text, cell.text) for cell in head]
    unknown = [name for name in names if name not in FIELDS]
    missing = [name for name in REQUIRED if name not in names]
    twice = {name for name in names if names.count(name) > 1}
    for rule, found in (("known_column", unknown), ("required_column", missing), ("unique_column", sorted(twice))):
        if found:
            raise Invalid("/1", rule, f"first row: {', '.join(found)[:200]}; columns are {', '.join(FIELDS)}")
    return names


def _entity(row: int, columns: Sequence[str], cells: Sequence[Cell], errors: list[RowError]) -> NewEntity | None:
    """The organisation of a row; None where something is wrong with it, which is added to the errors."""
    before = len(errors)
    if len(cells) > len(columns):
        errors += [
            RowError(row=row, column=str(index + 1), rule="known_column", detail="stands beside the table")
            for index in range(len(columns), len(cells))
            if cells[index].text or cells[index].rule
        ]
    content: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=False):
        if cell.rule:
            errors.append(RowError(row=row, column=column, rule=cell.rule, detail=cell.detail))
        elif cell.text:
            content[column] = cell.text
    if len(errors) > before:
        return None
    content["roles"] = [one.strip() for one in content.get("roles", "buyer").translate(_SEPARATORS).split(";")]
    try:
        if "standing_until" in content:
            content["standing_until"] = _instant(content["standing_until"])
    except ValueError:
        detail = "must be a day such as 2027-12-31, or Unix seconds"
        errors.append(RowError(row=row, column="standing_until", rule="day", detail=detail))
        return None
    try:
        entity = NewEntity.model_validate(content)
    except ValidationError as error:
        errors += [
            RowError(row=row, column=str(item["loc"][0]), rule=item["type"], detail=item["msg"])
            for item in error.errors()
        ]
        return None
    if entity.evidence_key and "platform" not in entity.roles:
        detail = "only a platform has an evidence key"
        errors.append(RowError(row=row, column="evidence_key", rule="platform_only", detail=detail))
        return None
    return entity


def _instant(text: str) -> int:
    """Unix seconds; a day is its last second in China."""
    if text.isdecimal():
        return int(text)
    return int(datetime.combine(date.fromisoformat(text), time(23, 59, 59), CHINA).timestamp())
