"""`/v1/claims`."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from app.auth.roles import Role
from app.auth.service import demand
from app.claims import rounds, service
from app.claims.past_trades import past_trades
from app.claims.schemas import ClaimPage, ClaimView, NewClaims, RoundPage, TakenClaims
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


@queries.get("/rounds")
def list_rounds(
    *,
    session: QuerySession,
    _caller: Reader,
    programme_id: Annotated[int, Query(ge=1, le=65535)],
    after: date | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> RoundPage:
    """The rounds of a programme that pays in order of trade time, by day of trade: when each begins, how many claims
    wait, what was paid, and how many were paid in part as the budget was used up. None for other programmes."""
    return rounds.page(session, programme_id, after, limit)


@queries.get("/trades", response_class=Response)
def list_trades(session: QuerySession, caller: Reader, programme_id: Annotated[int, Query(ge=1, le=65535)]) -> Response:
    """The trades that were claimed under a programme, a question of a quotation in each line (NDJSON), for
    `suanquan policy simulate`; for operators and regulators."""
    demand(caller, Role.OPERATOR, Role.REGULATOR)
    lines = (msgspec.json.encode(one) for one in past_trades(session, programme_id))
    return Response(b"".join(line + b"\n" for line in lines), media_type="application/x-ndjson")


@queries.get("/{claim_id}")
def read_claim(claim_id: str, session: QuerySession, caller: Reader) -> ClaimView:
    """One claim and what became of it."""
    return service.view_of(service.find(session, caller, claim_id))
