"""`/v1/applications`: what is done to applications."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from app.applications import deciding, exchanges
from app.applications.answers import ApplicationDetail
from app.applications.automatic import apply as take_application
from app.applications.schemas import Answer, AppealDecision, NewApplication, NewApproval, Rejection, Resolution, Said
from app.applications.views import view
from app.auth.roles import Role
from app.operations.schemas import Accepted
from app.route import Caller, CommandRoute, CommandSession, TheGateway, only
from app.schema import Schema
from app.vouchers.answers import accepted

router = APIRouter(prefix="/v1/applications", tags=["applications"], route_class=CommandRoute)

APPLICANT = Depends(only(Role.ENTERPRISE, Role.OPERATOR, Role.PLATFORM))
REVIEWER = Depends(only(Role.REVIEWER))
Number = Annotated[int, Path(ge=1, lt=2**31)]


@router.post("", status_code=201, dependencies=[APPLICANT])
def apply(
    body: NewApplication, response: Response, session: CommandSession, gateway: TheGateway, caller: Caller
) -> ApplicationDetail:
    """Hands in an application: an enterprise its own, operators and platforms on behalf of one. In a programme of mode
    instant (即领即享) the voucher is on its way with the answer, if the rules give it on confirmed facts."""
    application = take_application(session, gateway, caller, body)
    response.headers["location"] = f"/v1/applications/{application.id}"
    return view(session, caller, application.id)


@router.post(
    "/{application_id}/approvals",
    dependencies=[REVIEWER],
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
) -> ApplicationDetail | Accepted:
    """Approves the stage under review. 200 with the application while approvals are missing or it goes on public
    display; 202 with the operation that issues the voucher once nothing is missing."""
    operation = deciding.approve(session, gateway, caller, application_id, body)
    if operation is None:
        return view(session, caller, application_id)
    response.status_code = 202
    return accepted(response, operation)


@router.post("/{application_id}/reject", dependencies=[REVIEWER])
def reject(
    application_id: str, body: Rejection, session: CommandSession, gateway: TheGateway, caller: Caller
) -> ApplicationDetail:
    """Rejects an application, with a reason of the programme's list."""
    deciding.reject(session, gateway, caller, application_id, body)
    return view(session, caller, application_id)


@router.post("/{application_id}/withdraw", dependencies=[APPLICANT])
def withdraw(application_id: str, session: CommandSession, caller: Caller) -> ApplicationDetail:
    """Takes an application back; final."""
    exchanges.withdraw(session, caller, application_id)
    return view(session, caller, application_id)


@router.post("/{application_id}/clarifications", status_code=201, dependencies=[REVIEWER])
def ask(
    application_id: str, body: Said, session: CommandSession, gateway: TheGateway, caller: Caller
) -> ApplicationDetail:
    """Asks the applicant a question; the application waits for the answer."""
    exchanges.ask(session, gateway, caller, application_id, body)
    return view(session, caller, application_id)


@router.post("/{application_id}/clarifications/{number}/answer", dependencies=[APPLICANT])
def answer(
    application_id: str, number: Number, body: Answer, session: CommandSession, caller: Caller
) -> ApplicationDetail:
    """Answers a question. With new documents or facts the review begins anew: signatures covered the old ones."""
    exchanges.answer(session, caller, application_id, number, body)
    return view(session, caller, application_id)


class Raised(Schema):
    """An objection that was taken."""

    number: int


@router.post("/{application_id}/objections", status_code=201)
def object_to(application_id: str, body: Said, session: CommandSession, gateway: TheGateway, caller: Caller) -> Raised:
    """Raises an objection (异议) to an application on public display; anybody with a key may, but for the applicant.
    Nothing is issued while it is open."""
    return Raised(number=exchanges.object_to(session, gateway, caller, application_id, body))


@router.post(
    "/{application_id}/objections/{number}/resolution", dependencies=[Depends(only(Role.REVIEWER, Role.REGULATOR))]
)
def resolve(
    *,
    application_id: str,
    number: Number,
    body: Resolution,
    session: CommandSession,
    gateway: TheGateway,
    caller: Caller,
) -> ApplicationDetail:
    """Decides on an objection; for somebody who neither raised it nor approved the application."""
    exchanges.resolve(session, gateway, caller, application_id, number=number, body=body)
    return view(session, caller, application_id)


@router.post("/{application_id}/appeal", status_code=201, dependencies=[APPLICANT])
def appeal(application_id: str, body: Said, session: CommandSession, caller: Caller) -> ApplicationDetail:
    """Appeals against a rejection: once, within the policy's days."""
    exchanges.appeal(session, caller, application_id, body)
    return view(session, caller, application_id)


@router.post("/{application_id}/appeal/decision", dependencies=[REVIEWER])
def decide_appeal(
    application_id: str, body: AppealDecision, session: CommandSession, gateway: TheGateway, caller: Caller
) -> ApplicationDetail:
    """Decides on an appeal; for a reviewer who did not decide on the application before."""
    exchanges.decide_appeal(session, gateway, caller, application_id, body)
    return view(session, caller, application_id)


@router.post("/{application_id}/issue", status_code=202, dependencies=[Depends(only(Role.OPERATOR))])
def issue_again(
    application_id: str, response: Response, session: CommandSession, gateway: TheGateway, caller: Caller
) -> Accepted:
    """Sends an approved application to the chain once more, after the contract refused it."""
    return accepted(response, deciding.issue_again(session, gateway, caller, application_id))


@router.post("/{application_id}/reopen", dependencies=[Depends(only(Role.OPERATOR))])
def reopen(application_id: str, session: CommandSession, caller: Caller) -> ApplicationDetail:
    """Puts an application that the contract refused before the reviewers again; its approvals are dropped."""
    deciding.reopen(session, caller, application_id)
    return view(session, caller, application_id)
