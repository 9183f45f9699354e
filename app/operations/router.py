"""`/v1/operations`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.auth.roles import STAFF, Role
from app.auth.service import demand
from app.operations import service
from app.operations.schemas import Attempts, OperationPage, OperationView
from app.route import CommandRoute, CommandSession, QuerySession, Reader, TheGateway, only
from chain.relay.models import OperationStatus

router = APIRouter(prefix="/v1/operations", tags=["operations"])
commands = APIRouter(
    prefix="/v1/operations",
    tags=["operations"],
    route_class=CommandRoute,
    dependencies=[Depends(only(Role.OPERATOR))],
)


@router.get("")
def list_operations(
    session: QuerySession,
    caller: Reader,
    *,
    status: OperationStatus | None = None,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    ref: Annotated[str | None, Query(max_length=200)] = None,
    after: Annotated[str | None, Query(max_length=35)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OperationPage:
    """Operations, oldest first; for staff. Those that `failed` wait for an operator."""
    demand(caller, *STAFF)
    return service.page(session, status=status, kind=kind, ref=ref, after=after, limit=limit)


@router.get("/{operation_id}")
def read_operation(operation_id: str, session: QuerySession, caller: Reader) -> OperationView:
    """What became of an accepted command. Operation ids cannot be guessed; whoever was given one may ask."""
    return OperationView.of(service.find(session, operation_id))


@router.get("/{operation_id}/attempts")
def read_attempts(operation_id: str, session: QuerySession, caller: Reader) -> Attempts:
    """What was signed and sent for an operation; for staff."""
    demand(caller, *STAFF)
    return service.attempts(session, operation_id)


@commands.post("/{operation_id}/cancel", status_code=202)
def cancel(operation_id: str, session: CommandSession) -> OperationView:
    """Gives an operation up. Before it is broadcast it ends at once; afterwards a no-op is put in its place, and
    whichever of the two is mined decides. Ends one that failed for good."""
    return OperationView.of(service.cancel(session, operation_id))


@commands.post("/{operation_id}/requeue", status_code=202)
def requeue(operation_id: str, session: CommandSession, gateway: TheGateway) -> OperationView:
    """Puts an operation that failed back into the queue, once what made it fail is mended."""
    return OperationView.of(service.requeue(session, gateway, operation_id))
