"""Tables of applications."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Address, Base, Hash32, Json


class Application(Base):
    """One application; its terms never change, because the reviewers' signatures cover them.

    Attributes:
        id: `ap_` and 32 hex digits.
        entity_id: Registry id of the organisation that shall hold the voucher.
        tier: Index of the tier in the programme.
        face_fen: Value of the voucher asked for, in fen.
        voucher_serial: Number of the voucher in its programme; taken whether or not the voucher is ever issued.
        valid_until: Last Unix second at which the voucher could be redeemed.
        period: Period whose budget holds the face, 255 where the programme reserves none.
        documents: What was handed in: `{"stage", "name", "sha256"}` each.
        documents_digest: SHA-256 over documents and facts; goes on chain with the voucher.
        facts: What the applicant stated of itself.
        state: What the gateway decided: submitted, under_review, approved, rejected or withdrawn. Whether the voucher
            was issued is the chain's to say, see `repository.state_of`.
        stage: Index of the first stage that lacks approvals; the number of stages when none does.
        reason_code: Why it was rejected, for branching; `reason` in words.
        operation_id: The latest issue sent to the chain.
        submitted_by: API key that handed it in.
    """

    __tablename__ = "applications"
    __table_args__ = (UniqueConstraint("programme_id", "voucher_serial"),)

    id: Mapped[str] = mapped_column(String(35), primary_key=True)
    programme_id: Mapped[int] = mapped_column(Integer)
    entity_id: Mapped[bytes] = mapped_column(Hash32, index=True)
    uscc: Mapped[str] = mapped_column(String(64), index=True)
    tier: Mapped[int] = mapped_column(Integer)
    face_fen: Mapped[int] = mapped_column(BigInteger)
    voucher_serial: Mapped[int] = mapped_column(BigInteger)
    valid_until: Mapped[int] = mapped_column(BigInteger)
    period: Mapped[int] = mapped_column(Integer)
    documents: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    documents_digest: Mapped[bytes] = mapped_column(Hash32)
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(16))
    stage: Mapped[int] = mapped_column(Integer)
    reason_code: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(1000))
    operation_id: Mapped[str | None] = mapped_column(String(64))
    submitted_by: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)

    @property
    def voucher_id(self) -> int:
        """Number of the voucher on chain: programmeId × 2³² + serial."""
        return self.programme_id << 32 | self.voucher_serial


class ApplicationApproval(Base):
    """One reviewer's verified signature; a reviewer counts once over all stages, as the contract demands."""

    __tablename__ = "application_approvals"

    application_id: Mapped[str] = mapped_column(ForeignKey(Application.id), primary_key=True)
    signer: Mapped[bytes] = mapped_column(Address, primary_key=True)
    stage: Mapped[int] = mapped_column(Integer)
    deadline: Mapped[int] = mapped_column(BigInteger)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    custodial: Mapped[bool]
    created_at: Mapped[int] = mapped_column(BigInteger)


class VoucherSerial(Base):
    """Last serial given out in a programme."""

    __tablename__ = "voucher_serials"

    programme_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(BigInteger)
