"""What a person may do to an operation: give it up, or put one that failed back into the queue."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import repository
from .models import ChainTransaction, Operation, OperationStatus, TransactionStatus
from .outbox import ENQUEUED
from .parcels import is_repeatable
from .settling import cancel_now


class NotPossible(Exception):
    """The operation is not in a state for this; `code` says in one word why, the text says what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def lock(session: Session, operation_id: str) -> Operation | None:
    """An operation, held until the transaction ends; None if there is none."""
    return session.scalar(select(Operation).where(Operation.id == operation_id).with_for_update())


def cancel(session: Session, operation: Operation) -> None:
    """Give an operation up. Before it is broadcast it ends at once. Afterwards the relay puts a no-op in its place, and
    whichever of the two is mined decides.

    Args:
        operation: held by `lock`.

    Raises:
        NotPossible: it has ended already.
    """
    if operation.status not in (OperationStatus.QUEUED, OperationStatus.SENT, OperationStatus.FAILED):
        raise NotPossible("operation_ended", f"The operation has ended already: it is {operation.status}.")
    operation.cancel_asked = True
    if operation.status != OperationStatus.SENT:
        cancel_now(operation)
    session.info[ENQUEUED] = True


def requeue(session: Session, operation: Operation) -> None:
    """Put an operation that failed back into the queue, as what made it fail is mended.

    Args:
        operation: held by `lock`.

    Raises:
        NotPossible: it did not fail, or its last transaction could come back in a reorganisation and have its effect
            beside that of the next one.
    """
    if operation.status != OperationStatus.FAILED:
        raise NotPossible("not_failed", f"Only what failed is put back; the operation is {operation.status}.")
    if not is_repeatable(operation) and _may_come_back(session, operation):
        raise NotPossible(
            "not_final", "A reorganisation could still bring its last transaction back; put it back once that is final."
        )
    repository.put_back(operation, operation.error or {}, (operation.result or {}).get("tx_hash"))
    session.info[ENQUEUED] = True


def transactions_of(session: Session, operation: Operation) -> list[ChainTransaction]:
    """What was signed for an operation under the nonce that carries it, the oldest first."""
    if operation.sender is None or operation.nonce is None:
        return []
    return repository.siblings(session, operation.sender, [operation.nonce])


def _may_come_back(session: Session, operation: Operation) -> bool:
    rows = transactions_of(session, operation)
    return bool(rows) and all(row.status != TransactionStatus.FINAL for row in rows)
