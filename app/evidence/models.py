"""Tables of evidence."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Base, Hash32, Json, RowId

# Few records correct another: only these are in the index.
CORRECTIONS = text("corrects IS NOT NULL")


class EvidenceStream(Base):
    """Where a platform's stream of submissions stands. Its row is locked while a submission is taken or a batch closed.

    Attributes:
        platform_id: Registry id of the platform.
        uscc: Its 统一社会信用代码.
        next_sequence: The only sequence that the next submission may have, from 1.
    """

    __tablename__ = "evidence_streams"

    platform_id: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    uscc: Mapped[str] = mapped_column(String(64), unique=True)
    next_sequence: Mapped[int] = mapped_column(BigInteger)


class EvidenceSubmission(Base):
    """What a platform posted at once, under one signature.

    Attributes:
        root: Standard Merkle root over the leaves of its records.
        signature: 65 bytes over Submission(platform, sequence, root, count), EIP-712.
        custody: Whether the gateway signed with the key that it keeps for the platform.
        first_traded_at, last_traded_at: Span of the trade times, Unix seconds.
        received_at: Unix seconds.
    """

    __tablename__ = "evidence_submissions"

    platform_id: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(Hash32)
    count: Mapped[int] = mapped_column(Integer)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    custody: Mapped[bool]
    first_traded_at: Mapped[int] = mapped_column(BigInteger)
    last_traded_at: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[int] = mapped_column(BigInteger)


class EvidenceRecord(Base):
    """One record of a submission.

    Attributes:
        id: `ev_`, 24 hex digits of the submission (its time first, so that the index grows at its end) and 8 of
            the position.
        position: Place in the submission, from 0.
        trade_id: The platform's own number of the trade.
        trade_digest: Keyed digest of it, the trade id on chain.
        leaf: Standard Merkle leaf of the trade.
        settlement_key: Keyed digest of the invoice.
        buyer_id, supplier_id: Registry ids.
        traded_at: Unix seconds.
        record: The record as canonical JSON, UTF-8; empty once it is erased.
        salt: 32 bytes from which the salts of its fields come; empty once the record is erased.
        content_digest: SHA-256 of `record`: tells a repetition from a contradiction, whatever the salt. Once the record
            is erased, a keyed digest of it, so that the content cannot be found by trying.
        corrects: Number of the trade that this one corrects or refunds.
    """

    __tablename__ = "evidence_records"
    __table_args__ = (
        UniqueConstraint("platform_id", "sequence", "position"),
        UniqueConstraint("platform_id", "trade_id"),
        Index("ix_evidence_records_settlement_key", "settlement_key"),
        Index("ix_evidence_records_buyer_id_traded_at", "buyer_id", "traded_at"),
        Index(
            "ix_evidence_records_platform_id_corrects",
            "platform_id",
            "corrects",
            sqlite_where=CORRECTIONS,
            postgresql_where=CORRECTIONS,
        ),
        ForeignKeyConstraint(
            ["platform_id", "sequence"], ["evidence_submissions.platform_id", "evidence_submissions.sequence"]
        ),
    )

    id: Mapped[str] = mapped_column(String(35), primary_key=True)
    platform_id: Mapped[bytes] = mapped_column(Hash32)
    sequence: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(Integer)
    trade_id: Mapped[str] = mapped_column(String(128))
    trade_digest: Mapped[bytes] = mapped_column(Hash32)
    leaf: Mapped[bytes] = mapped_column(Hash32)
    settlement_key: Mapped[bytes] = mapped_column(Hash32)
    buyer_id: Mapped[bytes] = mapped_column(Hash32)
    supplier_id: Mapped[bytes] = mapped_column(Hash32)
    traded_at: Mapped[int] = mapped_column(BigInteger)
    settled_fen: Mapped[int] = mapped_column(BigInteger)
    record: Mapped[bytes] = mapped_column(LargeBinary)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    content_digest: Mapped[bytes] = mapped_column(Hash32)
    corrects: Mapped[str | None] = mapped_column(String(128))


class EvidenceErasure(Base):
    """That the content of a record was erased, by whom and why. The audit trail: never changed.

    Attributes:
        erased_by: Id of the API key.
        role: Its role.
        reason: In the words of who erased it.
        erased_at: Unix seconds.
    """

    __tablename__ = "evidence_erasures"

    evidence_id: Mapped[str] = mapped_column(ForeignKey(EvidenceRecord.id), primary_key=True)
    erased_by: Mapped[str] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(500))
    erased_at: Mapped[int] = mapped_column(BigInteger)


class EvidenceConflict(Base):
    """A trade number that was posted again with other content: refused, and kept for the auditor."""

    __tablename__ = "evidence_conflicts"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    platform_id: Mapped[bytes] = mapped_column(Hash32, index=True)
    trade_id: Mapped[str] = mapped_column(String(128))
    evidence_id: Mapped[str] = mapped_column(String(35))
    content_digest: Mapped[bytes] = mapped_column(Hash32)
    record: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[int] = mapped_column(BigInteger)


class EvidenceAnchor(Base):
    """A range of submissions that was sent to the chain as one batch.

    Attributes:
        root: Standard Merkle root over the submissions of the range.
        state: pending until the projection shows the batch, then anchored; back to pending when a reorganisation takes
            the batch away; orphaned when the chain refused it, and another row covers its submissions.
    """

    __tablename__ = "evidence_anchors"
    __table_args__ = (Index("ix_evidence_anchors_platform_id_state", "platform_id", "state"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    platform_id: Mapped[bytes] = mapped_column(Hash32)
    from_sequence: Mapped[int] = mapped_column(BigInteger)
    to_sequence: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[bytes] = mapped_column(Hash32)
    count: Mapped[int] = mapped_column(Integer)
    operation_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
