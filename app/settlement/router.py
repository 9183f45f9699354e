"""`/v1/write-offs`, `/v1/redemptions/{id}/reject` and `/recover`, `/v1/suppliers/{uscc}/ledger`."""

from fastapi import APIRouter, Depends, Response

from app.auth.roles import Role
from app.entities.service import find as find_organisation
from app.errors import NotFound
from app.operations.schemas import Accepted
from app.route import CommandRoute, CommandSession, QuerySession, Reader, TheGateway, only
from app.settlement import service
from app.settlement.schemas import NewRecovery, NewRejection, NewWriteOff, SupplierLedger
from app.vouchers.answers import accepted
from app.vouchers.schemas import PathId

router = APIRouter(
    prefix="/v1", tags=["settlement"], route_class=CommandRoute, dependencies=[Depends(only(Role.FINANCE))]
)
queries = APIRouter(prefix="/v1", tags=["settlement"])


@router.post("/write-offs", status_code=202)
def write_off(body: NewWriteOff, response: Response, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Settles up to 50 redemptions against one payment reference, all or none (核销)."""
    return accepted(response, service.write_off(session, gateway, body))


@router.post("/redemptions/{redemption_id}/reject", status_code=202)
def reject(
    redemption_id: PathId, body: NewRejection, response: Response, session: CommandSession, gateway: TheGateway
) -> Accepted:
    """Undoes a provisional redemption; the value returns to voucher, caps and budget (驳回)."""
    return accepted(response, service.reject(session, gateway, redemption_id, body))


@router.post("/redemptions/{redemption_id}/recover", status_code=202)
def recover(
    redemption_id: PathId, body: NewRecovery, response: Response, session: CommandSession, gateway: TheGateway
) -> Accepted:
    """Records money claimed back after payment; it returns to the budget (追回)."""
    return accepted(response, service.recover(session, gateway, redemption_id, body))


@queries.get("/suppliers/{uscc}/ledger")
def read_ledger(uscc: str, session: QuerySession, caller: Reader) -> SupplierLedger:
    """What a supplier is owed and was paid; for staff, and for itself."""
    if not caller.is_staff and caller.subject != uscc:
        raise NotFound("entity", uscc)
    return service.ledger(session, find_organisation(session, uscc))
