"""While the database takes no connections the service says so, and goes on by itself once it does."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from app.settings import Settings
from scripts._postgres import Databases, name_in
from tests.app.claims.scenario import until
from tests.app.conftest import REAL, FirstStart, RunningService, serving
from tests.app.organisations import new_uscc, registration


@pytest.fixture
def service(first_start: FirstStart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    data_dir = tmp_path_factory.mktemp("outage")
    with first_start.copied(REAL, data_dir) as urls, serving(Settings(data_dir=data_dir, port=0, **urls)) as running:
        yield running


def ended(server: psycopg.Connection[Any], name: str) -> int:
    """Ends the connections to a database; how many there were."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    return len(server.execute(query, [name]).fetchall())


def test_an_outage_of_the_database_is_a_503_and_passes(service: RunningService, postgres_databases: Databases) -> None:
    name = name_in(service.gateway.settings.database_url.replace("+psycopg", ""))
    body, again = {"entities": [registration(new_uscc())]}, {"Idempotency-Key": "through-the-outage"}

    def command() -> tuple[int, str]:
        answer = service.post("/v1/entities", "registrar", body, **again)
        return answer.status_code, answer.json().get("code", "")

    with psycopg.connect(postgres_databases.url("postgres"), autocommit=True) as server:
        admit = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        server.execute(admit.format(sql.Identifier(name), sql.SQL("false")))
        try:
            for _ in range(3):  # one that was let in a moment ago shows a moment later
                until(lambda: not ended(server, name))
                time.sleep(0.1)
            assert command() == (503, "database_unavailable")
            answer = service.get("/v1/programmes")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        finally:
            server.execute(admit.format(sql.Identifier(name), sql.SQL("true")))
    assert command() == (202, "")
    answer = service.post("/v1/entities", "registrar", body, Prefer="wait=60", **again)
    assert answer.json()["status"] == "succeeded", answer.text
