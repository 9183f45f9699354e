"""Fixtures that every folder of tests may use: a PostgreSQL and an anvil, started only when asked for."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts._anvil import Anvil
from scripts._postgres import Databases, postgres

# Set by the process that starts the run, so that the workers of xdist find the folder of their common server.
SERVER_FOLDER = "SUANQUAN_TEST_POSTGRES_FOLDER"
MIXED = {("embedded", "postgresql"), ("anvil", "sqlite")}


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        # /tmp and not pytest's own folder: a socket's path is short, and PostgreSQL may have to run as another user.
        os.environ[SERVER_FOLDER] = tempfile.mkdtemp(prefix="suanquan-pg-", dir="/tmp")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(SERVER_FOLDER), ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What works with a node and a database is tested in the two surroundings that people run, not in all four. Modules
    that take long begin first, so that no worker is left alone with one at the end."""
    items[:] = [item for item in items if _surroundings(item) not in MIXED]
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


def _surroundings(item: pytest.Item) -> tuple[object, object]:
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return parameters.get("node_url"), parameters.get("database_url")


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[Databases]:
    """The server of this run. `create(prepared_by=migrate)` gives copies of a database that `migrate` filled once."""
    with postgres(Path(os.environ[SERVER_FOLDER]) / "data") as databases:
        databases.trade_durability_for_speed()
        yield databases


@pytest.fixture
def postgres_url(postgres_databases: Databases) -> Iterator[str]:
    """URL of a fresh, empty database."""
    url = postgres_databases.create()
    yield url
    postgres_databases.drop(url)


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    """A node of this module alone; `anvil.stop()` and `anvil.start()` play an outage."""
    with Anvil() as node:
        yield node


@pytest.fixture(scope="module")
def anvil_url(anvil: Anvil) -> str:
    """JSON-RPC address of the module's node."""
    return anvil.url
