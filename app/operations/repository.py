"""SQL of operations."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from chain.relay.models import Operation, OperationStatus


def page(
    session: Session, *, status: OperationStatus | None, kind: str | None, ref: str | None, after: int, limit: int
) -> list[Operation]:
    """Operations in the order of acceptance.

    Args:
        after: Sequence number behind which the page begins.
    """
    query = select(Operation).where(Operation.seq > after).order_by(Operation.seq).limit(limit)
    if status is not None:
        query = query.where(Operation.status == status)
    if kind is not None:
        query = query.where(Operation.kind == kind)
    if ref is not None:
        query = query.where(Operation.ref == ref)
    return list(session.scalars(query))
