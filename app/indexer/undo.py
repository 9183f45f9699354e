"""Takes blocks back that a reorganisation removed: rows become what they were, in the caller's transaction."""

from collections import defaultdict

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.orm import Session

from chain.sql import Base

from .models import PROJECTION, ChainBlock, ChainEvent, ParkedEvent, ProjectionUndo
from .row_json import decode
from .rows import Key, Row, key_of, table_of

_BY_NAME: dict[str, type[Base]] = {model.__tablename__: model for model in PROJECTION}
# Rows of one block each, which go with it.
_OF_A_BLOCK: tuple[type[Base], ...] = (ChainEvent, ParkedEvent)
_AT_ONCE = 300


def roll_back(session: Session, above: int) -> None:
    """Make all tables of the projection what they were after block `above`."""
    before: dict[type[Base], dict[Key, Row | None]] = defaultdict(dict)
    query = select(ProjectionUndo).where(ProjectionUndo.block_number > above).order_by(ProjectionUndo.id)
    for entry in session.scalars(query):
        model = _BY_NAME[entry.table_name]
        key = key_of(model, decode(model, entry.key))
        # The oldest image is the one from before the first block that goes.
        before[model].setdefault(key, None if entry.before is None else decode(model, entry.before))
    for model, rows in before.items():
        _restore(session, model, rows)
    session.execute(delete(ProjectionUndo).where(ProjectionUndo.block_number > above))
    for model in _OF_A_BLOCK:
        session.execute(delete(model).where(table_of(model).c.block_number > above))
    session.execute(delete(ChainBlock).where(ChainBlock.number > above))


def prune(session: Session, up_to: int) -> None:
    """Forget how to take back blocks that are final."""
    session.execute(delete(ProjectionUndo).where(ProjectionUndo.block_number <= up_to))


def _restore(session: Session, model: type[Base], rows: dict[Key, Row | None]) -> None:
    columns = list(table_of(model).primary_key.columns)
    keys = list(rows)
    for start in range(0, len(keys), _AT_ONCE):
        session.execute(delete(model).where(tuple_(*columns).in_(keys[start : start + _AT_ONCE])))
    images = [row for row in rows.values() if row is not None]
    if images:
        session.execute(insert(model), images)
