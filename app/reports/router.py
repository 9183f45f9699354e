"""`/v1/reports`: for staff."""

from datetime import date
from typing import Literal

from fastapi import APIRouter

from app.auth.roles import STAFF
from app.auth.service import demand
from app.reports import service
from app.reports.schemas import Flows, Overview, Refusals
from app.route import QuerySession, Reader, TheGateway

Dimension = Literal["programmes", "periods", "tiers", "regions", "kinds", "suppliers"]

router = APIRouter(prefix="/v1/reports", tags=["reports"])


@router.get("/overview")
def read_overview(session: QuerySession, caller: Reader, gateway: TheGateway) -> Overview:
    """All programmes: applied, approved, issued, redeemed, written off, returned, remaining (总览)."""
    demand(caller, *STAFF)
    return service.overview(session, gateway)


@router.get("/flows")
def read_flows(
    session: QuerySession,
    caller: Reader,
    gateway: TheGateway,
    *,
    dimension: Dimension = "programmes",
    by: Literal["day", "month"] = "month",
    first: date = date(2000, 1, 1),
    last: date = date(9999, 12, 31),
) -> Flows:
    """What was issued, redeemed, written off, rejected, recovered and returned, by day or month."""
    demand(caller, *STAFF)
    return service.flows(session, gateway, dimension=dimension, by=by, first=first, last=last)


@router.get("/refusals")
def read_refusals(session: QuerySession, caller: Reader, gateway: TheGateway) -> Refusals:
    """What was refused or rejected, by reason."""
    demand(caller, *STAFF)
    return service.refusals(session, gateway)
