"""Tables of events."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chain.sql import Base, Hash32, Json, RowId

STANDING_OPEN, STANDING_FINAL, STANDING_REVERSED = "open", "final", "reversed"
_STANDS = text("standing <> 'reversed'")


class Event(Base):
    """Something that happened.

    Attributes:
        id: Order of recording.
        uid: `evt_` and 32 hex digits: the message id, the same in every delivery.
        type: One of app.events.catalogue.
        occurred_at: Unix seconds; the block's timestamp of what happened on chain.
        data: The message's `data`, as it stays.
        position: Order of publication, without gaps; null until published. Whoever has read up to a position has read
            everything before it, which `id` cannot promise: transactions commit in any order.
        standing: open while a reorganisation can undo it, then final or reversed; final from the start where it is no
            chain event.
        block_number, block_hash, log_index: Its place on the chain; null where it is no chain event.
    """

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    type: Mapped[str] = mapped_column(String(64))
    occurred_at: Mapped[int] = mapped_column(BigInteger, index=True)
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    standing: Mapped[str] = mapped_column(String(8), default=STANDING_FINAL)
    block_number: Mapped[int | None] = mapped_column(BigInteger)
    block_hash: Mapped[bytes | None] = mapped_column(Hash32)
    log_index: Mapped[int | None] = mapped_column(Integer)
    parties: Mapped[list["EventParty"]] = relationship()

    __table_args__ = (
        # A block that comes back after it was undone is told again.
        Index(
            "uq_events_block_hash_log_index",
            "block_hash",
            "log_index",
            unique=True,
            sqlite_where=_STANDS,
            postgresql_where=_STANDS,
        ),
        Index("ix_events_standing_block_number", "standing", "block_number"),
        # The publisher takes what has the lowest id, and a number once given is never given again.
        {"sqlite_autoincrement": True},
    )


class EventParty(Base):
    """An organisation that may see an event besides the staff; app.events.catalogue.EVERYONE lets all see it."""

    __tablename__ = "event_parties"

    party: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey(Event.id), primary_key=True, autoincrement=False)

    __table_args__ = (Index("ix_event_parties_event_id", "event_id"),)


class Publication(Base):
    """How far events are published: one row, made by a migration, locked by whoever publishes.

    Attributes:
        position: The last that was given.
        chain_cursor: Chain events up to this id are recorded.
        block_number, block_hash: The block in which the cursor stands; another hash tells of a reorganisation.
        final_block: Up to it everything is recorded for good.
    """

    __tablename__ = "publication"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    chain_cursor: Mapped[int] = mapped_column(BigInteger)
    block_number: Mapped[int] = mapped_column(BigInteger)
    block_hash: Mapped[bytes | None] = mapped_column(Hash32)
    final_block: Mapped[int] = mapped_column(BigInteger)
