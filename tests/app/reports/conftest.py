"""A node with the whole story on it, and a database of each kind to project it into, once for a module."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session, sessionmaker

from app.migrate import upgrade
from chain.rpc import RpcClient
from chain.sql import open_engine, sessions
from scripts._postgres import Databases
from tests.chain.ledger_world import World, story
from tests.database import sqlalchemy_url


@pytest.fixture(scope="module")
def told(anvil_url: str) -> Iterator[World]:
    """A world in which everything happened once."""
    with RpcClient(anvil_url) as rpc:
        world = World.deployed(rpc, "told")
        story(world)
        yield world


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def make(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator["sessionmaker[Session]"]:
    """Sessions on a database with all tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('reports')}/gateway.sqlite"
    else:
        databases: Databases = request.getfixturevalue("postgres_databases")
        url = sqlalchemy_url(databases.create())
    upgrade(url)
    engine = open_engine(url)
    yield sessions(engine)
    engine.dispose()
