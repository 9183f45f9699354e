"""Puts contract calls into the outbox, and tells what became of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.cursor import named_by
from app.errors import Conflict, NotFound
from app.gateway import Gateway
from app.operations import repository
from app.operations.schemas import Attempts, OperationPage, OperationView, SignedTransaction
from app.pools import role_of
from chain.contracts import ContractName, encode_call
from chain.relay import control
from chain.relay.models import Operation, OperationStatus
from chain.relay.outbox import enqueue, get_operation

DEADLINE = "operation_deadline"
"""Where a session keeps the deadline that the request gave for the operations that it makes."""


def submit(
    session: Session,
    gateway: Gateway,
    *,
    kind: str,
    signer: str,
    lane: str | None = None,
    contract: ContractName,
    function: str,
    args: Sequence[Any] | Mapping[str, Any],
    ref: str | None = None,
    gas_limit: int | None = None,
) -> Operation:
    """Adds a contract call to the outbox, in the transaction of the request: once that commits, the relay will see the
    call through to an effect on chain or to a final refusal.

    Args:
        kind: What it is, in snake_case, for lists and logs.
        signer: Role of the key that sends it, for example `relayer`; which of its keys, app/pools.py says.
        lane: What its order is kept within, such as a voucher; by default the role's first key sends it.
        ref: What it is for: the id of an application, a claim, a batch.
        gas_limit: Gas to give it; estimated by default.
    """
    to = bytes.fromhex(gateway.contracts.addresses[contract].removeprefix("0x"))
    data = encode_call(contract, function, args)
    return enqueue(
        session,
        kind=kind,
        signer=gateway.pools.choose(session, signer, lane),
        lane=lane,
        to=to,
        data=data,
        ref=ref,
        gas_limit=gas_limit,
        deadline_at=session.info.get(DEADLINE),
    )


def find(session: Session, operation_id: str) -> Operation:
    """An operation by its id.

    Raises:
        NotFound: There is none.
    """
    operation = get_operation(session, operation_id)
    if operation is None:
        raise NotFound("operation", operation_id)
    return operation


def page(
    session: Session,
    *,
    status: OperationStatus | None,
    kind: str | None,
    ref: str | None,
    after: str | None,
    limit: int,
) -> OperationPage:
    """Operations, oldest first.

    Raises:
        Invalid: The cursor names no operation.
    """
    last = named_by(session, after, get_operation)
    rows = repository.page(session, status=status, kind=kind, ref=ref, after=last.seq if last else 0, limit=limit)
    return OperationPage(
        items=[OperationView.of(row) for row in rows], next=rows[-1].id if len(rows) == limit else None
    )


def attempts(session: Session, operation_id: str) -> Attempts:
    """What was signed and sent for an operation.

    Raises:
        NotFound: There is none.
    """
    operation = find(session, operation_id)
    rows = control.transactions_of(session, operation)
    return Attempts(
        operation=OperationView.of(operation),
        signer=operation.signer,
        deadline_at=operation.deadline_at,
        cancel_asked=operation.cancel_asked,
        transactions=[SignedTransaction.of(row) for row in rows],
        before=operation.attempts,
    )


def cancel(session: Session, operation_id: str) -> Operation:
    """Gives an operation up.

    Raises:
        NotFound: There is none.
        Conflict: It has ended.
    """
    operation = _locked(session, operation_id)
    try:
        control.cancel(session, operation)
    except control.NotPossible as error:
        raise Conflict(error.code, str(error), state=operation.status) from error
    return operation


def requeue(session: Session, gateway: Gateway, operation_id: str) -> Operation:
    """Puts an operation that failed back into the queue, under another key of its role where its own takes no work.

    Raises:
        NotFound: There is none.
        Conflict: It did not fail, or its transaction may come back.
    """
    operation = _locked(session, operation_id)
    try:
        control.requeue(session, operation)
    except control.NotPossible as error:
        raise Conflict(error.code, str(error), state=operation.status) from error
    role = role_of(operation.signer)
    if not gateway.pools.takes_work(operation.signer) and gateway.pools.members(role):
        operation.signer = gateway.pools.choose(session, role, operation.lane)
    return operation


def _locked(session: Session, operation_id: str) -> Operation:
    operation = control.lock(session, operation_id)
    if operation is None:
        raise NotFound("operation", operation_id)
    return operation
