"""Fills a PostgreSQL with as many rows as a province has after years: at scale 1, 1 million vouchers, 5 million
redemptions, their 11 million events, 10 million evidence records, 1 million applications with 4 million steps, and a
quarter of a million refused claims.

    from scripts._bench.load import load
    load(engine, scale=1.0, progress=print)

The server makes the rows itself, from a counter (`INSERT … SELECT` over generate_series), in the order of time in
which they would have come: the same at each run, and without the Python that COPY would need. Indexes are dropped
before and made after. Rows have the shapes that the indexer and the gateway write. Sums are made by GROUP BY from the
rows, and must equal what the rows say (`check`); that the indexer keeps such sums is for tests/app/reports to show.

Nine programmes, four tiers, three periods, twelve regions, five kinds, sixty suppliers, two years. A voucher is used
five times within 90 days; four uses are written off 30 days later; one in 97 is rejected, one in 997 recovered in
part, one voucher in 50 cancelled. Vouchers are valid for half a year up to three years.
"""

from collections.abc import Callable

from sqlalchemy import Connection, Engine, text

from app.indexer.bulk import insert_rows
from app.indexer.models import Budget, Period, Programme, Stage, Tier
from app.indexer.projected import OWN
from app.indexer.tables import Model, table_info
from scripts._bench.load_sql import APPLICATIONS, BEGIN, CHAIN, DAY, EVIDENCE, PERIODS, PROGRAMMES, SUMS, TIERS

VOUCHERS, RECORDS = 1_000_000, 10_000_000
STAGES = ("first_review", "second_review")
_HEAVY = (
    "application_steps",
    "applications",
    "chain_events",
    "claims",
    "evidence_records",
    "redemptions",
    "vouchers",
)


def load(engine: Engine, scale: float, progress: Callable[[str], None]) -> dict[str, int]:
    """Fill an empty, migrated database; returns the rows by table.

    Raises:
        AssertionError: The sums are not those of the rows.
    """
    numbers = {"vouchers": max(PROGRAMMES, int(VOUCHERS * scale)), "records": max(10_000, int(RECORDS * scale))}
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        connection.execute(text("SET LOCAL work_mem = '512MB'"))
        # Foreign keys are right by the way the rows are made.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        indexes = _drop_indexes(connection)
        _programmes(connection)
        for what, statement in (*CHAIN, *EVIDENCE, *APPLICATIONS, *SUMS):
            progress(what)
            connection.execute(text(statement), numbers if ":" in statement.replace("::", "") else {})
        for name, statement in indexes:
            progress(name)
            connection.execute(text(statement.replace(":", r"\:")))
        check(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        progress("VACUUM ANALYZE")
        connection.execute(text("VACUUM ANALYZE"))
        return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in _HEAVY}  # noqa: S608


def check(connection: Connection) -> None:
    """Hold sums against the rows that they are of.

    Raises:
        AssertionError: They differ.
    """
    for what, sums, rows in (
        ("issued", "sum(issued_fen)", "SELECT sum(face_fen) FROM vouchers"),
        ("redeemed", "sum(redeemed_fen)", "SELECT sum(amount_fen) FROM redemptions"),
        ("written off", "sum(written_off)", "SELECT count(*) FROM redemptions WHERE state = 'written_off'"),
        ("rejected", "sum(rejected)", "SELECT count(*) FROM redemptions WHERE state = 'rejected'"),
        ("recovered", "sum(recovered_fen)", "SELECT sum(recovered_fen) FROM redemptions"),
        ("returned", "sum(returned_fen)", "SELECT sum(returned_fen) FROM vouchers"),
    ):
        kept = f"SELECT {sums} FROM rollups WHERE span = 'total' AND dimension = 'programmes'"  # noqa: S608
        found = connection.scalar(text(kept)), connection.scalar(text(rows))
        if found[0] != found[1]:
            raise AssertionError(f"{what}: sums say {found[0]}, rows {found[1]}")


def _drop_indexes(connection: Connection) -> list[tuple[str, str]]:
    """Name and statement of the indexes of large tables that no constraint holds."""
    query = text(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(:tables) AND indexname NOT IN"
        " (SELECT conname FROM pg_constraint)"
    )
    found = [(row[0], row[1]) for row in connection.execute(query, {"tables": list(_HEAVY)})]
    for name, _ in found:
        connection.execute(text(f'DROP INDEX "{name}"'))
    return found


def _programmes(connection: Connection) -> None:
    found: dict[Model, list[dict[str, object]]] = {Programme: [], Budget: [], Period: [], Tier: [], Stage: []}
    place = {"tx_hash": bytes(32), "block_number": 1}
    for number in range(1, PROGRAMMES + 1):
        found[Programme].append(
            {
                "id": number,
                "policy_hash": bytes(32),
                "policy_uri": "",
                "group_id": 1,
                "status": "published",
                "terms": {"funding": 0},
                "last_traded_at": 0,
                "created_at": BEGIN,
                "published_at": BEGIN,
                "terminated_at": None,
                **place,
            }
        )
        amounts = dict.fromkeys(("reserved_fen", "redeemed_fen", "written_off_fen", "recovered_fen"), 0)
        found[Budget].append({"programme_id": number, "index": 0, "amount_fen": 10**12, **amounts})
        for index in range(PERIODS):
            span = {"starts_at": BEGIN + index * 365 * DAY, "ends_at": BEGIN + (index + 1) * 365 * DAY}
            found[Period].append({"programme_id": number, "index": index, "budget_index": 0, **span})
        for index in range(TIERS):
            tier = {"entity_id": None, "period_cap_fen": None, "total_cap_fen": None, "rate_bps": [3_000]}
            found[Tier].append({"programme_id": number, "index": index, "name": f"tier_{index}", **tier})
        found[Stage] += [
            {"programme_id": number, "index": index, "name": name, "required": 1} for index, name in enumerate(STAGES)
        ]
    for model, rows in found.items():
        insert_rows(connection, table_info(model), OWN, rows)
