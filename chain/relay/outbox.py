"""The relay's letter box: what is put here is sent once the caller's transaction commits, and only then."""

import time
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import UNFINISHED, Operation, OperationStatus

# Marks a session whose commit the relay should hear of; see wakeup.py.
ENQUEUED = "operations_enqueued"


def enqueue(
    session: Session,
    *,
    kind: str,
    signer: str,
    to: bytes,
    data: bytes,
    lane: str | None = None,
    ref: str | None = None,
    gas_limit: int | None = None,
    deadline_at: int | None = None,
) -> Operation:
    """Adds an operation to the caller's session and commits nothing: acknowledged means the caller's commit returned.

    Args:
        kind: what it does, for people, for example `redeem`.
        signer: name of the key that sends it.
        to: 20-byte address of the contract.
        data: call data.
        lane: what its order is kept within, for `lane_signer`; null where nothing depends on the order.
        ref: what it is for, an id of the caller's.
        gas_limit: gas to give to a call that cannot be refused as a whole, such as a batch whose items are refused one
            by one: it is sent without simulation. By default a call is simulated and its gas estimated, with a
            reserve for state that moves meanwhile.
        deadline_at: Unix seconds from which it shall not take effect any more; by default never.
    """
    now = int(time.time())
    operation = Operation(
        id=f"op_{uuid4().hex}",
        kind=kind,
        signer=signer,
        lane=lane,
        to=to,
        data=data,
        gas_limit=gas_limit,
        ref=ref,
        deadline_at=deadline_at,
        status=OperationStatus.QUEUED,
        created_at=now,
        updated_at=now,
        place=0,
        alone=False,
        cancel_asked=False,
        attempts=[],
    )
    session.add(operation)
    session.info[ENQUEUED] = True
    return operation


def lane_signer(session: Session, lane: str) -> str | None:
    """Name of the key that sends the newest unfinished operation of a lane; None if there is none."""
    query = (
        select(Operation.signer)
        .where(Operation.lane == lane, Operation.status.in_(UNFINISHED))
        .order_by(Operation.seq.desc())
        .limit(1)
    )
    return session.scalar(query)


def get_operation(session: Session, operation_id: str) -> Operation | None:
    """An operation by its id; None if there is none."""
    return session.scalar(select(Operation).where(Operation.id == operation_id))
