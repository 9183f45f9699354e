"""`/v1/reports`: for staff."""

from fastapi import APIRouter

from app.auth.roles import STAFF
from app.auth.service import demand
from app.reports import service
from app.reports.schemas import Overview, Refusals
from app.route import QuerySession, Reader, TheGateway

router = APIRouter(prefix="/v1/reports", tags=["reports"])


@router.get("/overview")
def read_overview(session: QuerySession, caller: Reader, gateway: TheGateway) -> Overview:
    """All programmes: applied, approved, issued, redeemed, written off, returned, remaining (总览)."""
    demand(caller, *STAFF)
    return service.overview(session, gateway)


@router.get("/refusals")
def read_refusals(session: QuerySession, caller: Reader, gateway: TheGateway) -> Refusals:
    """What was refused or rejected, by reason."""
    demand(caller, *STAFF)
    return service.refusals(session, gateway)
