"""Databases built by the migrations, once on SQLite and once on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session, sessionmaker

from app.migrate import upgrade
from chain.sql import open_engine, sessions
from scripts._postgres import Databases


def sqlalchemy_url(url: str) -> str:
    """A PostgreSQL address with the driver that is installed."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _migrate(url: str) -> None:
    upgrade(sqlalchemy_url(url))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: object) -> Iterator[str]:
    """SQLAlchemy URL of a fresh database with all tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/gateway.sqlite"
        upgrade(url)
        yield url
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.create(prepared_by=_migrate)
    yield sqlalchemy_url(url)
    databases.drop(url)


@pytest.fixture
def make(database_url: str) -> Iterator["sessionmaker[Session]"]:
    """Sessions on that database."""
    engine = open_engine(database_url)
    yield sessions(engine)
    engine.dispose()
