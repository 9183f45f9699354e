"""SQL of evidence."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, any_, func, insert, literal, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

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
_TYPES = {"id": "text", "trade_id": "text", "corrects": "text", "position": "int4"}
_TYPES |= dict.fromkeys(("sequence", "traded_at", "settled_fen"), "int8")
RECORD_TYPES = [_TYPES.get(name, "bytea") for name in RECORD_COLUMNS]
"""Types of RECORD_COLUMNS in PostgreSQL."""
ROWS_AT_ONCE = 100
"""Rows of one INSERT on SQLite: at each statement its driver gives up the interpreter, and gets it back behind all that
wait for it."""


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


def streams(session: Session) -> list[tuple[bytes, str, int]]:
    """Id, USCC and next sequence of every platform that has a stream."""
    columns = EvidenceStream.platform_id, EvidenceStream.uscc, EvidenceStream.next_sequence
    return [(row[0], row[1], row[2]) for row in session.execute(select(*columns).order_by(EvidenceStream.platform_id))]


def submission(session: Session, platform_id: bytes, sequence: int) -> EvidenceSubmission | None:
    """A submission."""
    return session.get(EvidenceSubmission, (platform_id, sequence))


def submissions(session: Session, platform_id: bytes, first: int, last: int) -> list[EvidenceSubmission]:
    """A range of submissions, in order."""
    query = (
        select(EvidenceSubmission)
        .where(EvidenceSubmission.platform_id == platform_id, EvidenceSubmission.sequence.between(first, last))
        .order_by(EvidenceSubmission.sequence)
    )
    return list(session.scalars(query))


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a batch needs of a submission; see EvidenceSubmission."""

    sequence: int
    root: bytes
    count: int
    first_traded_at: int
    last_traded_at: int
    received_at: int


def waiting(session: Session, platform_id: bytes, first: int, limit: int) -> list[Waiting]:
    """At most so many submissions from a sequence on, in order."""
    columns = [getattr(EvidenceSubmission, name) for name in Waiting.__slots__]
    query = select(*columns).where(*_from(platform_id, first, limit)).order_by(EvidenceSubmission.sequence)
    return [Waiting(*row) for row in session.execute(query)]


def backlog(session: Session, platform_id: bytes, first: int, limit: int) -> tuple[int | None, int]:
    """When the first of those submissions came (None where there is none), and how many records they hold."""
    query = select(func.min(EvidenceSubmission.received_at), func.sum(EvidenceSubmission.count))
    oldest, records = session.execute(query.where(*_from(platform_id, first, limit))).one()
    return oldest, records or 0


def _from(platform_id: bytes, first: int, limit: int) -> tuple[ColumnElement[bool], ...]:
    return (
        EvidenceSubmission.platform_id == platform_id,
        EvidenceSubmission.sequence.between(first, first + limit - 1),
    )


class KnownTrade(NamedTuple):
    """A trade that was posted: its evidence id, and the digest that tells a repetition from a contradiction."""

    evidence_id: str
    content_digest: bytes
    erased: bool = False


def known_trades(session: Session, platform_id: bytes, trade_ids: Sequence[str]) -> dict[str, KnownTrade]:
    """Those of the trade numbers that the platform posted before."""
    columns = (EvidenceRecord.id, EvidenceRecord.content_digest, EvidenceRecord.record == b"")
    query = select(EvidenceRecord.trade_id, *columns).where(
        EvidenceRecord.platform_id == platform_id, _among(session, EvidenceRecord.trade_id, trade_ids)
    )
    return {row[0]: KnownTrade(*row[1:]) for row in session.execute(query)}


def _among(session: Session, column: InstrumentedAttribute[str], names: Sequence[str]) -> ColumnElement[bool]:
    """`column IN names` with one parameter for all of them: thousands would take longer to bind than to look up."""
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(literal(list(names), postgresql.ARRAY(String)))
    return column.in_(select(func.json_each(json.dumps(names)).table_valued("value").c.value))


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
        with cursor.copy(f"COPY evidence_records ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(RECORD_TYPES)
            for row in records:
                copy.write_row(row)
    else:
        places = f"({', '.join('?' * len(RECORD_COLUMNS))})"
        for start in range(0, len(records), ROWS_AT_ONCE):
            part = records[start : start + ROWS_AT_ONCE]
            rows = ", ".join([places] * len(part))
            statement = f"INSERT INTO evidence_records ({columns}) VALUES {rows}"  # noqa: S608 - names of columns
            connection.exec_driver_sql(statement, tuple(chain.from_iterable(part)))


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


def erasures(session: Session, after: str, limit: int) -> list[EvidenceErasure]:
    """Erasures in the order in which their records came."""
    query = select(EvidenceErasure).where(EvidenceErasure.evidence_id > after)
    return list(session.scalars(query.order_by(EvidenceErasure.evidence_id).limit(limit)))


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


def anchored_streams(session: Session) -> dict[bytes, int]:
    """Last anchored sequence of the platforms for which nothing is on its way: our newest batch is the newest on chain.

    One statement, as there may be very many platforms at rest.
    """
    sent = aliased(EvidenceAnchor)
    newest = (
        select(sent.id)
        .where(sent.platform_id == EvidenceStream.platform_id, sent.state != ORPHANED)
        .order_by(sent.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    on_chain = (
        select(EvidenceBatch.root)
        .where(EvidenceBatch.platform_id == EvidenceStream.platform_id)
        .order_by(EvidenceBatch.index.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(EvidenceAnchor.platform_id, EvidenceAnchor.to_sequence)
        .join(EvidenceStream, EvidenceAnchor.id == newest)
        .where(EvidenceAnchor.state == ANCHORED, EvidenceAnchor.root == on_chain)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def anchored_to(session: Session, platform_id: bytes) -> int:
    """Last sequence that the chain has, as far as the projection knows; 0 before the first."""
    newest = newest_batch(session, platform_id)
    return newest.to_sequence if newest else 0


def batch_over(session: Session, platform_id: bytes, sequence: int) -> EvidenceBatch | None:
    """The anchored batch that holds a submission."""
    query = (
        select(EvidenceBatch)
        .where(EvidenceBatch.platform_id == platform_id, EvidenceBatch.to_sequence >= sequence)
        .order_by(EvidenceBatch.to_sequence)
        .limit(1)
    )
    batch = session.scalars(query).first()
    return batch if batch is not None and batch.from_sequence <= sequence else None


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
