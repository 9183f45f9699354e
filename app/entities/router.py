"""`/v1/entities`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.auth.roles import STAFF, Role
from app.auth.service import demand
from app.entities import claimants, importing, service
from app.entities.schemas import (
    EntityPage,
    EntityView,
    FactsView,
    ImportView,
    KeyChange,
    NewEntities,
    NewFacts,
    NewStanding,
    Reason,
)
from app.entities.tables import TABLE_FILES
from app.errors import NotFound
from app.operations.schemas import Accepted
from app.orders import service as orders
from app.route import (
    Caller,
    CommandRoute,
    CommandSession,
    Prepared,
    QuerySession,
    Reader,
    TheGateway,
    only,
    preparing,
)

router = APIRouter(prefix="/v1/entities", tags=["entities"], route_class=CommandRoute)
imports = APIRouter(prefix="/v1/entities", tags=["entities"], route_class=preparing(importing.read, Role.REGISTRAR))
queries = APIRouter(prefix="/v1/entities", tags=["entities"])


@router.post("", status_code=202, dependencies=[Depends(only(Role.REGISTRAR))])
def register(body: NewEntities, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Registers organisations, all or nothing."""
    return Accepted.of(service.register(session, gateway, body.entities))


@imports.post(
    "/import",
    dependencies=[Depends(only(Role.REGISTRAR))],
    openapi_extra={"requestBody": {"required": True, "content": TABLE_FILES}},
)
def import_entities(
    read: Annotated[importing.Read, Prepared],
    session: CommandSession,
    gateway: TheGateway,
    dry: Annotated[bool, Query(description="Only say what would be done, and what is wrong.")] = False,
) -> ImportView:
    """Registers the organisations of a CSV (UTF-8 or GB18030) or XLSX file, all or none. What is registered already is
    left as it is, so the same file twice changes nothing. `operations` are on their way to the chain."""
    return importing.run(session, gateway, read, dry=dry)


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


@router.put("/{uscc}/facts", dependencies=[Depends(only(Role.REGISTRAR))])
def confirm_facts(uscc: str, body: NewFacts, session: CommandSession, gateway: TheGateway, caller: Caller) -> FactsView:
    """Records what an officer confirmed of an organisation; vouchers that are issued without a reviewer rest on it.
    Orders that waited for it are decided."""
    return orders.confirm(session, gateway, caller, uscc, body.facts.model_dump(exclude_unset=True))


@queries.get("/{uscc}/facts")
def read_facts(uscc: str, session: QuerySession, caller: Reader) -> FactsView:
    """What was confirmed of an organisation; for staff, and for itself."""
    if not caller.is_staff and caller.subject != uscc:
        raise NotFound("entity", uscc)
    found = claimants.confirmed(session, uscc)
    if found is None:
        raise NotFound("facts", uscc)
    return found


@queries.get("/{uscc}")
def read_entity(uscc: str, session: QuerySession, caller: Reader) -> EntityView:
    """One organisation; for staff, and for itself."""
    if not caller.is_staff and caller.subject != uscc:
        raise NotFound("entity", uscc)
    return service.views(session, [service.find(session, uscc)])[0]
