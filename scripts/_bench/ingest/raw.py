"""The floor: the same rows, bulk-inserted by the database alone, as many in a transaction as a submission has."""

import time
from typing import Any

from sqlalchemy import Engine, insert, select

from app.evidence.models import EvidenceRecord, EvidenceSubmission
from app.evidence.repository import RECORD_COLUMNS, RECORD_TYPES
from app.migrate import upgrade
from chain.sql import open_engine


def rows_of(url: str, size: int, limit: int) -> tuple[list[dict[str, Any]], list[list[tuple[Any, ...]]]]:
    """Submissions of `size` records each, at most `limit` of them, and the records of each."""
    engine = open_engine(url)
    columns = [EvidenceRecord.__table__.c[name] for name in RECORD_COLUMNS]
    with engine.connect() as connection:
        chosen = select(EvidenceSubmission.__table__).where(EvidenceSubmission.count == size).limit(limit)
        parents = [dict(row) for row in connection.execute(chosen).mappings()]
        groups = []
        for parent in parents:
            of_parent = select(*columns).where(
                EvidenceRecord.platform_id == parent["platform_id"], EvidenceRecord.sequence == parent["sequence"]
            )
            groups.append([tuple(row) for row in connection.execute(of_parent.order_by(EvidenceRecord.position))])
    engine.dispose()
    return parents, groups


def insert_rates(
    url: str, parents: list[dict[str, Any]], groups: list[list[tuple[Any, ...]]], runs: int
) -> list[float]:
    """Rows a second into an empty database with our tables and indexes, durable after each group; the groups are shared
    out to so many runs."""
    upgrade(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(EvidenceSubmission), parents)
    bulk = _copy if engine.dialect.name == "postgresql" else _insert
    rates = []
    for run in range(runs):
        part = groups[run::runs]
        rates.append(sum(map(len, part)) / bulk(engine, part))
    engine.dispose()
    return rates


def _copy(engine: Engine, groups: list[list[tuple[Any, ...]]]) -> float:
    connection = engine.raw_connection()
    start = time.perf_counter()
    for group in groups:
        statement = f"COPY evidence_records ({', '.join(RECORD_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
        with connection.cursor().copy(statement) as copy:
            copy.set_types(RECORD_TYPES)
            for row in group:
                copy.write_row(row)
        connection.commit()
    seconds = time.perf_counter() - start
    connection.close()
    return seconds


def _insert(engine: Engine, groups: list[list[tuple[Any, ...]]]) -> float:
    connection = engine.raw_connection()
    cursor = connection.cursor()
    places = ", ".join("?" * len(RECORD_COLUMNS))
    statement = f"INSERT INTO evidence_records ({', '.join(RECORD_COLUMNS)}) VALUES ({places})"  # noqa: S608 - names
    start = time.perf_counter()
    for group in groups:
        cursor.execute("BEGIN IMMEDIATE")
        cursor.executemany(statement, group)
        cursor.execute("COMMIT")
    seconds = time.perf_counter() - start
    connection.close()
    return seconds
