"""Every migration goes up, down with data in the tables, and up again; and the models are what the migrations make."""

from collections.abc import Iterator

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from app.indexer.models import ProjectionUndo, Voucher
from app.migrate import FOLDER, check, downgrade, upgrade
from chain.relay import ChainTransaction, Operation, enqueue
from chain.sql import open_engine, sessions
from scripts._postgres import Databases
from tests.database import sqlalchemy_url


def _revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return [script.revision for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]


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
    engine = open_engine(url)
    with sessions(engine).begin() as session:
        operation = enqueue(session, kind="test", signer="relayer", to=bytes(20), data=b"\x01", ref="r")
        session.flush()
        session.add(
            ChainTransaction(
                operation_id=operation.id,
                signer=bytes(20),
                nonce=0,
                hash=bytes(32),
                raw=b"\x02",
                gas_limit=21_000,
                max_fee_wei=0,
                tip_wei=0,
                waiting_since=1.5,
            )
        )
        if projection:
            _fill_projection(session)
    engine.dispose()


def _fill_projection(session: Session) -> None:
    session.add(
        Voucher(
            deployment_id=1,
            id=(1 << 32) + 1,
            programme_id=1,
            entity_id=bytes(32),
            tier=0,
            period=None,
            holder_region=410100,
            holder_kind="enterprise",
            state="live",
            issued_at=1,
            valid_until=2,
            face_fen=2**40 - 1,
            redeemed_fen=0,
            written_off_fen=0,
            returned_fen=0,
            documents=bytes(32),
            tx_hash=bytes(32),
            block_number=1,
        )
    )
    session.add(ProjectionUndo(deployment_id=1, block_number=1, table_name="vouchers", key={"id": 1}, before=None))


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
    downgrade(empty, first)
    engine = open_engine(empty)
    with sessions(engine)() as session:
        assert session.scalars(select(Operation)).one().ref == "r"
        assert session.scalars(select(ChainTransaction)).one().waiting_since == 1.5
    engine.dispose()


def test_upgrading_again_changes_nothing(empty: str) -> None:
    upgrade(empty)
    _fill(empty)
    upgrade(empty)
    engine = open_engine(empty)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM operations")).scalar() == 1
    engine.dispose()


def test_the_models_are_what_the_migrations_make(empty: str) -> None:
    upgrade(empty)
    check(empty)
