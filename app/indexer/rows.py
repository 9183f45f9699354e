"""The projector's only way to write: rows read, changed in memory, and written together.

A batch touches the same budget thousands of times; here that is one UPDATE. Every change remembers what the row was
before the block, so that `undo` can take the block back, and before the event, so that a poison event leaves no trace.
What was read and written stays known from batch to batch, for as long as nobody else moves the checkpoint.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from .bulk import delete_rows, insert_rows, read_rows, update_rows
from .models import ProjectionUndo
from .rollup_models import Outstanding, Rollup
from .rollups import Tallies
from .row_json import encode
from .tables import Key, Model, Row, table_info

# Some hundred megabytes.
_REMEMBERED = 50_000


class Rows:
    """Rows of one deployment. Rows handed out are not to be changed in place."""

    def __init__(self, deployment_id: int) -> None:
        self.tallies = Tallies()
        self._deployment_id = deployment_id
        self._session: Session | None = None
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

    def begin(self, session: Session) -> None:
        """What follows happens in this transaction."""
        self._session = session
        if sum(map(len, self._rows.values())) > _REMEMBERED:
            self._rows.clear()

    def begin_block(self, number: int, *, can_be_undone: bool) -> None:
        """What follows happens in this block."""
        if self._keep_undo or can_be_undone:
            self._write_tallies()
        self._block = number
        self._keep_undo = can_be_undone
        self._undone_by.clear()

    def begin_event(self) -> None:
        """What follows belongs to one event; the one before stands."""
        self.tallies.keep_event()
        self._event.clear()
        self._event_touched.clear()
        self._event_undo = len(self._undo)

    def drop_event(self) -> None:
        """Take back what the event changed so far."""
        for model, key, before in reversed(self._event):
            self._rows[model][key] = before
        del self._undo[self._event_undo :]
        self._undone_by.difference_update(self._event_touched)
        self.tallies.drop_event()
        self.begin_event()

    # Reading and writing

    def preload(self, model: Model, keys: Iterable[Key]) -> None:
        """Read rows that will be asked for, in few queries."""
        known, info = self._rows[model], table_info(model)
        missing = [key for key in dict.fromkeys(keys) if key not in known]
        for row in read_rows(self._open().connection(), info, self._deployment_id, missing):
            known[info.key_of(row)] = row
        for key in missing:
            known.setdefault(key, None)

    def get(self, model: Model, *key: Any) -> Row | None:
        """A row, None if there is none."""
        known = self._rows[model]
        if key not in known:
            self.preload(model, [key])
        return known[key]

    def require(self, model: Model, *key: Any) -> Row:
        """A row that must be there.

        Raises:
            LookupError: it is not.
        """
        row = self._rows[model].get(key) or self.get(model, *key)
        if row is None:
            raise LookupError(f"no row {key} in {model.__tablename__}")
        return row

    def insert(self, model: Model, **values: Any) -> Row:
        """Add a row that is not there; returns it."""
        key = table_info(model).key_of(values)
        self._rows[model].setdefault(key, None)
        self._change(model, key, values)
        return values

    def put(self, model: Model, **values: Any) -> None:
        """Add a row, or replace the one with its key."""
        key = table_info(model).key_of(values)
        if key not in self._rows[model]:
            self.preload(model, [key])
        self._change(model, key, values)

    def update(self, model: Model, *key: Any, **changes: Any) -> None:
        """Change columns of a row that must be there."""
        self._change(model, key, {**self.require(model, *key), **changes})

    def add(self, model: Model, *key: Any, **amounts: int) -> None:
        """Add to columns of a row that must be there."""
        row = dict(self.require(model, *key))
        for name, amount in amounts.items():
            row[name] += amount
        self._change(model, key, row)

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
        self._write_tallies()
        connection = self._open().connection()
        for model, stored in self._stored.items():
            self._write(model, stored)
        for model, rows in self._appended.items():
            insert_rows(connection, table_info(model), self._deployment_id, rows)
        if self._undo:
            insert_rows(connection, table_info(ProjectionUndo), self._deployment_id, self._undo)
        self._stored.clear()
        self._appended.clear()
        self._undo.clear()

    def discard(self) -> None:
        """Forget everything that is not written, and what was read."""
        for kept in (self._rows, self._stored, self._appended):
            kept.clear()
        self._undo.clear()
        self._undone_by.clear()
        self.tallies.clear()
        self.begin_event()

    def _write_tallies(self) -> None:
        """Turn what the events of the block added up to into rows."""
        self.begin_event()
        rollups, outstanding = self.tallies.take_rollups(), self.tallies.take_outstanding()
        self.preload(Rollup, rollups)
        self.preload(Outstanding, outstanding)
        names = table_info(Rollup).names[4:]
        for line, amounts in rollups.items():
            before = self._rows[Rollup][line]
            span, dimension, programme_id, key = line
            row: dict[str, Any] = (
                {"span": span, "dimension": dimension, "programme_id": programme_id, "key": key}
                | dict.fromkeys(names, 0)
                if before is None
                else dict(before)
            )
            for name, amount in amounts.items():
                row[name] += amount
            self._change(Rollup, line, row)
        for place, fen in outstanding.items():
            kept = self._rows[Outstanding][place]
            values = dict(zip(table_info(Outstanding).names, place, strict=False))
            self._change(Outstanding, place, {**values, "left_fen": fen + (0 if kept is None else kept["left_fen"])})
        self.begin_event()

    def _change(self, model: Model, key: Key, after: Row | None) -> None:
        rows = self._rows[model]
        before = rows[key]
        self._stored[model].setdefault(key, before)
        self._event.append((model, key, before))
        if self._keep_undo and (model, key) not in self._undone_by:
            self._undone_by.add((model, key))
            self._event_touched.append((model, key))
            self._undo.append(
                {
                    "block_number": self._block,
                    "table_name": model.__tablename__,
                    "key": encode(model, dict(zip(table_info(model).key_names, key, strict=True))),
                    "before": None if before is None else encode(model, before),
                }
            )
        rows[key] = after

    def _write(self, model: Model, stored: Mapping[Key, Row | None]) -> None:
        info, now, connection = table_info(model), self._rows[model], self._open().connection()
        added, changed, removed = [], [], []
        for key, before in stored.items():
            after = now[key]
            if before is None and after is not None:
                added.append(after)
            elif before is not None and after is None:
                removed.append(key)
            elif after is not None and after != before:
                changed.append(after)
        if removed:
            delete_rows(connection, info, self._deployment_id, removed)
        if added:
            insert_rows(connection, info, self._deployment_id, added)
        if changed:
            update_rows(connection, info, self._deployment_id, changed)

    def _open(self) -> Session:
        assert self._session is not None  # noqa: S101 - begin() comes first
        return self._session
