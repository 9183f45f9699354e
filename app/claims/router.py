"""`/v1/claims`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from app.auth.roles import Role
from app.claims import service
from app.claims.schemas import ClaimPage, ClaimView, NewClaims, TakenClaims
from app.route import Caller, CommandRoute, CommandSession, QuerySession, Reader, only

router = APIRouter(prefix="/v1/claims", tags=["claims"], route_class=CommandRoute)
queries = APIRouter(prefix="/v1/claims", tags=["claims"])

StateName = Literal["waiting", "presented", "redeemed", "refused", "rejected", "held"]


@router.post("", status_code=201, dependencies=[Depends(only(Role.PLATFORM, Role.ENTERPRISE, Role.OPERATOR))])
def claim(body: NewClaims, session: CommandSession, caller: Caller) -> TakenClaims:
    """Claims vouchers for trades in evidence, all or none. Each is presented to the contract once its evidence is
    anchored; first-come programmes in order of trade time, where a claim waits for the earlier ones that stand before
    it. A claim that comes after a later trade was paid is refused by the contract (VoucherLedger_OutOfOrder)."""
    return service.take(session, caller, body)


@queries.get("")
def list_claims(
    *,
    session: QuerySession,
    caller: Reader,
    programme_id: Annotated[int | None, Query(ge=1, le=65535)] = None,
    voucher_id: Annotated[int | None, Query(gt=0, lt=2**48)] = None,
    evidence_id: Annotated[str | None, Query(max_length=64)] = None,
    state: StateName | None = None,
    after: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ClaimPage:
    """Claims, oldest first; an organisation sees those in which it has a part."""
    return service.page(
        session,
        caller,
        programme_id=programme_id,
        voucher_id=voucher_id,
        evidence_id=evidence_id,
        state=state,
        after=after,
        limit=limit,
    )


@queries.get("/{claim_id}")
def read_claim(claim_id: str, session: QuerySession, caller: Reader) -> ClaimView:
    """One claim and what became of it."""
    return service.view_of(service.find(session, caller, claim_id))
