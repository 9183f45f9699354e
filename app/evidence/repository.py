"""SQL of evidence."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, insert, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.evidence.models import (
    EvidenceAnchor,
    EvidenceConflict,
    EvidenceErasure,
    EvidenceRecord,
    EvidenceStream,
    EvidenceSubmission,
)
from app.indexer.models import ChainEvent, EvidenceBatch, IndexState, Redemption, Voucher
from chain.contracts import Contracts

PENDING, ANCHORED, ORPHANED = "pending", "anchored", "orphaned"
RECORD_COLUMNS = (
    "id",
    "platform_id",
    "sequence",
    "position",
    "trade_id",
    "trade_digest",
    "leaf",
    "settlement_key",
    "buyer_id",
    "supplier_id",
    "traded_at",
    "settled_fen",
    "record",
    "salt",
    "content_digest",
    "corrects",
)
NAMES_AT_ONCE = 5_000
"""Names in one IN: SQLite takes 32,766 parameters."""


def stream(session: Session, platform_id: bytes) -> EvidenceStream | None:
    """A platform's stream; None before its first submission."""
    return session.get(EvidenceStream, platform_id)


def lock_stream(session: Session, platform_id: bytes, uscc: str) -> EvidenceStream:
    """A platform's stream, made where missing, held until the transaction ends."""
    values = {"platform_id": platform_id, "uscc": uscc, "next_sequence": 1}
    if session.get_bind().dialect.name == "postgresql":
        session.execute(postgresql.insert(EvidenceStream).values(values).on_conflict_do_nothing())
    else:
        session.execute(sqlite.insert(EvidenceStream).values(values).on_conflict_do_nothing())
    query = select(EvidenceStream).where(EvidenceStream.platform_id == platform_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def streams(session: Session) -> list[tuple[bytes, str]]:
    """Id and USCC of every platform that has a stream."""
    query = select(EvidenceStream.platform_id, EvidenceStream.uscc).order_by(EvidenceStream.platform_id)
    return [(row[0], row[1]) for row in session.execute(query)]


def submission(session: Session, platform_id: bytes, sequence: int) -> EvidenceSubmission | None:
    """A submission."""
    return session.get(EvidenceSubmission, (platform_id, sequence))


def submissions(
    session: Session, platform_id: bytes, first: int, last: int | None = None, limit: int | None = None
) -> list[EvidenceSubmission]:
    """Submissions from a sequence on, in order."""
    query = (
        select(EvidenceSubmission)
        .where(EvidenceSubmission.platform_id == platform_id, EvidenceSubmission.sequence >= first)
        .order_by(EvidenceSubmission.sequence)
    )
    if last is not None:
        query = query.where(EvidenceSubmission.sequence <= last)
    return list(session.scalars(query if limit is None else query.limit(limit)))


class KnownTrade(NamedTuple):
    """A trade that was posted: its evidence id, and the digest that tells a repetition from a contradiction."""

    evidence_id: str
    content_digest: bytes
    erased: bool = False


def known_trades(session: Session, platform_id: bytes, trade_ids: Sequence[str]) -> dict[str, KnownTrade]:
    """Those of the trade numbers that the platform posted before."""
    found: dict[str, KnownTrade] = {}
    for start in range(0, len(trade_ids), NAMES_AT_ONCE):
        columns = (EvidenceRecord.id, EvidenceRecord.content_digest, EvidenceRecord.record == b"")
        query = select(EvidenceRecord.trade_id, *columns).where(
            EvidenceRecord.platform_id == platform_id,
            EvidenceRecord.trade_id.in_(trade_ids[start : start + NAMES_AT_ONCE]),
        )
        found.update({row[0]: KnownTrade(*row[1:]) for row in session.execute(query)})
    return found


def add_submissions(
    session: Session, submissions: Sequence[dict[str, Any]], records: Sequence[tuple[Any, ...]]
) -> None:
    """Stores submissions and their records.

    Args:
        records: Values in the order of RECORD_COLUMNS.
    """
    if not submissions:
        return
    session.execute(insert(EvidenceSubmission.__table__), list(submissions))  # type: ignore[arg-type]
    # Past SQLAlchemy, whose bind processing would take as long as the database does.
    columns = ", ".join(RECORD_COLUMNS)
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY evidence_records ({columns}) FROM STDIN") as copy:
            for row in records:
                copy.write_row(row)
    else:
        places = ", ".join("?" * len(RECORD_COLUMNS))
        statement = f"INSERT INTO evidence_records ({columns}) VALUES ({places})"  # noqa: S608 - names of columns
        connection.exec_driver_sql(statement, list(records))


def add_conflicts(session: Session, rows: list[dict[str, Any]]) -> None:
    """Keeps refused contradictions for the auditor."""
    if rows:
        session.execute(insert(EvidenceConflict.__table__), rows)  # type: ignore[arg-type]


def record(session: Session, evidence_id: str) -> EvidenceRecord | None:
    """A record."""
    return session.get(EvidenceRecord, evidence_id)


def records_by_id(session: Session, ids: Sequence[str]) -> dict[str, EvidenceRecord]:
    """Records by id."""
    return {row.id: row for row in session.scalars(select(EvidenceRecord).where(EvidenceRecord.id.in_(ids)))}


def erasure(session: Session, evidence_id: str) -> EvidenceErasure | None:
    """That a record was erased."""
    return session.get(EvidenceErasure, evidence_id)


@contextmanager
def overwriting(session: Session) -> Iterator[None]:
    """Lets SQLite overwrite what is removed inside, where it would lie in the file until its page is used again."""
    sqlite_file = session.get_bind().dialect.name == "sqlite"
    if sqlite_file:
        session.execute(text("PRAGMA secure_delete = ON"))
    yield
    session.flush()
    if sqlite_file:
        session.execute(text("PRAGMA secure_delete = OFF"))


def erase_contents(session: Session, row: EvidenceRecord, keyed: Callable[[bytes], bytes]) -> None:
    """Empties a record and what contradicted it.

    Args:
        keyed: Makes of a content's digest one that cannot be tried.
    """
    row.record, row.salt, row.settled_fen, row.content_digest = b"", b"", 0, keyed(row.content_digest)
    for one in conflicts(session, row.id):
        one.record, one.content_digest = b"", keyed(one.content_digest)


def conflicts(session: Session, evidence_id: str) -> list[EvidenceConflict]:
    """What was posted with the same number as a record and other content, in order."""
    query = select(EvidenceConflict).where(EvidenceConflict.evidence_id == evidence_id).order_by(EvidenceConflict.id)
    return list(session.scalars(query))


def corrections(session: Session, platform_id: bytes, trade_id: str) -> list[str]:
    """Evidence ids of the records that correct or refund a trade, in order."""
    query = select(EvidenceRecord.id).where(
        EvidenceRecord.platform_id == platform_id, EvidenceRecord.corrects == trade_id
    )
    return list(session.scalars(query.order_by(EvidenceRecord.id)))


def lock_records(session: Session, ids: Sequence[str]) -> dict[str, EvidenceRecord]:
    """Records by id, held in order of id until the transaction ends."""
    query = select(EvidenceRecord).where(EvidenceRecord.id.in_(ids)).order_by(EvidenceRecord.id).with_for_update()
    return {row.id: row for row in session.scalars(query)}


def receipts(session: Session, platform_id: bytes, sequence: int) -> list[tuple[str, str]]:
    """Evidence id and trade number of a submission's records, in order."""
    query = (
        select(EvidenceRecord.id, EvidenceRecord.trade_id)
        .where(EvidenceRecord.platform_id == platform_id, EvidenceRecord.sequence == sequence)
        .order_by(EvidenceRecord.position)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def leaves(session: Session, platform_id: bytes, sequence: int) -> list[bytes]:
    """Leaves of a submission, in order of position."""
    query = (
        select(EvidenceRecord.leaf)
        .where(EvidenceRecord.platform_id == platform_id, EvidenceRecord.sequence == sequence)
        .order_by(EvidenceRecord.position)
    )
    return list(session.scalars(query))


def page(
    session: Session, *, platform_id: bytes | None, party_id: bytes | None, after: str, limit: int
) -> list[EvidenceRecord]:
    """Records in the order in which they came.

    Args:
        party_id: Only those in which this organisation is buyer, supplier or platform.
    """
    query = select(EvidenceRecord).where(EvidenceRecord.id > after).order_by(EvidenceRecord.id).limit(limit)
    if platform_id is not None:
        query = query.where(EvidenceRecord.platform_id == platform_id)
    if party_id is not None:
        query = query.where(
            or_(
                EvidenceRecord.buyer_id == party_id,
                EvidenceRecord.supplier_id == party_id,
                EvidenceRecord.platform_id == party_id,
            )
        )
    return list(session.scalars(query))


# ANCHORS


def pending_anchor(session: Session, platform_id: bytes) -> EvidenceAnchor | None:
    """The batch that is on its way to the chain."""
    query = select(EvidenceAnchor).where(EvidenceAnchor.platform_id == platform_id, EvidenceAnchor.state == PENDING)
    return session.scalars(query).first()


def last_anchor(session: Session, platform_id: bytes, state: str) -> EvidenceAnchor | None:
    """The newest batch in a state."""
    query = (
        select(EvidenceAnchor)
        .where(EvidenceAnchor.platform_id == platform_id, EvidenceAnchor.state == state)
        .order_by(EvidenceAnchor.id.desc())
        .limit(1)
    )
    return session.scalars(query).first()


def anchor_over(session: Session, platform_id: bytes, sequence: int) -> EvidenceAnchor | None:
    """The newest batch that we sent for a submission and that was not refused."""
    query = (
        select(EvidenceAnchor)
        .where(
            EvidenceAnchor.platform_id == platform_id,
            EvidenceAnchor.from_sequence <= sequence,
            EvidenceAnchor.to_sequence >= sequence,
            EvidenceAnchor.state != ORPHANED,
        )
        .order_by(EvidenceAnchor.id.desc())
        .limit(1)
    )
    return session.scalars(query).first()


def anchored_to(session: Session, platform_id: bytes) -> int:
    """Last sequence that the chain has, as far as the projection knows; 0 before the first."""
    query = select(func.max(EvidenceBatch.to_sequence)).where(EvidenceBatch.platform_id == platform_id)
    return session.scalar(query) or 0


def batch_over(session: Session, platform_id: bytes, sequence: int) -> EvidenceBatch | None:
    """The anchored batch that holds a submission."""
    query = select(EvidenceBatch).where(
        EvidenceBatch.platform_id == platform_id,
        EvidenceBatch.from_sequence <= sequence,
        EvidenceBatch.to_sequence >= sequence,
    )
    return session.scalars(query).first()


def newest_batch(session: Session, platform_id: bytes) -> EvidenceBatch | None:
    """The last batch of a platform's stream."""
    query = select(EvidenceBatch).where(EvidenceBatch.platform_id == platform_id).order_by(EvidenceBatch.index.desc())
    return session.scalars(query.limit(1)).first()


def indexed_block(session: Session, contracts: Contracts) -> int:
    """Newest block in the projection; 0 before the first."""
    state = session.get(IndexState, (contracts.chain_id, contracts.ledger))
    return state.block_number if state else 0


def final_block(session: Session, contracts: Contracts) -> int:
    """Newest block that the indexer holds for final; -1 before the first."""
    state = session.get(IndexState, (contracts.chain_id, contracts.ledger))
    return state.final_block_number if state else -1


# FOR BUNDLES


def key_changes(session: Session, platform_id: bytes) -> list[bytes]:
    """Transactions that changed a platform's evidence key, in order; a bundle skips changes of its account's key."""
    return _transactions(session, ["KeyChanged"], ChainEvent.entity_id == platform_id)


def redemption_events(session: Session, redemption_id: int, events: Sequence[str]) -> list[bytes]:
    """Transactions of some events of a redemption, in order."""
    return _transactions(session, events, ChainEvent.redemption_id == redemption_id)


def issue_of(session: Session, voucher_id: int) -> bytes:
    """Transaction that issued a voucher."""
    return session.scalars(select(Voucher.tx_hash).where(Voucher.id == voucher_id)).one()


def evidence_of(session: Session, redemption: Redemption) -> EvidenceRecord | None:
    """The record that was redeemed; None where another gateway took it."""
    query = select(EvidenceRecord).where(
        EvidenceRecord.settlement_key == redemption.settlement_key, EvidenceRecord.leaf == redemption.leaf
    )
    return session.scalars(query).first()


def _transactions(session: Session, events: Sequence[str], about: ColumnElement[bool]) -> list[bytes]:
    query = select(ChainEvent.tx_hash).where(ChainEvent.event.in_(events), about).order_by(ChainEvent.id)
    return list(session.scalars(query))
