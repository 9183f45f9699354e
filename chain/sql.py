"""What every table shares: the declarative base, column types for chain values, and how an engine is opened.

It lives in `chain` because relay and indexer keep state in SQL and never import `app`. SQLite (the default) and
PostgreSQL behave alike here: foreign keys hold, a writer is never surprised by another half-way, and a commit that
returned survives `kill -9` and power loss.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

Hash32 = LargeBinary(32)
"""A bytes32: hash, digest, entity id."""
Address = LargeBinary(20)
"""An EVM address, 20 bytes."""
Json = JSON().with_variant(JSONB(), "postgresql")
"""Structured data that is read whole."""
RowId = BigInteger().with_variant(Integer, "sqlite")
"""Ascending surrogate key: SQLite auto-increments only INTEGER."""

POOL = 24
"""Connections that are kept: what commands, queries and workers of a gateway hold at its busiest. Beyond it each would
be opened anew and closed."""


class Base(DeclarativeBase):
    """Base of all tables. Fen amounts and Unix seconds are BigInteger; names carry the unit (`_fen`, `_at`)."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def open_engine(url: str) -> Engine:
    """An engine on SQLite or PostgreSQL.

    Args:
        url: SQLAlchemy URL; `sqlite:///path` or `postgresql+psycopg://...`.
    """
    engine = create_engine(url, pool_size=POOL, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions whose objects stay readable after commit."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def reading(make: sessionmaker[Session]) -> Iterator[Session]:
    """A session that only reads, so that on SQLite it does not queue for the write lock."""
    with make() as session:
        session.connection(execution_options={"readonly": True})
        yield session


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions behind our back; `_begin_immediate` does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=30000")  # first, since changing the journal waits for others too
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    # A transaction that reads first and writes later would fail with SQLITE_BUSY when another wrote in between;
    # taking the write lock at once makes writers queue, as rows locked FOR UPDATE do on PostgreSQL.
    readonly = connection.get_execution_options().get("readonly", False)
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")
