"""The floor: the same rows, bulk-inserted by the database alone, as many in a transaction as a submission has."""

import time
from typing import Any

from sqlalchemy import Engine, insert, select

from app.evidence.models import EvidenceRecord, EvidenceSubmission
from app.evidence.repository import RECORD_COLUMNS
from app.migrate import upgrade
from chain.sql import open_engine


def rows_of(url: str, limit: int) -> tuple[list[dict[str, Any]], list[list[tuple[Any, ...]]]]:
    """Submissions of the newest records, and the records of each."""
    engine = open_engine(url)
    with engine.connect() as connection:
        columns = [EvidenceRecord.__table__.c[name] for name in RECORD_COLUMNS]
        found = connection.execute(select(*columns).order_by(EvidenceRecord.id.desc()).limit(limit)).all()
        submissions = connection.execute(select(EvidenceSubmission.__table__)).mappings().all()
    engine.dispose()
    groups: dict[tuple[Any, Any], list[tuple[Any, ...]]] = {}
    for row in reversed(found):
        groups.setdefault((row.platform_id, row.sequence), []).append(tuple(row))
    parents = [dict(row) for row in submissions if (row["platform_id"], row["sequence"]) in groups]
    return parents, list(groups.values())


def insert_rate(url: str, parents: list[dict[str, Any]], groups: list[list[tuple[Any, ...]]]) -> float:
    """Rows a second into an empty database with our tables and indexes, durable after each group."""
    upgrade(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(EvidenceSubmission), parents)
    seconds = _copy(engine, groups) if engine.dialect.name == "postgresql" else _insert(engine, groups)
    engine.dispose()
    return sum(map(len, groups)) / seconds


def _copy(engine: Engine, groups: list[list[tuple[Any, ...]]]) -> float:
    connection = engine.raw_connection()
    start = time.perf_counter()
    for group in groups:
        with connection.cursor().copy(f"COPY evidence_records ({', '.join(RECORD_COLUMNS)}) FROM STDIN") as copy:
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
