"""Takes blocks back that a reorganisation removed: rows become what they were, in the caller's transaction."""

from collections import defaultdict
from typing import TypeAlias

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .bulk import delete_rows, insert_rows, read_rows
from .models import PROJECTION, ChainBlock, ChainEvent, ParkedEvent, ProjectionUndo
from .row_json import decode
from .tables import Key, Model, Row, table_info

_BY_NAME: dict[str, Model] = {model.__tablename__: model for model in PROJECTION}
# Rows of one block each, which go with it.
_OF_A_BLOCK: tuple[Model, ...] = (ChainEvent, ParkedEvent, ProjectionUndo)

Removed: TypeAlias = dict[Model, list[Row]]
"""Rows that are gone, by table."""


def roll_back(session: Session, deployment_id: int, above: int) -> Removed:
    """Make all tables of the projection what they were after block `above`; returns the rows that are gone."""
    before: dict[Model, dict[Key, Row | None]] = defaultdict(dict)
    removed: Removed = {}
    query = (
        select(ProjectionUndo.table_name, ProjectionUndo.key, ProjectionUndo.before)
        .where(ProjectionUndo.deployment_id == deployment_id, ProjectionUndo.block_number > above)
        .order_by(ProjectionUndo.id)
    )
    for table_name, key_image, image in session.execute(query):
        model = _BY_NAME[table_name]
        key = table_info(model).key_of(decode(model, key_image))
        # The oldest image is the one from before the first block that goes.
        before[model].setdefault(key, None if image is None else decode(model, image))
    connection = session.connection()
    for model, rows in before.items():
        info = table_info(model)
        new = [key for key, row in rows.items() if row is None]
        removed[model] = read_rows(connection, info, deployment_id, new)
        delete_rows(connection, info, deployment_id, list(rows))
        images = [row for row in rows.values() if row is not None]
        if images:
            insert_rows(connection, info, deployment_id, images)
    for model in _OF_A_BLOCK:
        table = table_info(model).table
        session.execute(delete(table).where(table.c.deployment_id == deployment_id, table.c.block_number > above))
    blocks = table_info(ChainBlock).table
    session.execute(delete(blocks).where(blocks.c.deployment_id == deployment_id, blocks.c.number > above))
    return removed


def prune(session: Session, deployment_id: int, up_to: int) -> None:
    """Forget how to take back blocks that are final."""
    session.execute(
        delete(ProjectionUndo).where(
            ProjectionUndo.deployment_id == deployment_id, ProjectionUndo.block_number <= up_to
        )
    )
