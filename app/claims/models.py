"""Tables of claims."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.evidence.models import EvidenceRecord
from chain.sql import Base, Hash32, Json

# One claim at a time for a trade under a programme; after a refusal or a rejection it may be claimed anew.
OPEN = text("state IN ('waiting', 'presented', 'redeemed', 'held')")

WITHOUT_EFFECT = text("state IN ('refused', 'held')")


class Claim(Base):
    """The wish to use a voucher for a trade.

    Attributes:
        id: `cl_` and 32 hex digits.
        traded_at: Time of the trade in Unix seconds; first-come programmes pay in its order.
        settlement_key: Keyed digest of the trade's invoice.
        state: waiting, presented (in a transaction), redeemed, refused (by the contract), rejected (by a
            finance officer, after redemption), or held (for a person).
        redemption_id: Once redeemed.
        code: Name of the contract's error where it was refused, of the reason where it is held.
        detail: The numbers of the error.
    """

    __tablename__ = "claims"
    __table_args__ = (
        Index(
            "uq_claims_programme_id_evidence_id",
            "programme_id",
            "evidence_id",
            unique=True,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        Index(
            "ix_claims_without_effect",
            "operation_id",
            sqlite_where=WITHOUT_EFFECT,
            postgresql_where=WITHOUT_EFFECT,
        ),
        Index("ix_claims_programme_id_state_traded_at", "programme_id", "state", "traded_at"),
    )

    id: Mapped[str] = mapped_column(String(35), primary_key=True)
    voucher_id: Mapped[int] = mapped_column(BigInteger, index=True)
    programme_id: Mapped[int] = mapped_column(Integer)
    evidence_id: Mapped[str] = mapped_column(ForeignKey(EvidenceRecord.id), index=True)
    settlement_key: Mapped[bytes] = mapped_column(Hash32)
    traded_at: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    operation_id: Mapped[str | None] = mapped_column(String(64), index=True)
    redemption_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    code: Mapped[str | None] = mapped_column(String(64))
    detail: Mapped[dict[str, Any] | None] = mapped_column(Json)
    submitted_by: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
