"""The relay's SQL. No function commits; those that write about a key's transactions are called under its lock."""

import time
from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session, undefer

from .models import UNFINISHED, ChainTransaction, Operation, OperationStatus, TransactionStatus


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
    """A key's next operations, in order."""
    query = (
        select(Operation)
        .where(Operation.signer == signer, Operation.status == OperationStatus.QUEUED)
        .order_by(Operation.seq)
        .limit(limit)
    )
    return list(session.scalars(query))


def unknown_signers(session: Session, known: Iterable[str], limit: int) -> list[Operation]:
    """Queued operations whose key nobody here has."""
    query = (
        select(Operation)
        .where(Operation.status == OperationStatus.QUEUED, Operation.signer.not_in(list(known)))
        .order_by(Operation.seq)
        .limit(limit)
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
    """A key's transactions that have enough blocks on top to end their operation."""
    query = (
        select(ChainTransaction)
        .join(Operation, Operation.id == ChainTransaction.operation_id)
        .where(
            ChainTransaction.signer == signer,
            ChainTransaction.status == TransactionStatus.MINED,
            ChainTransaction.block_number <= up_to_block,
            Operation.status == OperationStatus.SENT,
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


def operations_by_id(session: Session, ids: Iterable[str]) -> dict[str, Operation]:
    """Operations by id."""
    query = select(Operation).where(Operation.id.in_(list(ids)))
    return {operation.id: operation for operation in session.scalars(query)}


def set_siblings(session: Session, row: ChainTransaction, before: TransactionStatus, after: TransactionStatus) -> None:
    """Changes the state of the other transactions under a nonce."""
    session.execute(
        update(ChainTransaction)
        .where(
            ChainTransaction.signer == row.signer,
            ChainTransaction.nonce == row.nonce,
            ChainTransaction.id != row.id,
            ChainTransaction.status == before,
        )
        .values(status=after)
    )


def make_final(session: Session, signer: bytes, up_to_block: int) -> None:
    """Stops watching what no reorganisation can undo."""
    finished = select(Operation.id).where(Operation.status.not_in(UNFINISHED))
    session.execute(
        update(ChainTransaction)
        .where(
            ChainTransaction.signer == signer,
            ChainTransaction.status == TransactionStatus.MINED,
            ChainTransaction.block_number <= up_to_block,
            ChainTransaction.operation_id.in_(finished),
        )
        .values(status=TransactionStatus.FINAL)
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
