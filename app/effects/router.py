"""`/v1/effects`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.auth.roles import Role
from app.effects import service
from app.effects.schemas import EffectPage, EffectView, NewEffect
from app.route import Caller, CommandRoute, CommandSession, QuerySession, Reader, only

router = APIRouter(prefix="/v1/effects", tags=["effects"], route_class=CommandRoute)
queries = APIRouter(prefix="/v1/effects", tags=["effects"])


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(only(Role.ENTERPRISE, Role.OPERATOR))],
    responses={200: {"model": EffectView, "description": "Reported so before: the report that counts."}},
)
def report(body: NewEffect, session: CommandSession, caller: Caller, response: Response) -> EffectView:
    """Reports what became of a subsidy in a year: application field, capacity, revenue. A second report for the same
    year corrects the first, which is kept. Operators enter what was handed in on paper."""
    response.status_code, view = service.report(session, caller, body)
    return view


@queries.get("")
def list_effects(
    *,
    session: QuerySession,
    caller: Reader,
    programme_id: Annotated[int | None, Query(ge=1, le=65535)] = None,
    uscc: Annotated[str | None, Query(max_length=64)] = None,
    year: Annotated[int | None, Query(ge=2000, le=2200)] = None,
    after: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> EffectPage:
    """Reports that count, by programme and year; an organisation sees its own."""
    return service.page(session, caller, programme_id=programme_id, uscc=uscc, year=year, after=after, limit=limit)
