"""What is raised and answered: questions of reviewers, objections during publicity, appeals; and withdrawal."""

from sqlalchemy.orm import Session

from app.applications import four_eyes, repository
from app.applications.deciding import drop_approvals, end_publicity, locked, rejected
from app.applications.models import Application, ApplicationExchange
from app.applications.schemas import Answer, AppealDecision, Document, Rejection, Resolution, Said
from app.applications.states import Action, after
from app.applications.steps import Actor, move
from app.applications.submission import set_content
from app.auth.roles import Role
from app.auth.service import Principal
from app.clock import now
from app.errors import Conflict, NotFound
from app.gateway import Gateway
from app.programmes.service import find as find_programme

CLARIFICATION, OBJECTION, APPEAL = "clarification", "objection", "appeal"


def ask(session: Session, gateway: Gateway, caller: Principal, application_id: str, body: Said) -> ApplicationExchange:
    """Asks the applicant; the application waits for the answer.

    Raises:
        NotFound: There is no such application.
        Conflict: It is not under review.
        ApiError: 403 for those who applied.
    """
    application, state = locked(session, application_id)
    after(state, Action.ASK)
    four_eyes.demand_no_applicant(session, application, four_eyes.caller_names(gateway, caller))
    row = _raise(session, application, CLARIFICATION, caller, body.text)
    move(session, application, Action.ASK, Actor.of(caller), note=body.text)
    return row


def answer(session: Session, caller: Principal, application_id: str, number: int, body: Answer) -> None:
    """Answers a question. New documents or facts change what the reviewers' signatures cover, so then the review begins
    anew.

    Raises:
        NotFound: There is no such application or question, or the caller has no part in it.
        Conflict: It was answered, or the application does not wait for it.
        Invalid: A document was not handed in, or is of a kind that is not taken.
    """
    application, state = locked(session, application_id)
    _demand_part(application, caller)
    row = _open(session, application_id, CLARIFICATION, number)
    after(state, Action.ANSWER)
    _reply(row, caller, "answered", body.text)
    stage = None
    if body.documents or body.facts:
        replaced = {(document.stage, document.name) for document in body.documents}
        stay = [
            Document(stage=one["stage"], name=one["name"], sha256=one["sha256"])
            for one in application.documents
            if (one["stage"], one["name"]) not in replaced
        ]
        programme = find_programme(session, application.programme_id)
        facts = {**application.facts, **body.facts}
        set_content(session, application, programme, [*stay, *body.documents], facts)
        drop_approvals(session, application)
        stage = 0
    move(session, application, Action.ANSWER, Actor.of(caller), stage=stage, note=body.text)


def object_to(session: Session, gateway: Gateway, caller: Principal, application_id: str, body: Said) -> int:
    """Raises an objection (异议) during publicity; its number. Nothing is issued while it is open.

    Raises:
        NotFound: There is no such application on public display.
        ApiError: 403 for those who applied.
    """
    application, state = locked(session, application_id)
    if application.publicity_until is None:
        raise NotFound("application", application_id)
    four_eyes.demand_no_applicant(session, application, four_eyes.caller_names(gateway, caller))
    row = _raise(session, application, OBJECTION, caller, body.text)
    move(session, application, Action.OBJECT, Actor.of(caller), state=state, note=f"objection {row.number}")
    return row.number


def resolve(
    session: Session, gateway: Gateway, caller: Principal, application_id: str, *, number: int, body: Resolution
) -> None:
    """Decides on an objection: upheld, the application is rejected; dismissed, it goes on.

    Raises:
        NotFound: There is no such application or objection.
        Conflict: It was decided.
        ApiError: 403 for those who applied, objected, or decided on the application before.
    """
    application, state = locked(session, application_id)
    row = _open(session, application_id, OBJECTION, number)
    action = Action.UPHOLD if body.outcome == "upheld" else Action.DISMISS
    after(state, action)
    names = four_eyes.caller_names(gateway, caller)
    four_eyes.demand_no_applicant(session, application, names)
    four_eyes.demand_not_decided(session, application, names, (Action.OBJECT, *four_eyes.SIGNING))
    _reply(row, caller, body.outcome, body.text)
    session.flush()
    if action is Action.UPHOLD:
        reason = Rejection(reason_code="objection_upheld", reason=body.text[:1000])
        rejected(session, application, Actor.of(caller), action, reason)
    else:
        move(session, application, action, Actor.of(caller), note=body.text)
        end_publicity(session, gateway, application)


