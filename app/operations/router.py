"""`/v1/operations`."""

from fastapi import APIRouter

from app.operations.schemas import OperationView
from app.operations.service import find
from app.route import QuerySession, Reader

router = APIRouter(prefix="/v1/operations", tags=["operations"])


@router.get("/{operation_id}")
def read_operation(operation_id: str, session: QuerySession, caller: Reader) -> OperationView:
    """What became of an accepted command. Operation ids cannot be guessed; whoever was given one may ask."""
    return OperationView.of(find(session, operation_id))
