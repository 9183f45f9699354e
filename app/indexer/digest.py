"""One digest over all rows of the projection: two that followed the same chain agree, whatever way they took."""

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import String, select
from sqlalchemy.orm import Session

from chain.sql import Base

from .models import PROJECTION
from .projected import OWN
from .row_json import encode
from .tables import DEPLOYMENT, table_info

_ROWS_AT_ONCE = 5_000


def projection_digest(session: Session, deployment_id: int = OWN) -> str:
    """SHA-256 in hex over every table, a deployment's rows in order of their keys. SQLite and PostgreSQL give the same,
    and so do two services that gave the deployment another number."""
    digest = hashlib.sha256()
    for model in sorted(PROJECTION, key=lambda one: one.__tablename__):
        digest.update(model.__tablename__.encode() + b"\n")
        for line in _lines(session, model, deployment_id):
            digest.update(line)
    return digest.hexdigest()


def table_digests(session: Session, deployment_id: int = OWN) -> dict[str, str]:
    """The digest of each table, to find out which differs."""
    found = {}
    for model in PROJECTION:
        digest = hashlib.sha256()
        for line in _lines(session, model, deployment_id):
            digest.update(line)
        found[model.__tablename__] = digest.hexdigest()
    return found


def _lines(session: Session, model: type[Base], deployment_id: int) -> Iterator[bytes]:
    for row in rows_in_order(session, model, deployment_id):
        yield msgspec.json.encode(row, order="sorted") + b"\n"


def rows_in_order(session: Session, model: type[Base], deployment_id: int) -> Iterator[dict[str, Any]]:
    """A deployment's rows in JSON's types, in order of their keys: the same order on every database."""
    info = table_info(model)
    postgresql = session.get_bind().dialect.name == "postgresql"
    order = [
        # Bytewise, as SQLite compares, and not by the language of the server.
        column.collate("C") if postgresql and isinstance(column.type, String) else column
        for column in info.key_columns
    ]
    query = select(*info.columns).where(info.table.c[DEPLOYMENT] == deployment_id).order_by(*order)
    for row in session.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)).mappings():
        yield encode(model, dict(row))
