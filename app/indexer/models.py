"""The projection: what the chain says, as tables. The projector alone writes them; they can be rebuilt at any time.

Amounts are in fen, rates in basis points, times (`_at`, `_from`, `_until`) in Unix seconds. Enumerations are text, in
the words of chain/enums.py in lower case.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Address, Base, Hash32, Json

from .chain_models import ChainBlock, ChainEvent, IndexState, ParkedEvent, ProjectionUndo
from .projected import Projected
from .rollup_models import Outstanding, Rollup

# ORGANISATIONS


class Entity(Projected, Base):
    """An organisation. `roles` is the mask of chain.enums.EntityRoles, `controller` null where there is none."""

    __tablename__ = "entities"

    id: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    account: Mapped[bytes] = mapped_column(Address, index=True)
    kind: Mapped[str] = mapped_column(String(32))
    roles: Mapped[int] = mapped_column(Integer)
    region: Mapped[int] = mapped_column(Integer)
    standing: Mapped[str] = mapped_column(String(32))
    standing_until: Mapped[int] = mapped_column(BigInteger)
    controller: Mapped[bytes | None] = mapped_column(Hash32)
    frozen: Mapped[bool] = mapped_column(Boolean)
    registered_at: Mapped[int] = mapped_column(BigInteger)
    tx_hash: Mapped[bytes] = mapped_column(Hash32)
    block_number: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (UniqueConstraint("deployment_id", "number"),)


class EvidenceKey(Projected, Base):
    """A key that a platform signs evidence with, from a moment on."""

    __tablename__ = "evidence_keys"

    entity_id: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    valid_from: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[bytes] = mapped_column(Address)
    custodial: Mapped[bool] = mapped_column(Boolean)


class OfficerRole(Projected, Base):
    """A role that an account holds: admin, operator, reviewer, finance, regulator, registrar, relayer."""

    __tablename__ = "officer_roles"

    role: Mapped[str] = mapped_column(String(66), primary_key=True)
    account: Mapped[bytes] = mapped_column(Address, primary_key=True)


# PROGRAMMES


class Programme(Projected, Base):
    """A programme: status draft, published or terminated; `terms` are ProgrammeTerms as published."""

    __tablename__ = "programmes"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    policy_hash: Mapped[bytes] = mapped_column(Hash32, index=True)
    policy_uri: Mapped[str] = mapped_column(Text)
    group_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(16))
    terms: Mapped[dict[str, Any]] = mapped_column(Json)
    last_traded_at: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    published_at: Mapped[int | None] = mapped_column(BigInteger)
    terminated_at: Mapped[int | None] = mapped_column(BigInteger)
    tx_hash: Mapped[bytes] = mapped_column(Hash32)
    block_number: Mapped[int] = mapped_column(BigInteger)


class Budget(Projected, Base):
    """Where the money of a budget stands; available = amount − reserved − redeemed − written off + recovered."""

    __tablename__ = "budgets"

    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    reserved_fen: Mapped[int] = mapped_column(BigInteger)
    redeemed_fen: Mapped[int] = mapped_column(BigInteger)
    written_off_fen: Mapped[int] = mapped_column(BigInteger)
    recovered_fen: Mapped[int] = mapped_column(BigInteger)


class Period(Projected, Base):
    """A period of a programme; `ends_at` is the first second after it."""

    __tablename__ = "periods"

    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    starts_at: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[int] = mapped_column(BigInteger)
    budget_index: Mapped[int] = mapped_column(Integer)


class Tier(Projected, Base):
    """A tier; caps are null where there is none, `entity_id` where it is no agreement with one organisation."""

    __tablename__ = "tiers"

    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64))
    entity_id: Mapped[bytes | None] = mapped_column(Hash32)
    period_cap_fen: Mapped[int | None] = mapped_column(BigInteger)
    total_cap_fen: Mapped[int | None] = mapped_column(BigInteger)
    rate_bps: Mapped[list[int]] = mapped_column(Json)


class Stage(Projected, Base):
    """A stage of review and the approvals that it needs."""

    __tablename__ = "stages"

    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64))
    required: Mapped[int] = mapped_column(Integer)


class Approver(Projected, Base):
    """Who may approve in a stage."""

    __tablename__ = "approvers"

    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    stage: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    account: Mapped[bytes] = mapped_column(Address, primary_key=True)


class ListedSupplier(Projected, Base):
    """A supplier on a programme's list."""

    __tablename__ = "listed_suppliers"

    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    supplier_id: Mapped[bytes] = mapped_column(Hash32, primary_key=True)


class ListedPlatform(Projected, Base):
    """A platform on a programme's list."""

    __tablename__ = "listed_platforms"

    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    platform_id: Mapped[bytes] = mapped_column(Hash32, primary_key=True)


# VOUCHERS


class Voucher(Projected, Base):
    """A voucher: state live, frozen, expired or cancelled; `period` null in first-come programmes.

    `holder_region` and `holder_kind` are the holder's when it was issued: sums do not move when an organisation does.
    """

    __tablename__ = "vouchers"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    programme_id: Mapped[int] = mapped_column(BigInteger, index=True)
    entity_id: Mapped[bytes] = mapped_column(Hash32, index=True)
    tier: Mapped[int] = mapped_column(Integer)
    period: Mapped[int | None] = mapped_column(Integer)
    holder_region: Mapped[int] = mapped_column(Integer)
    holder_kind: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    issued_at: Mapped[int] = mapped_column(BigInteger)
    valid_until: Mapped[int] = mapped_column(BigInteger, index=True)
    face_fen: Mapped[int] = mapped_column(BigInteger)
    redeemed_fen: Mapped[int] = mapped_column(BigInteger)
    written_off_fen: Mapped[int] = mapped_column(BigInteger)
    returned_fen: Mapped[int] = mapped_column(BigInteger)
    documents: Mapped[bytes] = mapped_column(Hash32)
    tx_hash: Mapped[bytes] = mapped_column(Hash32)
    block_number: Mapped[int] = mapped_column(BigInteger)


