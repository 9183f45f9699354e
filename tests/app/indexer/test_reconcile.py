"""Tables held against the chain: each wrong row is named by table, key and column."""

import json
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner

from app.audit.reconcile import reconcile
from app.commands.reconcile import cli
from app.deployment import Deployment
from app.indexer import Indexer
from app.indexer.models import PROJECTION, ParkedEvent, Refusal
from app.indexer.projected import OWN
from app.indexer.tables import Model, table_info
from tests.chain.ledger_world import World


def _altered(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, str):
        return value[:-1] + "x"
    return [*value, 1] if isinstance(value, list) else {**value, "more": 1}


def _alter(session: Session, model: Model) -> tuple[str, dict[str, Any], str]:
    """Change one value that is no key; where, in the words of the finding."""
    info = table_info(model)
    row = session.execute(select(*info.columns).order_by(*info.key_columns).limit(1)).mappings().one()
    names = [name for name in info.names if name not in info.key_names and row[name] not in (None, b"")]
    where = [column == row[column.name] for column in info.key_columns]
    key = {name: row[name].hex() if name in info.binary else row[name] for name in info.key_names}
    if not names:
        # All of it is key: take the row away.
        session.execute(delete(info.table).where(*where))
        return info.name, key, ""
    session.execute(update(info.table).where(*where).values({names[-1]: _altered(row[names[-1]])}))
    return info.name, key, names[-1]


def test_each_altered_row_is_named(told: World, node_url: str, make: sessionmaker[Session], database_url: str) -> None:
    Indexer(make, told.rpc, told.contracts, told.start_block).catch_up()
    found = reconcile(make, told.rpc, told.contracts, told.start_block)
    assert found.wrong == []
    assert found.rows > 150

    with make.begin() as session:
        altered = [_alter(session, model) for model in PROJECTION if model is not ParkedEvent]
        extra = {"id": 1, "block_number": 1, "tx_hash": bytes(32), "log": {}, "reason": "none", "parked_by": "nobody"}
        session.execute(insert(ParkedEvent).values(deployment_id=1, **extra))
        taken = session.scalars(select(Refusal.id).order_by(Refusal.id.desc()).limit(1)).one()
        session.execute(delete(Refusal).where(Refusal.id == taken))
        journal: dict[str, object] = {}
        deployment = {"contracts": told.contracts.to_dict(), "start_block": told.start_block, "journal": journal}
        session.add(Deployment(id=OWN, **deployment))
    result = CliRunner().invoke(cli, ["--rpc", node_url, "--json"], env={"DATABASE_URL": database_url})
    assert result.exit_code == 1
    wrong = json.loads(result.stdout)["wrong"]
    named = [(row["table"], row["key"], row["column"] or "") for row in wrong]
    expected = [*altered, ("parked_events", {"id": 1}, ""), ("refusals", {"id": taken}, "")]
    assert sorted(named, key=str) == sorted(expected, key=str)
    assert all(row["expected"] != row["found"] for row in wrong)
    assert {row["table"] for row in wrong} == {model.__tablename__ for model in PROJECTION}
    assert next(row for row in wrong if row["table"] == "parked_events")["expected"] is None
    assert next(row for row in wrong if row["key"] == {"id": taken})["found"] is None
