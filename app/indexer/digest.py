"""One digest over all rows of the projection: two that followed the same chain agree, whatever way they took."""

import hashlib
from collections.abc import Iterator

import msgspec
from sqlalchemy import String, select
from sqlalchemy.orm import Session

from chain.sql import Base

from .models import PROJECTION
from .row_json import encode
from .rows import table_of

_ROWS_AT_ONCE = 5_000


def projection_digest(session: Session) -> str:
    """SHA-256 in hex over every table, its rows in order of their keys. SQLite and PostgreSQL give the same."""
    digest = hashlib.sha256()
    for model in sorted(PROJECTION, key=lambda one: one.__tablename__):
        digest.update(model.__tablename__.encode() + b"\n")
        for line in _lines(session, model):
            digest.update(line + b"\n")
    return digest.hexdigest()


def table_digests(session: Session) -> dict[str, str]:
    """The digest of each table, to find out which differs."""
    found = {}
    for model in PROJECTION:
        digest = hashlib.sha256()
        for line in _lines(session, model):
            digest.update(line + b"\n")
        found[model.__tablename__] = digest.hexdigest()
    return found


def _lines(session: Session, model: type[Base]) -> Iterator[bytes]:
    table = table_of(model)
    postgresql = session.get_bind().dialect.name == "postgresql"
    order = [
        # Bytewise, as SQLite compares, and not by the language of the server.
        column.collate("C") if postgresql and isinstance(column.type, String) else column
        for column in table.primary_key.columns
    ]
    rows = session.execute(select(table).order_by(*order).execution_options(yield_per=_ROWS_AT_ONCE))
    for row in rows.mappings():
        yield msgspec.json.encode(encode(model, dict(row)), order="sorted")
