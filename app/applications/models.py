"""Tables of applications."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Address, Base, Hash32, Json, RowId

IS_UNDECIDED = text("state IN ('submitted', 'under_review', 'clarification', 'publicity', 'appealed')")
"""As states.UNDECIDED."""


class Application(Base):
    """One application. What the reviewers' signatures cover changes only together with dropping them.

    Attributes:
        id: `ap_` and 32 hex digits.
        entity_id: Registry id of the organisation that shall hold the voucher.
        tier: Index of the tier in the programme.
        face_fen: Value of the voucher asked for, in fen.
        voucher_serial: Number of the voucher in its programme; taken whether or not the voucher is ever issued.
        valid_until: Last Unix second at which the voucher could be redeemed.
        period: Period whose budget holds the face, 255 where the programme reserves none.
        documents: What was handed in: `{"stage", "name", "sha256", "size"}` each.
        documents_digest: Digest of the manifest (chain.application_manifest); goes on chain with the voucher.
        salt: 32 random bytes in the manifest, so that nobody can try what was stated against the digest on chain; null
            for applications from before there were manifests.
        facts: What the applicant stated of itself.
        finding: What the rules of the policy file say of the applicant (app.applications.finding); null where the
            service does not have the file, and for applications from before findings were kept.
        state: What the gateway decided, one of `states.State`. Whether the voucher was issued is the chain's to say,
            see `repository.find`.
        stage: Index of the stage that it waits in; the number of stages when all have approved.
        publicity_until: Unix seconds until which it is on public display, null where it is not.
        appeal_until: Unix seconds until which its rejection can be appealed, null where it cannot.
        reason_code: Why it was rejected, for branching; `reason` in words.
        operation_id: The latest issue sent to the chain.
        submitted_by: API key that handed it in.
    """

    __tablename__ = "applications"
    __table_args__ = (
        UniqueConstraint("programme_id", "voucher_serial"),
        Index(
            "ix_applications_undecided",
            "programme_id",
            "stage",
            sqlite_where=IS_UNDECIDED,
            postgresql_where=IS_UNDECIDED,
        ),
    )

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
    salt: Mapped[bytes | None] = mapped_column(Hash32)
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    finding: Mapped[dict[str, Any] | None] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(16))
    stage: Mapped[int] = mapped_column(Integer)
    reason_code: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(1000))
    publicity_until: Mapped[int | None] = mapped_column(BigInteger, index=True)
    appeal_until: Mapped[int | None] = mapped_column(BigInteger)
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


class ApplicationStep(Base):
    """What was done to an application, once for each time; never changed.

    Attributes:
        action: One of `states.Action`; `before` and `state` are the states around it.
        stage: Stage that the application waits in after it.
        actor: Who: what the caller's API key acts for, or the name or address of the reviewer who signed; empty for
            the service itself and for officers without a name.
        role: Role of the caller; empty for the service itself.
        key_id: The caller's API key.
        signer: Address of the reviewer who signed.
    """

    __tablename__ = "application_steps"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    application_id: Mapped[str] = mapped_column(ForeignKey(Application.id), index=True)
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    action: Mapped[str] = mapped_column(String(16))
    before: Mapped[str | None] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    stage: Mapped[int] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    key_id: Mapped[str] = mapped_column(String(32))
    signer: Mapped[bytes | None] = mapped_column(Address)
    note: Mapped[str | None] = mapped_column(String(2000))


class ApplicationExchange(Base):
    """Something that is raised and then answered: a reviewer's question, an objection during publicity, an appeal.

    Attributes:
        kind: clarification, objection or appeal.
        number: Counts within application and kind, from 1.
        stage: Stage in which it was raised.
        outcome: answered; dismissed or upheld; granted or denied. Null while it is open.
    """

    __tablename__ = "application_exchanges"

    application_id: Mapped[str] = mapped_column(ForeignKey(Application.id), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    stage: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(String(4000))
    raised_by: Mapped[str] = mapped_column(String(64))
    raised_key: Mapped[str] = mapped_column(String(32))
    raised_at: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str | None] = mapped_column(String(16))
    reply: Mapped[str | None] = mapped_column(String(4000))
    replied_by: Mapped[str | None] = mapped_column(String(64))
    replied_at: Mapped[int | None] = mapped_column(BigInteger)


class ApplicationDraft(Base):
    """What an applicant has filled in so far; nobody else sees it.

    Attributes:
        id: `ad_` and 32 hex digits.
        content: Members of schemas.NewDraft.
        created_by: API key that began it.
    """

    __tablename__ = "application_drafts"

    id: Mapped[str] = mapped_column(String(35), primary_key=True)
    uscc: Mapped[str] = mapped_column(String(64), index=True)
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    created_by: Mapped[str] = mapped_column(String(32), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


class VoucherSerial(Base):
    """Last serial given out in a programme."""

    __tablename__ = "voucher_serials"

    programme_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(BigInteger)
