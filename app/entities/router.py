"""`/v1/entities`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.auth.roles import STAFF, Role
from app.auth.service import demand
from app.entities import importing, service
from app.entities.schemas import EntityPage, EntityView, ImportView, KeyChange, NewEntities, NewStanding, Reason
from app.errors import NotFound
from app.operations.schemas import Accepted
from app.route import CommandRoute, CommandSession, QuerySession, Reader, TheGateway, only

router = APIRouter(prefix="/v1/entities", tags=["entities"], route_class=CommandRoute)
queries = APIRouter(prefix="/v1/entities", tags=["entities"])
_TABLES = {
    "text/csv": {"schema": {"type": "string"}},
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
        "schema": {"type": "string", "format": "binary"}
    },
}


async def _raw(request: Request) -> bytes:
    return await request.body()


@router.post("", status_code=202, dependencies=[Depends(only(Role.REGISTRAR))])
def register(body: NewEntities, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Registers organisations, all or nothing."""
    return Accepted.of(service.register(session, gateway, body.entities))


@router.post(
    "/import",
    dependencies=[Depends(only(Role.REGISTRAR))],
    openapi_extra={"requestBody": {"required": True, "content": _TABLES}},
)
def import_entities(
    body: Annotated[bytes, Depends(_raw)],
    session: CommandSession,
    gateway: TheGateway,
    dry: Annotated[bool, Query(description="Only say what would be done, and what is wrong.")] = False,
) -> ImportView:
    """Registers the organisations of a CSV (UTF-8 or GB18030) or XLSX file, all or none. What is registered already is
    left as it is, so the same file twice changes nothing. `operations` are on their way to the chain."""
    return importing.run(session, gateway, body, dry=dry)


@router.post("/{uscc}/standing", status_code=202, dependencies=[Depends(only(Role.REGISTRAR))])
def set_standing(uscc: str, body: NewStanding, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Records whether an organisation may take part, and until when that holds."""
    return Accepted.of(service.set_standing(session, gateway, uscc, body))


@router.post("/{uscc}/freeze", status_code=202, dependencies=[Depends(only(Role.REGULATOR))])
def freeze(uscc: str, body: Reason, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Freezes an organisation everywhere."""
    return Accepted.of(service.freeze(session, gateway, uscc, body.reason))


@router.post("/{uscc}/unfreeze", status_code=202, dependencies=[Depends(only(Role.REGULATOR))])
def unfreeze(uscc: str, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Ends a freeze."""
    return Accepted.of(service.unfreeze(session, gateway, uscc))


@router.post("/{uscc}/keys/propose", status_code=202, dependencies=[Depends(only(Role.REGISTRAR))])
def propose_key(uscc: str, body: KeyChange, session: CommandSession, gateway: TheGateway) -> Accepted:
    """First approval of a key change."""
    return Accepted.of(service.propose_key(session, gateway, uscc, body))


@router.post("/{uscc}/keys/confirm", status_code=202, dependencies=[Depends(only(Role.REGULATOR))])
def confirm_key(uscc: str, body: KeyChange, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Second approval of a key change."""
    return Accepted.of(service.confirm_key(session, gateway, uscc, body))


@queries.get("")
def list_entities(
    session: QuerySession,
    caller: Reader,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> EntityPage:
    """Organisations in order of their numbers; for staff."""
    demand(caller, *STAFF)
    rows = service.page(session, after, limit)
    return EntityPage(items=service.views(session, rows), next=rows[-1].uscc if len(rows) == limit else None)


@queries.get("/{uscc}")
def read_entity(uscc: str, session: QuerySession, caller: Reader) -> EntityView:
    """One organisation; for staff, and for itself."""
    if not caller.is_staff and caller.subject != uscc:
        raise NotFound("entity", uscc)
    return service.views(session, [service.find(session, uscc)])[0]
