"""The projector's only way to write: rows read, changed in memory, and written together.

A batch touches the same budget thousands of times; here that is one UPDATE. Every change remembers what the row was
before the block, so that `undo` can take the block back, and before the event, so that a poison event leaves no trace.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from sqlalchemy import Table, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.orm import Session

from chain.sql import Base

from .models import ProjectionUndo
from .row_json import encode

Model: TypeAlias = type[Base]
Key: TypeAlias = tuple[Any, ...]
Row: TypeAlias = Mapping[str, Any]

# Below SQLite's and PostgreSQL's limits of variables, also with three columns in a key.
_KEYS_AT_ONCE = 300


class Rows:
    """Rows of one transaction. Rows handed out are not to be changed in place."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[Model, dict[Key, Row | None]] = defaultdict(dict)
        # What the database holds, of rows that were changed since.
        self._stored: dict[Model, dict[Key, Row | None]] = defaultdict(dict)
        self._appended: dict[Model, list[Row]] = defaultdict(list)
        self._undo: list[Row] = []
        self._undone_by: set[tuple[Model, Key]] = set()
        self._block = 0
        self._keep_undo = False
        self._event: list[tuple[Model, Key, Row | None]] = []
        self._event_undo = 0
        self._event_touched: list[tuple[Model, Key]] = []

    # Where we are

    def begin_block(self, number: int, *, can_be_undone: bool) -> None:
        """What follows happens in this block."""
        self._block = number
        self._keep_undo = can_be_undone
        self._undone_by.clear()

    def begin_event(self) -> None:
        """What follows belongs to one event."""
        self._event.clear()
        self._event_touched.clear()
        self._event_undo = len(self._undo)

    def drop_event(self) -> None:
        """Take back what the event changed so far."""
        for model, key, before in reversed(self._event):
            self._rows[model][key] = before
        del self._undo[self._event_undo :]
        self._undone_by.difference_update(self._event_touched)
        self.begin_event()

    # Reading and writing

    def preload(self, model: Model, keys: Iterable[Key]) -> None:
        """Read rows that will be asked for, in few queries."""
        known = self._rows[model]
        missing = [key for key in dict.fromkeys(keys) if key not in known]
        columns = _key_columns(model)
        for start in range(0, len(missing), _KEYS_AT_ONCE):
            part = missing[start : start + _KEYS_AT_ONCE]
            condition = columns[0].in_([key[0] for key in part]) if len(columns) == 1 else tuple_(*columns).in_(part)
            for found in self._session.execute(select(table_of(model)).where(condition)).mappings():
                row: Row = dict(found)
                known[key_of(model, row)] = row
            for key in part:
                known.setdefault(key, None)

    def get(self, model: Model, *key: Any) -> Row | None:
        """A row, None if there is none."""
        if key not in self._rows[model]:
            self.preload(model, [key])
        return self._rows[model][key]

    def require(self, model: Model, *key: Any) -> Row:
        """A row that must be there.

        Raises:
            LookupError: it is not.
        """
        row = self.get(model, *key)
        if row is None:
            raise LookupError(f"no row {key} in {model.__tablename__}")
        return row

    def insert(self, model: Model, **values: Any) -> None:
        """Add a row that is not there."""
        key = key_of(model, values)
        self._rows[model].setdefault(key, None)
        self._change(model, key, values)

    def put(self, model: Model, **values: Any) -> None:
        """Add a row, or replace the one with its key."""
        key = key_of(model, values)
        self.get(model, *key)
        self._change(model, key, values)

    def update(self, model: Model, *key: Any, **changes: Any) -> None:
        """Change columns of a row that must be there."""
        self._change(model, key, {**self.require(model, *key), **changes})

    def add(self, model: Model, *key: Any, **amounts: int) -> None:
        """Add to columns of a row that must be there."""
        row = self.require(model, *key)
        self._change(model, key, {**row, **{name: row[name] + amount for name, amount in amounts.items()}})

    def delete(self, model: Model, *key: Any) -> None:
        """Remove a row, if it is there."""
        if self.get(model, *key) is not None:
            self._change(model, key, None)

    def append(self, model: Model, **values: Any) -> None:
        """Add a row of a block: never changed, and taken back with its block by number."""
        self._appended[model].append(values)

    # Writing to the database

    def flush(self) -> None:
        """Write everything."""
        for model, stored in self._stored.items():
            self._write(model, stored)
        for model, rows in self._appended.items():
            if rows:
                self._session.execute(insert(table_of(model)), rows)
        if self._undo:
            self._session.execute(insert(table_of(ProjectionUndo)), self._undo)
        self._stored.clear()
        self._appended.clear()
        self._undo.clear()

    def discard(self) -> None:
        """Forget everything that is not written, and what was read."""
        for kept in (self._rows, self._stored, self._appended):
            kept.clear()
        self._undo.clear()
        self._undone_by.clear()
        self.begin_event()

    def _change(self, model: Model, key: Key, after: Row | None) -> None:
        before = self._rows[model][key]
        self._stored[model].setdefault(key, before)
        self._event.append((model, key, before))
        if self._keep_undo and (model, key) not in self._undone_by:
            self._undone_by.add((model, key))
            self._event_touched.append((model, key))
            self._undo.append(
                {
                    "block_number": self._block,
                    "table_name": model.__tablename__,
                    "key": encode(model, dict(zip(_key_names(model), key, strict=True))),
                    "before": None if before is None else encode(model, before),
                }
            )
        self._rows[model][key] = after

    def _write(self, model: Model, stored: Mapping[Key, Row | None]) -> None:
        table, now = table_of(model), self._rows[model]
        added, changed, removed = [], [], []
        for key, before in stored.items():
            after = now[key]
            if before is None and after is not None:
                added.append(after)
            elif before is not None and after is None:
                removed.append(key)
            elif after is not None and after != before:
                changed.append({**{f"key_{name}": after[name] for name in _key_names(model)}, **after})
        if removed:
            self._session.execute(delete(table).where(tuple_(*_key_columns(model)).in_(removed)))
        if added:
            self._session.execute(insert(table), added)
        if changed:
            where = [table.c[name] == bindparam(f"key_{name}") for name in _key_names(model)]
            settable = [column.name for column in table.columns if not column.primary_key]
            statement = update(table).where(*where).values({name: bindparam(name) for name in settable})
            for row in changed:
                for name in _key_names(model):
                    del row[name]
            self._session.connection().execute(statement, changed)


def key_of(model: Model, row: Mapping[str, Any]) -> Key:
    """The primary key of a row."""
    return tuple(row[name] for name in _key_names(model))


def table_of(model: Model) -> Table:
    """The table of a model."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - every model here is a plain table
    return table


def _key_columns(model: Model) -> list[Any]:
    return list(table_of(model).primary_key.columns)


def _key_names(model: Model) -> list[str]:
    return _NAMES.setdefault(model, [column.name for column in _key_columns(model)])


_NAMES: dict[Model, list[str]] = {}
