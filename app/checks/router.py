"""`/v1/holds`, `/v1/claims/{id}/checks`, `/v1/check-tables`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.auth.roles import Role
from app.checks import repository, service, tables
from app.checks.schemas import (
    CheckCode,
    ClaimChecks,
    Decision,
    HoldPage,
    HoldState,
    HoldView,
    Imported,
    NewTable,
    RerunView,
    TableName,
)
from app.entities.tables import TABLE_FILES
from app.route import Caller, CommandRoute, CommandSession, QuerySession, Reader, only

router = APIRouter(
    prefix="/v1/holds", tags=["checks"], route_class=CommandRoute, dependencies=[Depends(only(Role.REVIEWER))]
)
queries = APIRouter(prefix="/v1", tags=["checks"])
imports = APIRouter(
    prefix="/v1/check-tables", tags=["checks"], route_class=CommandRoute, dependencies=[Depends(only(Role.REGISTRAR))]
)


@router.post("/{hold_id}/release")
def release(hold_id: str, body: Decision, session: CommandSession, caller: Caller) -> HoldView:
    """Lets a held claim go on: it is checked and presented again, and what was looked at does not hold it any more."""
    return service.decide_hold(session, caller, hold_id, repository.RELEASED, body.reason)


@router.post("/{hold_id}/reject")
def reject(hold_id: str, body: Decision, session: CommandSession, caller: Caller) -> HoldView:
    """Refuses a held claim."""
    return service.decide_hold(session, caller, hold_id, repository.REJECTED, body.reason)


@queries.get("/holds")
def list_holds(
    *,
    session: QuerySession,
    caller: Reader,
    state: HoldState | None = "open",
    programme_id: Annotated[int | None, Query(ge=1, le=65535)] = None,
    code: CheckCode | None = None,
    after: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> HoldPage:
    """Claims that wait for a person, oldest first, each with its findings and what they rest on; for staff."""
    return service.page(session, caller, state=state, programme_id=programme_id, code=code, after=after, limit=limit)


@queries.get("/holds/{hold_id}")
def read_hold(hold_id: str, session: QuerySession, caller: Reader) -> HoldView:
    """One hold; for staff."""
    return service.find_hold(session, caller, hold_id)


@queries.get("/claims/{claim_id}/checks")
def read_checks(claim_id: str, session: QuerySession, caller: Reader) -> ClaimChecks:
    """Every check of a claim with version, inputs and outcome, and what persons decided; for staff."""
    return service.checks_of(session, caller, claim_id)


@queries.get("/claims/{claim_id}/checks/rerun")
def rerun_checks(claim_id: str, session: QuerySession, caller: Reader) -> list[RerunView]:
    """The same checks made again, with the rules of their day and with today's; for staff. Changes nothing."""
    return service.rerun(session, caller, claim_id)


async def _raw(request: Request) -> bytes:
    return await request.body()


@imports.post("/{table}/file", openapi_extra={"requestBody": {"required": True, "content": TABLE_FILES}})
def import_table_file(
    table: TableName,
    body: Annotated[bytes, Depends(_raw)],
    session: CommandSession,
    dry: Annotated[bool, Query(description="Only say what would be done, and what is wrong.")] = False,
) -> Imported:
    """The same by the bytes of a CSV (UTF-8) or XLSX file."""
    return tables.take(session, table, body, preview=dry)


@imports.post("/{table}")
def import_table(table: TableName, body: NewTable, session: CommandSession) -> Imported:
    """Imports blacklists (uscc, list_name), registered capacities (uscc, cards) or fair prices (resource, price_fen),
    each with from and to, days of China. Claims are checked against them from then on, those that wait too."""
    return tables.take(session, table, body.content, preview=body.preview)
