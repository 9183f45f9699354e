"""What was read of the chain: blocks, events, how far it went, what did not fit, and how to take a block back."""

from typing import Any, cast

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chain.contracts import ContractName, events
from chain.jsonable import jsonable
from chain.sql import Base, Hash32, Json, RowId

from .projected import Projected


class ChainBlock(Projected, Base):
    """A block that holds events of ours, or that a reorganisation could still undo."""

    __tablename__ = "chain_blocks"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(Hash32)
    parent_hash: Mapped[bytes] = mapped_column(Hash32)
    timestamp: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_chain_blocks_timestamp", "deployment_id", "timestamp"),)


class ChainEvent(Projected, Base):
    """One event of the contracts, in the order of the chain; histories are read from here.

    The id is block number × 2²⁰ + log index, so it is the same after a rebuild. Transfer and Locked are left out: they
    accompany every VoucherIssued and say nothing more. `entity_id` is the organisation that the event is about.
    `topics` are the words after the event's own topic, `data` the log's: what the chain said, decoded when read.
    """

    __tablename__ = "chain_events"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    block_number: Mapped[int] = mapped_column(BigInteger, index=True)
    block_hash: Mapped[bytes] = mapped_column(Hash32)
    tx_hash: Mapped[bytes] = mapped_column(Hash32, index=True)
    tx_index: Mapped[int] = mapped_column(Integer)
    log_index: Mapped[int] = mapped_column(Integer)
    contract: Mapped[str] = mapped_column(String(32))
    event: Mapped[str] = mapped_column(String(64))
    topics: Mapped[bytes] = mapped_column(LargeBinary)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    voucher_id: Mapped[int | None] = mapped_column(BigInteger)
    redemption_id: Mapped[int | None] = mapped_column(BigInteger)
    programme_id: Mapped[int | None] = mapped_column(BigInteger)
    entity_id: Mapped[bytes | None] = mapped_column(Hash32)

    __table_args__ = (
        UniqueConstraint("deployment_id", "block_hash", "log_index"),
        Index("ix_chain_events_voucher_id", "voucher_id", "id"),
        Index("ix_chain_events_redemption_id", "redemption_id", "id"),
        Index("ix_chain_events_programme_id", "programme_id", "id"),
        Index("ix_chain_events_entity_id", "entity_id", "id"),
    )

    @property
    def args(self) -> dict[str, Any]:
        """The arguments by name, in JSON's types."""
        codec = events(cast(ContractName, self.contract))[self.event]
        decoded: dict[str, Any] = jsonable(codec.decode_joined(self.topics, self.data))
        return decoded


class IndexState(Base):
    """How far the projection has come: the newest block whose events are in it, and the newest that is final."""

    __tablename__ = "index_state"

    chain_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    deployment: Mapped[str] = mapped_column(String(42), primary_key=True)
    block_number: Mapped[int] = mapped_column(BigInteger)
    block_hash: Mapped[bytes] = mapped_column(Hash32)
    timestamp: Mapped[int] = mapped_column(BigInteger)
    final_block_number: Mapped[int] = mapped_column(BigInteger)


class ParkedEvent(Projected, Base):
    """A log that could not be projected: kept as the node sent it, with the reason, for a person to look at.

    `parked_by` is the version of the projector: another one tries again.
    """

    __tablename__ = "parked_events"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    block_number: Mapped[int] = mapped_column(BigInteger, index=True)
    tx_hash: Mapped[bytes] = mapped_column(Hash32)
    log: Mapped[dict[str, Any]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(Text)
    parked_by: Mapped[str] = mapped_column(String(16))


class ProjectionUndo(Base):
    """What a row was before a block that can still be undone changed it; `before` is null where it did not exist."""

    __tablename__ = "projection_undo"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    deployment_id: Mapped[int] = mapped_column(Integer)
    block_number: Mapped[int] = mapped_column(BigInteger, index=True)
    table_name: Mapped[str] = mapped_column(String(64))
    key: Mapped[dict[str, Any]] = mapped_column(Json)
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
