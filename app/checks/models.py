"""Tables of checks: decisions with what they rest on, holds, and what claims are compared with."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.claims.models import Claim
from app.evidence.models import EvidenceRecord
from chain.sql import Base, Hash32, Json, RowId

IS_OPEN = text("state = 'open'")


class CheckRun(Base):
    """The checks of one claim at one moment. Never changed, save that erasing evidence takes its inputs away.

    Attributes:
        policy_digest: Of the policy file whose thresholds counted.
        programme: Name of the programme in that file.
        outcomes: `{check, version, outcome, inputs}` each; what a re-run needs.
        answer: The strictest of all.
        made_at: Unix seconds.
    """

    __tablename__ = "check_runs"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey(Claim.id), index=True)
    policy_digest: Mapped[bytes] = mapped_column(Hash32)
    programme: Mapped[str] = mapped_column(String(32))
    outcomes: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    answer: Mapped[str] = mapped_column(String(8))
    made_at: Mapped[int] = mapped_column(BigInteger)


class Hold(Base):
    """A claim that waits for a person.

    Attributes:
        id: `hd_` and 32 hex digits.
        state: open, released or rejected.
        passed_at: When it gave up its place in the order of trade time, as it was not decided in the time that the
            policy gives (policies.model.Rounds); null while it keeps later trades waiting.
        decided_by: Id of the API key that decided; with `role`, `reason` and `decided_at` null until then.
    """

    __tablename__ = "holds"
    __table_args__ = (
        Index("uq_holds_claim_id", "claim_id", unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
        Index("ix_holds_programme_id_state", "programme_id", "state", "traded_at"),
    )

    id: Mapped[str] = mapped_column(String(35), primary_key=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey(Claim.id), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey(CheckRun.id), index=True)
    programme_id: Mapped[int] = mapped_column(Integer)
    traded_at: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[int] = mapped_column(BigInteger, index=True)
    passed_at: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(String(32))
    role: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str | None] = mapped_column(String(500))
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    findings: Mapped[list["HoldFinding"]] = relationship(order_by="HoldFinding.check_code")


class HoldFinding(Base):
    """One of the reasons of a hold."""

    __tablename__ = "hold_findings"

    hold_id: Mapped[str] = mapped_column(ForeignKey(Hold.id), primary_key=True)
    check_code: Mapped[str] = mapped_column(String(16), primary_key=True, index=True)
    code: Mapped[str] = mapped_column(String(32))


class NotedCorrection(Base):
    """That a record which corrects another was looked at.

    Attributes:
        hold_id: What came of it, where the trade was redeemed before; null where a claim was checked, or is to be, with
            the correction in sight.
    """

    __tablename__ = "noted_corrections"

    correction_id: Mapped[str] = mapped_column(ForeignKey(EvidenceRecord.id), primary_key=True)
    hold_id: Mapped[str | None] = mapped_column(ForeignKey(Hold.id))
    noted_at: Mapped[int] = mapped_column(BigInteger)


class ClaimedTrade(Base):
    """What later claims on the same supplier are compared with; nothing where it is not stated.

    Attributes:
        resource: As in app.checks.price_fair.
        starts_at, ends_at: Span of the metering.
    """

    __tablename__ = "claimed_trades"
    __table_args__ = (
        Index("ix_claimed_trades_supplier_id_ends_at", "supplier_id", "ends_at"),
        Index("ix_claimed_trades_supplier_id_resource_signed_at", "supplier_id", "resource", "signed_at"),
    )

    claim_id: Mapped[str] = mapped_column(ForeignKey(Claim.id), primary_key=True)
    supplier_id: Mapped[bytes] = mapped_column(Hash32)
    resource: Mapped[str] = mapped_column(String(200))
    signed_at: Mapped[int] = mapped_column(BigInteger)
    unit_price_fen: Mapped[int | None] = mapped_column(BigInteger)
    starts_at: Mapped[int | None] = mapped_column(BigInteger)
    ends_at: Mapped[int | None] = mapped_column(BigInteger)
    card_milli_hours: Mapped[int | None] = mapped_column(BigInteger)


class BlacklistEntry(Base):
    """That an organisation stood on a list: 失信被执行人 (dishonest), 税收违法黑名单 (tax_blacklisted)."""

    __tablename__ = "blacklist_entries"

    uscc: Mapped[str] = mapped_column(String(64), primary_key=True)
    list_name: Mapped[str] = mapped_column(String(32), primary_key=True)
    from_at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    to_at: Mapped[int] = mapped_column(BigInteger)
    imported_at: Mapped[int] = mapped_column(BigInteger)


class SupplierCapacity(Base):
    """Cards of a supplier from one moment to another, the second not included."""

    __tablename__ = "supplier_capacities"

    uscc: Mapped[str] = mapped_column(String(64), primary_key=True)
    from_at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    to_at: Mapped[int] = mapped_column(BigInteger)
    cards: Mapped[int] = mapped_column(BigInteger)
    imported_at: Mapped[int] = mapped_column(BigInteger)


class FairPrice(Base):
    """Middle of the fair range of a resource, in fen for a unit, from one moment to another."""

    __tablename__ = "fair_prices"

    resource: Mapped[str] = mapped_column(String(200), primary_key=True)
    from_at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    to_at: Mapped[int] = mapped_column(BigInteger)
    price_fen: Mapped[int] = mapped_column(BigInteger)
    imported_at: Mapped[int] = mapped_column(BigInteger)
