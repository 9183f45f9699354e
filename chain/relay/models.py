"""The relay's tables: what was asked for, what was signed for it, and who may sign."""

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column

from chain.sql import Address, Base, Hash32, Json, RowId


class OperationStatus(StrEnum):
    """Where an operation stands.

    Refused: the contract said no. Failed: it could not be put to the contract; an operator looks at it and puts it back
    or gives it up. Cancelled: it was given up, or its deadline passed, and it had no effect.
    """

    QUEUED = "queued"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = (OperationStatus.QUEUED, OperationStatus.SENT)
GONE = (OperationStatus.REFUSED, OperationStatus.FAILED, OperationStatus.CANCELLED)
"""Ended without effect."""


class TransactionStatus(StrEnum):
    """Where a signed transaction stands. Mined ones are watched until they are final; dropped ones lost their nonce
    to another transaction."""

    SIGNED = "signed"
    MINED = "mined"
    FINAL = "final"
    DROPPED = "dropped"


class Operation(Base):
    """One call that somebody was promised would reach the chain.

    Attributes:
        seq: order of acceptance.
        id: name that the outside knows it by, `op_` and 32 hex digits.
        kind: what it does, for people.
        signer: name of the key that sends it.
        lane: operations of one lane take effect in the order of acceptance, whichever of several keys sends them; null
            where nothing depends on the order.
        to: contract.
        data: call data.
        gas_limit: gas to give it; estimated when null.
        ref: what it is for, an id of the caller's.
        result: `{tx_hash, block_number, gas_used, events: [{contract, event, args}]}` once mined.
        error: `{code, args, message}` of a refusal: the contract's named error and its numbers. On a sent operation,
            why a no-op is on its way in its place.
        sender: address of the key whose nonce carries it; null while it has none.
        nonce: that nonce. Every transaction under it carries the same operations, or is a no-op.
        place: position among the operations that the nonce carries.
        alone: whether it must not share a transaction again, after one that it shared came to nothing.
        deadline_at: Unix seconds from which it shall not take effect any more; null for never.
        cancel_asked: whether somebody wants it undone although it was sent.
        attempts: nonces that carried it before without effect: `[{sender, nonce, tx_hash, error, ended_at}]`.
        created_at: Unix seconds.
        updated_at: Unix seconds.
    """

    __tablename__ = "operations"

    seq: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(35), unique=True)
    kind: Mapped[str] = mapped_column(String(64))
    signer: Mapped[str] = mapped_column(String(64))
    lane: Mapped[str | None] = mapped_column(String(80))
    to: Mapped[bytes] = mapped_column(Address)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    gas_limit: Mapped[int | None] = mapped_column(BigInteger)
    ref: Mapped[str | None] = mapped_column(String(200), index=True)
    status: Mapped[str] = mapped_column(String(16))
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    sender: Mapped[bytes | None] = mapped_column(Address)
    nonce: Mapped[int | None] = mapped_column(BigInteger)
    place: Mapped[int] = mapped_column(Integer, default=0)
    alone: Mapped[bool] = mapped_column(Boolean, default=False)
    deadline_at: Mapped[int | None] = mapped_column(BigInteger)
    cancel_asked: Mapped[bool] = mapped_column(Boolean, default=False)
    attempts: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_operations_queue", "status", "signer", "seq"),
        Index("ix_operations_carried", "sender", "nonce"),
        Index("ix_operations_lane", "lane"),
        # A number once given is never given again, also after the newest rows were deleted.
        {"sqlite_autoincrement": True},
    )


class ChainTransaction(Base):
    """A signed transaction. It is here before any node sees it; the same bytes are sent as often as it takes.

    It carries the operations that have its signer and nonce as their `sender` and `nonce`.

    Attributes:
        signer: address.
        raw: what is broadcast.
        max_fee_wei: most wei per gas; the gas price of a legacy transaction.
        tip_wei: wei per gas for the miner; null in a legacy transaction.
        bumps: replacements before this one, under the same nonce.
        block_number: where it was mined; null before.
        reverted: whether it was mined without effect.
        noop: an empty transfer that only uses up the nonce: in place of a transaction that no node takes or that is to
            be undone, or where a nonce was lost.
        waiting_since: Unix seconds since when it could have been mined; fees rise with the wait.
    """

    __tablename__ = "transactions"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    signer: Mapped[bytes] = mapped_column(Address)
    nonce: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(Hash32, index=True)
    raw: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    gas_limit: Mapped[int] = mapped_column(BigInteger)
    max_fee_wei: Mapped[int] = mapped_column(BigInteger)
    tip_wei: Mapped[int | None] = mapped_column(BigInteger)
    bumps: Mapped[int] = mapped_column(Integer, default=0)
    status: Mapped[str] = mapped_column(String(16), default=TransactionStatus.SIGNED)
    block_number: Mapped[int | None] = mapped_column(BigInteger)
    block_hash: Mapped[bytes | None] = mapped_column(Hash32)
    reverted: Mapped[bool | None] = mapped_column(Boolean)
    noop: Mapped[bool] = mapped_column(Boolean, default=False)
    waiting_since: Mapped[float] = mapped_column(Float)

    __table_args__ = (
        UniqueConstraint("signer", "nonce", "hash"),
        Index("ix_transactions_open", "signer", "status", "nonce"),
    )


class SignerState(Base):
    """The next nonce of a key, and which relay may use it.

    Attributes:
        next_nonce: null until the chain was asked once.
        lease_owner: relay that holds the key; null when nobody does.
        lease_until: Unix seconds at which the lease ends unless renewed.
        token: grows whenever the key changes hands; a write with an older one is refused.
    """

    __tablename__ = "signers"

    address: Mapped[bytes] = mapped_column(Address, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    next_nonce: Mapped[int | None] = mapped_column(BigInteger)
    lease_owner: Mapped[str | None] = mapped_column(String(128))
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    token: Mapped[int] = mapped_column(BigInteger, default=0)


class RelayProcess(Base):
    """A relay that lives, and the keys that it has; see sharing.py.

    Attributes:
        owner: its name, as in `SignerState.lease_owner`.
        keys: their names.
        alive_until: Unix seconds until which it counts unless it writes again.
    """

    __tablename__ = "relays"

    owner: Mapped[str] = mapped_column(String(128), primary_key=True)
    keys: Mapped[list[str]] = mapped_column(Json)
    alive_until: Mapped[float] = mapped_column(Float)
