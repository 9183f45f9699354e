"""The services that other tests stand on."""

import httpx
import psycopg
import pytest
from sqlalchemy import create_engine, text

from scripts._anvil import CHAIN_ID, Anvil
from scripts._postgres import Databases


def rpc(url: str, method: str, *params: object) -> object:
    answer = httpx.post(
        url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, timeout=60, trust_env=False
    )
    return answer.json()["result"]


def fill(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE budget (amount_fen bigint)")


def test_url_is_understood_by_psycopg_and_sqlalchemy(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM pg_class WHERE relname = 'budget'")).scalar_one() == 0
    engine.dispose()


def test_prepared_databases_start_equal_and_stay_apart(postgres_databases: Databases) -> None:
    first, second = (postgres_databases.create(prepared_by=fill) for _ in range(2))
    with psycopg.connect(first) as connection:
        connection.execute("INSERT INTO budget VALUES (1)")
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT count(*) FROM budget").fetchone() == (0,)
    for url in (first, second):
        postgres_databases.drop(url)


def test_drop_ends_connections_that_were_left_open(postgres_databases: Databases) -> None:
    url = postgres_databases.create()
    connection = psycopg.connect(url)
    postgres_databases.drop(url)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


def test_anvil_comes_back_at_the_same_address(anvil: Anvil, anvil_url: str) -> None:
    assert rpc(anvil_url, "eth_chainId") == hex(CHAIN_ID)
    anvil.stop()
    with pytest.raises(httpx.ConnectError):
        rpc(anvil_url, "eth_chainId")
    anvil.start()
    assert rpc(anvil_url, "eth_blockNumber") == "0x0"
