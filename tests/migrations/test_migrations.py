"""Every migration goes up, down with data in the tables, and up again; and the models are what the migrations make."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, inspect, text

from app.migrate import FOLDER, check, downgrade, upgrade
from chain.sql import open_engine
from scripts._postgres import Databases
from tests.database import sqlalchemy_url


def _revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return [script.revision for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]


OPERATION = "op_" + "0" * 32
ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "operations",
        {
            "id": OPERATION,
            "kind": "test",
            "signer": "relayer",
            "to": bytes(20),
            "data": b"\x01",
            "ref": "r",
            "status": "sent",
            "created_at": 1,
            "updated_at": 1,
            "sender": bytes(20),
            "nonce": 7,
            "place": 0,
            "alone": False,
            "cancel_asked": False,
            "attempts": [],
        },
    ),
    (
        "transactions",
        {
            "operation_id": OPERATION,
            "signer": bytes(20),
            "nonce": 7,
            "hash": bytes(32),
            "raw": b"\x02",
            "gas_limit": 21_000,
            "max_fee_wei": 0,
            "tip_wei": 0,
            "bumps": 0,
            "status": "signed",
            "noop": False,
            "waiting_since": 1.5,
        },
    ),
    (
        "vouchers",
        {
            "deployment_id": 1,
            "id": (1 << 32) + 1,
            "programme_id": 1,
            "entity_id": bytes(32),
            "tier": 0,
            "holder_region": 410100,
            "holder_kind": "enterprise",
            "state": "live",
            "issued_at": 1,
            "valid_until": 2,
            "face_fen": 2**40 - 1,
            "redeemed_fen": 0,
            "written_off_fen": 0,
            "returned_fen": 0,
            "documents": bytes(32),
            "tx_hash": bytes(32),
            "block_number": 1,
        },
    ),
    ("projection_undo", {"deployment_id": 1, "block_number": 1, "table_name": "vouchers", "key": {"id": 1}}),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: object) -> Iterator[str]:
    """URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.sqlite"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.create()
    yield sqlalchemy_url(url)
    databases.drop(url)


def _tables(url: str) -> set[str]:
    engine = open_engine(url)
    tables = set(inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()
    return tables


def _fill(url: str, *, projection: bool = True) -> None:
    """Rows of any version: each table is given those of the values that it has columns for."""
    engine = open_engine(url)
    with engine.begin() as connection:
        for table, values in ROWS if projection else ROWS[:2]:
            reflected = Table(table, MetaData(), autoload_with=connection)
            # PostgreSQL's JSON columns reflect as such and take objects, SQLite's take them too.
            connection.execute(reflected.insert().values({k: v for k, v in values.items() if k in reflected.c}))
    engine.dispose()


def _row(url: str, query: str) -> object:
    engine = open_engine(url)
    with engine.connect() as connection:
        found: object = connection.execute(text(query)).scalar_one()
    engine.dispose()
    return found


def test_up_down_and_up_again_with_data(empty: str) -> None:
    revisions = _revisions()
    upgrade(empty)
    whole = _tables(empty)
    assert {"operations", "transactions", "signers", "vouchers", "chain_events"} <= whole
    _fill(empty)
    for revision in reversed(["base", *revisions[:-1]]):
        downgrade(empty, revision)
    assert _tables(empty) == set()
    for revision in revisions:
        upgrade(empty, revision)
    assert _tables(empty) == whole
    _fill(empty)


def test_later_migrations_leave_what_is_there(empty: str) -> None:
    first, *later = _revisions()
    upgrade(empty, first)
    # The projection is no record: a migration may empty it, for the indexer makes it anew.
    _fill(empty, projection=False)
    for revision in later:
        upgrade(empty, revision)
    assert _row(empty, "SELECT nonce FROM operations") == 7
    downgrade(empty, first)
    assert _row(empty, "SELECT ref FROM operations") == "r"
    assert _row(empty, "SELECT operation_id FROM transactions") == OPERATION


def test_upgrading_again_changes_nothing(empty: str) -> None:
    upgrade(empty)
    _fill(empty)
    upgrade(empty)
    assert _row(empty, "SELECT count(*) FROM operations") == 1


def test_the_models_are_what_the_migrations_make(empty: str) -> None:
    upgrade(empty)
    check(empty)


def test_applications_from_before_their_sums_are_counted(empty: str) -> None:
    upgrade(empty, "0013_effects")
    engine = open_engine(empty)
    application = {
        "id": "ap_1",
        "programme_id": 1,
        "entity_id": bytes(32),
        "uscc": "u",
        "tier": 0,
        "face_fen": 500,
        "voucher_serial": 1,
        "valid_until": 2,
        "period": 255,
        "documents": [],
        "documents_digest": bytes(32),
        "facts": {},
        "state": "approved",
        "stage": 1,
        "submitted_by": "k",
        "created_at": 0,
        "updated_at": 0,
    }
    steps = (("submit", None, "submitted", 0, 0), ("approve", "submitted", "approved", 1, 90_000))
    with engine.begin() as connection:
        metadata = MetaData()
        metadata.reflect(connection, only=["applications", "application_steps"])
        tables = metadata.tables
        connection.execute(tables["applications"].insert(), application)
        for action, before, state, stage, at in steps:
            step = {"action": action, "before": before, "state": state, "stage": stage, "at": at}
            who = {"application_id": "ap_1", "actor": "", "role": "", "key_id": ""}
            connection.execute(tables["application_steps"].insert(), {**step, **who})
    engine.dispose()
    upgrade(empty)
    total = "SELECT {} FROM application_rollups WHERE dimension = 'periods' AND key = 'none' AND span = '{}'"
    assert [_row(empty, total.format(name, "total")) for name in ("applied", "approved_fen")] == [1, 500]
    assert _row(empty, total.format("approved", "1970-01-02")) == 1
    assert _row(empty, "SELECT seconds FROM stage_rollups WHERE span = 'total' AND stage = 0") == 90_000
