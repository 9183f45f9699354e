"""The relay's SQL. No function commits; those that write about a key's transactions are called under its lock."""

import time
from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session, undefer

from .models import UNFINISHED, ChainTransaction, Operation, OperationStatus, SignerState, TransactionStatus

_UNKNOWN_AT_ONCE = 100


def unfinished_signers(session: Session) -> set[str]:
    """Names of the keys that have operations to send or to follow."""
    return set(session.scalars(select(Operation.signer).where(Operation.status.in_(UNFINISHED)).distinct()))


def watched_signers(session: Session) -> set[bytes]:
    """Addresses of the keys whose mined transactions a reorganisation could still undo."""
    return set(
        session.scalars(
            select(ChainTransaction.signer).where(ChainTransaction.status == TransactionStatus.MINED).distinct()
        )
    )


def oldest_unfinished(session: Session, limit: int) -> list[int]:
    """Sequence numbers of the oldest unfinished operations of all keys."""
    query = select(Operation.seq).where(Operation.status.in_(UNFINISHED)).order_by(Operation.seq).limit(limit)
    return list(session.scalars(query))


def queued(session: Session, signer: str, limit: int) -> list[Operation]:
    """A key's next operations, in order, without those that come too late."""
    query = (
        select(Operation)
        .where(
            Operation.signer == signer,
            Operation.status == OperationStatus.QUEUED,
            Operation.deadline_at.is_(None) | (Operation.deadline_at > time.time()),
        )
        .order_by(Operation.seq)
        .limit(limit)
    )
    return list(session.scalars(query))


def unknown_signers(session: Session, known: Iterable[str], now: float, patience: float) -> list[Operation]:
    """Queued operations whose key neither we nor, it seems, any other relay has."""
    elsewhere = select(SignerState.name).where(SignerState.lease_until > now)
    query = (
        select(Operation)
        .where(
            Operation.status == OperationStatus.QUEUED,
            Operation.signer.not_in(list(known)),
            Operation.signer.not_in(elsewhere),
            Operation.updated_at <= now - patience,
        )
        .order_by(Operation.seq)
        .limit(_UNKNOWN_AT_ONCE)
    )
    return list(session.scalars(query))


def open_transactions(session: Session, signer: bytes) -> list[ChainTransaction]:
    """A key's transactions that are not mined as far as we know, by nonce, replacements after what they replace."""
    query = (
        select(ChainTransaction)
        .where(ChainTransaction.signer == signer, ChainTransaction.status == TransactionStatus.SIGNED)
        .order_by(ChainTransaction.nonce, ChainTransaction.id)
    )
    return list(session.scalars(query))


def mined_unfinished(session: Session, signer: bytes, up_to_block: int) -> list[ChainTransaction]:
    """A key's transactions that have enough blocks on top to end their operations."""
    carried = (
        select(Operation.id)
        .where(
            Operation.sender == signer,
            Operation.nonce == ChainTransaction.nonce,
            Operation.status == OperationStatus.SENT,
        )
        .exists()
    )
    query = (
        select(ChainTransaction)
        .where(
            ChainTransaction.signer == signer,
            ChainTransaction.status == TransactionStatus.MINED,
            ChainTransaction.block_number <= up_to_block,
            carried,
        )
        .order_by(ChainTransaction.nonce)
    )
    return list(session.scalars(query))


def mined(session: Session, signer: bytes) -> list[ChainTransaction]:
    """A key's transactions that a reorganisation could still undo."""
    query = (
        select(ChainTransaction)
        .where(ChainTransaction.signer == signer, ChainTransaction.status == TransactionStatus.MINED)
        .order_by(ChainTransaction.nonce)
    )
    return list(session.scalars(query))


def raw_bytes(session: Session, ids: Sequence[int]) -> dict[int, bytes]:
    """What to broadcast, by row id."""
    query = select(ChainTransaction).options(undefer(ChainTransaction.raw)).where(ChainTransaction.id.in_(ids))
    return {row.id: row.raw for row in session.scalars(query)}


def next_nonce(session: Session, signer: bytes) -> int | None:
    """The nonce that a key uses next; None if the chain was never asked."""
    return session.scalar(select(SignerState.next_nonce).where(SignerState.address == signer))