class Redemption(Projected, Base):
    """The use of part of a voucher against one trade: state provisional, written_off or rejected.

    `entity_id` is the holder, `reason` that of a rejection, `trade_barred` whether the trade stays used after it.
    """

    __tablename__ = "redemptions"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    voucher_id: Mapped[int] = mapped_column(BigInteger, index=True)
    programme_id: Mapped[int] = mapped_column(BigInteger)
    entity_id: Mapped[bytes] = mapped_column(Hash32, index=True)
    state: Mapped[str] = mapped_column(String(16))
    period: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    recovered_fen: Mapped[int] = mapped_column(BigInteger)
    rate_bps: Mapped[int] = mapped_column(Integer)
    limit: Mapped[str] = mapped_column(String(32))
    settlement_key: Mapped[bytes] = mapped_column(Hash32, index=True)
    contract_key: Mapped[bytes] = mapped_column(Hash32)
    leaf: Mapped[bytes] = mapped_column(Hash32)
    platform_id: Mapped[bytes] = mapped_column(Hash32)
    supplier_id: Mapped[bytes] = mapped_column(Hash32, index=True)
    kind: Mapped[str] = mapped_column(String(32))
    compute_type: Mapped[str] = mapped_column(String(32))
    attributes: Mapped[int] = mapped_column(BigInteger)
    region: Mapped[int] = mapped_column(Integer)
    settled_fen: Mapped[int] = mapped_column(BigInteger)
    traded_at: Mapped[int] = mapped_column(BigInteger)
    redeemed_at: Mapped[int] = mapped_column(BigInteger)
    written_off_at: Mapped[int | None] = mapped_column(BigInteger)
    payment_ref: Mapped[bytes | None] = mapped_column(Hash32, index=True)
    reason: Mapped[bytes | None] = mapped_column(Hash32)
    trade_barred: Mapped[bool] = mapped_column(Boolean)
    tx_hash: Mapped[bytes] = mapped_column(Hash32)
    block_number: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_redemptions_queue", "programme_id", "state", "id"),)


class Refusal(Projected, Base):
    """An item of a batch that the contract refused: kind issue or redemption, `code` the contract's named error."""

    __tablename__ = "refusals"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    tx_hash: Mapped[bytes] = mapped_column(Hash32, index=True)
    log_index: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(16))
    voucher_id: Mapped[int] = mapped_column(BigInteger, index=True)
    settlement_key: Mapped[bytes | None] = mapped_column(Hash32, index=True)
    trade_id: Mapped[bytes | None] = mapped_column(Hash32)
    code: Mapped[str] = mapped_column(String(64))
    args: Mapped[dict[str, Any]] = mapped_column(Json)
    refused_at: Mapped[int] = mapped_column(BigInteger)
    block_number: Mapped[int] = mapped_column(BigInteger)


class EntityUse(Projected, Base):
    """What an organisation was paid under a programme, rejections deducted; period −1 is the total."""

    __tablename__ = "entity_use"

    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entity_id: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    period: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    redeemed_fen: Mapped[int] = mapped_column(BigInteger)


# EVIDENCE


class EvidenceBatch(Projected, Base):
    """An anchored range of a platform's submissions."""

    __tablename__ = "evidence_batches"
    # Their ends ascend: the batch over a submission is the first that ends at or behind it.
    __table_args__ = (Index("ix_evidence_batches_to_sequence", "deployment_id", "platform_id", "to_sequence"),)

    platform_id: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    previous_head: Mapped[bytes] = mapped_column(Hash32)
    head: Mapped[bytes] = mapped_column(Hash32)
    root: Mapped[bytes] = mapped_column(Hash32)
    from_sequence: Mapped[int] = mapped_column(BigInteger)
    to_sequence: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(BigInteger)
    first_trade_at: Mapped[int] = mapped_column(BigInteger)
    last_trade_at: Mapped[int] = mapped_column(BigInteger)
    appended_at: Mapped[int] = mapped_column(BigInteger)
    tx_hash: Mapped[bytes] = mapped_column(Hash32)
    block_number: Mapped[int] = mapped_column(BigInteger)


PROJECTION: tuple[type[Base], ...] = (
    ChainEvent,
    ParkedEvent,
    Entity,
    EvidenceKey,
    OfficerRole,
    Programme,
    Budget,
    Period,
    Tier,
    Stage,
    Approver,
    ListedSupplier,
    ListedPlatform,
    Voucher,
    Redemption,
    Refusal,
    EntityUse,
    EvidenceBatch,
    Rollup,
    Outstanding,
)
"""Tables that a rebuild makes anew, to the same rows."""

__all__ = [
    "PROJECTION",
    "Approver",
    "Budget",
    "ChainBlock",
    "ChainEvent",
    "Entity",
    "EntityUse",
    "EvidenceBatch",
    "EvidenceKey",
    "IndexState",
    "ListedPlatform",
    "ListedSupplier",
    "OfficerRole",
    "Outstanding",
    "ParkedEvent",
    "Period",
    "Programme",
    "ProjectionUndo",
    "Redemption",
    "Refusal",
    "Rollup",
    "Stage",
    "Tier",
    "Voucher",
]