def appeal(session: Session, caller: Principal, application_id: str, body: Said) -> None:
    """Appeals against a rejection: once, within the policy's days.

    Raises:
        NotFound: There is no such application, or the caller has no part in it.
        Conflict: It was not rejected, was appealed before, or the time is over.
    """
    application, state = locked(session, application_id)
    _demand_part(application, caller)
    after(state, Action.APPEAL)
    if repository.exchanges(session, [application_id], APPEAL)[application_id]:
        raise Conflict("appeal_used", "The rejection was appealed before; an appeal is heard once.")
    if application.appeal_until is None or application.appeal_until < now():
        raise Conflict("appeal_closed", "The time for an appeal is over.", appeal_until=application.appeal_until)
    _raise(session, application, APPEAL, caller, body.text)
    application.appeal_until = None
    move(session, application, Action.APPEAL, Actor.of(caller), note=body.text)


def decide_appeal(
    session: Session, gateway: Gateway, caller: Principal, application_id: str, body: AppealDecision
) -> None:
    """Decides on an appeal: granted, the application is under review again, in the stage in which it was rejected.

    Raises:
        NotFound: There is no such application.
        Conflict: No appeal is open.
        ApiError: 403 for those who applied, or decided on the application before.
    """
    application, state = locked(session, application_id)
    action = Action.GRANT if body.outcome == "granted" else Action.DENY
    after(state, action)
    names = four_eyes.caller_names(gateway, caller)
    four_eyes.demand_no_applicant(session, application, names)
    four_eyes.demand_not_decided(session, application, names, four_eyes.DECIDING)
    _reply(_open(session, application_id, APPEAL, 1), caller, body.outcome, body.text)
    if action is Action.GRANT:
        application.reason_code = application.reason = None
    move(session, application, action, Actor.of(caller), note=body.text)


def withdraw(session: Session, caller: Principal, application_id: str) -> None:
    """Takes an application back; final.

    Raises:
        NotFound: There is no such application, or it is another organisation's.
        Conflict: It is decided.
    """
    application, state = locked(session, application_id)
    _demand_part(application, caller)
    move(session, application, Action.WITHDRAW, Actor.of(caller), state=state)


def _demand_part(application: Application, caller: Principal) -> None:
    """Lets the organisation itself, operators, and who handed it in act for the applicant."""
    mine = caller.subject == application.uscc or caller.key_id == application.submitted_by
    if not (mine or caller.role is Role.OPERATOR):
        raise NotFound("application", application.id)


def _raise(session: Session, application: Application, kind: str, caller: Principal, text: str) -> ApplicationExchange:
    row = ApplicationExchange(
        application_id=application.id,
        kind=kind,
        number=1 + len(repository.exchanges(session, [application.id], kind)[application.id]),
        stage=application.stage,
        text=text,
        raised_by=caller.subject or caller.role.value,
        raised_key=caller.key_id,
        raised_at=now(),
    )
    session.add(row)
    session.flush()
    return row


def _open(session: Session, application_id: str, kind: str, number: int) -> ApplicationExchange:
    row = session.get(ApplicationExchange, (application_id, kind, number))
    if row is None:
        raise NotFound(kind, number)
    if row.outcome is not None:
        raise Conflict(f"{kind}_closed", f"This {kind} is {row.outcome} already.", outcome=row.outcome)
    return row


def _reply(row: ApplicationExchange, caller: Principal, outcome: str, text: str) -> None:
    row.outcome, row.reply = outcome, text
    row.replied_by, row.replied_at = caller.subject or caller.role.value, now()