def lock_queued(session: Session, ids: Iterable[str]) -> list[Operation]:
    """Those of some operations that are still queued, held until the transaction ends."""
    query = (
        select(Operation)
        .where(Operation.id.in_(list(ids)), Operation.status == OperationStatus.QUEUED)
        .order_by(Operation.seq)
        .with_for_update()
    )
    return list(session.scalars(query))


def carried(
    session: Session, signer: bytes, nonces: Iterable[int], *, lock: bool = False
) -> dict[int, list[Operation]]:
    """The operations that nonces of a key carry, in their order; a nonce that carries none is left out."""
    query = (
        select(Operation)
        .where(Operation.sender == signer, Operation.nonce.in_(list(nonces)))
        .order_by(Operation.nonce, Operation.place)
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: dict[int, list[Operation]] = {}
    for operation in session.scalars(query):
        found.setdefault(operation.nonce or 0, []).append(operation)
    return found


def to_undo(session: Session, signer: bytes, now: float) -> set[int]:
    """Nonces of a key that carry something which shall not take effect any more."""
    query = select(Operation.nonce).where(
        Operation.sender == signer,
        Operation.status == OperationStatus.SENT,
        Operation.cancel_asked | (Operation.deadline_at <= now),
    )
    return {nonce for nonce in session.scalars(query) if nonce is not None}


def overdue(session: Session, now: float, limit: int) -> list[Operation]:
    """Queued operations whose deadline passed, held; those that somebody else holds are left to them."""
    query = (
        select(Operation)
        .where(Operation.status == OperationStatus.QUEUED, Operation.deadline_at <= now)
        .order_by(Operation.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def transactions(session: Session, signer: bytes, ids: Iterable[int]) -> list[ChainTransaction]:
    """A key's transactions by row id, by nonce; replacements after what they replace."""
    query = (
        select(ChainTransaction)
        .where(ChainTransaction.signer == signer, ChainTransaction.id.in_(list(ids)))
        .order_by(ChainTransaction.nonce, ChainTransaction.id)
    )
    return list(session.scalars(query))


def siblings(session: Session, signer: bytes, nonces: Iterable[int]) -> list[ChainTransaction]:
    """All transactions under nonces of a key."""
    query = (
        select(ChainTransaction)
        .where(ChainTransaction.signer == signer, ChainTransaction.nonce.in_(list(nonces)))
        .order_by(ChainTransaction.nonce, ChainTransaction.id)
    )
    return list(session.scalars(query))


def make_final(session: Session, signer: bytes, up_to_block: int) -> None:
    """Stops watching what no reorganisation can undo."""
    unfinished = (
        select(Operation.id)
        .where(
            Operation.sender == signer,
            Operation.nonce == ChainTransaction.nonce,
            Operation.status.in_(UNFINISHED),
        )
        .exists()
    )
    session.execute(
        update(ChainTransaction)
        .where(
            ChainTransaction.signer == signer,
            ChainTransaction.status == TransactionStatus.MINED,
            ChainTransaction.block_number <= up_to_block,
            ~unfinished,
        )
        .values(status=TransactionStatus.FINAL)
        .execution_options(synchronize_session=False)
    )


def finish(
    operation: Operation,
    status: OperationStatus,
    *,
    result: dict[str, object] | None = None,
    error: dict[str, object] | None = None,
) -> None:
    """Ends an operation, or puts it back."""
    operation.status = status
    operation.result = result
    operation.error = error
    operation.updated_at = int(time.time())


def put_back(operation: Operation, error: dict[str, object], tx_hash: str | None) -> None:
    """Queues an operation anew whose nonce came to nothing, to be sent alone; keeps what was tried."""
    attempt = {
        "sender": None if operation.sender is None else "0x" + operation.sender.hex(),
        "nonce": operation.nonce,
        "tx_hash": tx_hash,
        "error": error,
        "ended_at": int(time.time()),
    }
    operation.attempts = [*operation.attempts, attempt]
    operation.sender = operation.nonce = None
    operation.place, operation.alone = 0, True
    finish(operation, OperationStatus.QUEUED)
