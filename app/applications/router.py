"""`/v1/applications`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from app.applications import service
from app.applications.approvals import APPROVAL_SECONDS
from app.applications.schemas import (
    ApplicationPage,
    ApplicationView,
    ApprovalData,
    NewApplication,
    NewApproval,
    Rejection,
)
from app.auth.roles import STAFF, Role
from app.auth.service import demand
from app.clock import now
from app.operations.schemas import Accepted
from app.route import Caller, CommandRoute, CommandSession, QuerySession, Reader, TheGateway, only
from app.vouchers.answers import accepted

router = APIRouter(prefix="/v1/applications", tags=["applications"], route_class=CommandRoute)
queries = APIRouter(prefix="/v1/applications", tags=["applications"])

StateName = Literal["submitted", "under_review", "approved", "rejected", "withdrawn", "issued", "refused"]


@router.post("", status_code=201, dependencies=[Depends(only(Role.ENTERPRISE, Role.OPERATOR, Role.PLATFORM))])
def apply(
    body: NewApplication, response: Response, session: CommandSession, gateway: TheGateway, caller: Caller
) -> ApplicationView:
    """Hands in an application: an enterprise its own, operators and platforms on behalf of one."""
    application = service.submit_application(session, gateway, caller, body)
    response.headers["location"] = f"/v1/applications/{application.id}"
    return service.view(session, caller, application.id)


@router.post(
    "/{application_id}/approvals",
    dependencies=[Depends(only(Role.REVIEWER))],
    responses={202: {"model": Accepted, "description": "The last approval: the voucher is being issued."}},
)
def approve(
    *,
    application_id: str,
    body: NewApproval,
    response: Response,
    session: CommandSession,
    gateway: TheGateway,
    caller: Caller,
) -> ApplicationView | Accepted:
    """Approves the stage under review. 200 with the application while approvals are missing; 202 with the operation
    that issues the voucher once none is."""
    operation = service.approve(session, gateway, caller, application_id, body)
    if operation is None:
        return service.view(session, caller, application_id)
    response.status_code = 202
    return accepted(response, operation)


@router.post("/{application_id}/issue", status_code=202, dependencies=[Depends(only(Role.OPERATOR))])
def issue_again(application_id: str, response: Response, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Sends an approved application to the chain once more, after the contract refused it."""
    return accepted(response, service.issue_again(session, gateway, application_id))


@router.post("/{application_id}/reject", dependencies=[Depends(only(Role.REVIEWER))])
def reject(application_id: str, body: Rejection, session: CommandSession, caller: Caller) -> ApplicationView:
    """Rejects an application, with the reason; final."""
    service.reject(session, application_id, body)
    return service.view(session, caller, application_id)


@router.post("/{application_id}/withdraw", dependencies=[Depends(only(Role.ENTERPRISE, Role.OPERATOR))])
def withdraw(application_id: str, session: CommandSession, caller: Caller) -> ApplicationView:
    """Takes an application back; final."""
    service.withdraw(session, caller, application_id)
    return service.view(session, caller, application_id)


@queries.get("")
def list_applications(
    *,
    session: QuerySession,
    caller: Reader,
    programme_id: Annotated[int | None, Query(ge=1, le=65535)] = None,
    uscc: Annotated[str | None, Query(max_length=64)] = None,
    state: StateName | None = None,
    after: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ApplicationPage:
    """Applications, oldest first; an organisation sees its own."""
    return service.page(session, caller, uscc=uscc, programme_id=programme_id, state=state, after=after, limit=limit)


@queries.get("/{application_id}")
def read_application(application_id: str, session: QuerySession, caller: Reader) -> ApplicationView:
    """One application and how far each stage is."""
    return service.view(session, caller, application_id)


@queries.get("/{application_id}/approval-data")
def read_approval_data(
    *,
    application_id: str,
    session: QuerySession,
    caller: Reader,
    gateway: TheGateway,
    stage: Annotated[str, Query(max_length=32, description="Index or name of the stage.")],
    deadline: Annotated[
        int | None, Query(gt=0, lt=2**32, description="Unix seconds; 30 days from now if unset.")
    ] = None,
) -> ApprovalData:
    """The EIP-712 typed data of an approval, to sign outside; for staff."""
    demand(caller, *STAFF)
    until = now() + APPROVAL_SECONDS if deadline is None else deadline
    return service.approval_data(session, gateway, application_id, stage, until)
