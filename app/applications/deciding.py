"""Gathers the reviewers' decisions: signatures stage by stage until the voucher is issued, or a rejection."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.applications import approvals, four_eyes, repository
from app.applications.answers import ApprovalData
from app.applications.models import Application, ApplicationApproval
from app.applications.reasons import reasons_of
from app.applications.schemas import NewApproval, Rejection
from app.applications.states import Action, after
from app.applications.steps import Actor, move
from app.applications.submission import demand_open, part_of, policy_of
from app.auth.service import Principal
from app.clock import now
from app.errors import Conflict, Invalid, NotFound
from app.gateway import Gateway
from app.indexer.models import Programme, Stage
from app.operations.service import submit
from app.policies.model import ProgrammePart
from app.programmes.service import find as find_programme
from chain.relay.models import Operation

DAY_S = 86400
SPARE_S = 600
"""How much longer than now an approval must hold to be sent to the chain."""


def locked(session: Session, application_id: str) -> tuple[Application, str]:
    """An application and its state, held until the command ends.

    Raises:
        NotFound: There is none.
    """
    repository.lock(session, application_id)
    found = repository.find(session, application_id)
    if found is None:
        raise NotFound("application", application_id)
    return found[0], found[1]


def approve(
    session: Session, gateway: Gateway, caller: Principal, application_id: str, body: NewApproval
) -> Operation | None:
    """Takes a reviewer's signature; with the last one that is needed, and where nothing is put on public display, puts
    the issue into the outbox.

    Raises:
        NotFound: There is no such application.
        Conflict: It is not under review, the programme is not open, or the reviewer approved it before.
        Invalid: The stage is not the one under review, or the signature is not an approver's over this application.
        ApiError: 403 for those who applied, or rejected it before.
    """
    application, state = locked(session, application_id)
    after(state, Action.SIGN)
    programme = find_programme(session, application.programme_id)
    demand_open(session, programme)
    stages = repository.stages(session, [programme.id])[programme.id]
    stage = named_stage(stages, body.stage)
    if stage.index != application.stage:
        waiting = stages[application.stage].name
        raise Invalid("/stage", "stage_under_review", f"the application waits in stage {waiting}")
    part = part_of(programme, policy_of(session, programme))
    lasting = publicity_seconds(part, stage.index)
    four_eyes.demand_no_applicant(session, application, four_eyes.caller_names(gateway, caller))
    approval = approvals.take(session, gateway, caller, body, application=application, stage=stage, lasting_s=lasting)
    names = four_eyes.signer_names(gateway, approval.signer)
    four_eyes.demand_no_applicant(session, application, names)
    four_eyes.demand_not_decided(session, application, names, four_eyes.AGAINST)

    taken = repository.approvals(session, [application.id])[application.id]
    if any(other.signer == approval.signer for other in taken):
        raise Conflict("already_approved", f"0x{approval.signer.hex()} approved this application before.")
    session.add(approval)
    session.flush()
    name = min(names, key=lambda one: one.startswith("0x"))
    actor = Actor(name, caller.role.value, caller.key_id if approval.custodial else "", approval.signer)
    return _signed(session, gateway, application, actor, part=part, stages=stages, taken=[*taken, approval])


def _signed(
    session: Session,
    gateway: Gateway,
    application: Application,
    actor: Actor,
    *,
    part: ProgrammePart | None,
    stages: Sequence[Stage],
    taken: Sequence[ApplicationApproval],
) -> Operation | None:
    """What follows from one more signature in the stage under review."""
    stage = stages[application.stage]
    if sum(1 for one in taken if one.stage == stage.index) < stage.required:
        move(session, application, Action.SIGN, actor)
        return None
    days = part.stages[stage.index].publicity_days if part else 0
    if days:
        move(session, application, Action.PUBLISH, actor, note=f"publicity of {days} days")
        application.publicity_until = now() + days * DAY_S
        return None
    following = first_lacking(stages, taken)
    if following < len(stages):
        move(session, application, Action.SIGN, actor, stage=following)
        return None
    move(session, application, Action.APPROVE, actor, stage=following)
    return send_issue(session, gateway, application, taken)


def end_publicity(session: Session, gateway: Gateway, application: Application) -> None:
    """Lets an application go on whose time on public display is over and to which no objection is open; anything else
    is left as it is."""
    if application.publicity_until is None or application.publicity_until > now():
        return
    if repository.open_exchanges(session, application.id, "objection"):
        return
    stages = repository.stages(session, [application.programme_id])[application.programme_id]
    taken = repository.approvals(session, [application.id])[application.id]
    late = [one for one in taken if one.deadline <= now() + SPARE_S]
    for one in late:
        # An objection may have taken longer than the signature holds: the contract would not take it any more.
        session.delete(one)
    following = first_lacking(stages, [one for one in taken if one not in late])
    if following < len(stages):
        note = "approvals ran out meanwhile" if late else None
        move(session, application, Action.CONTINUE, Actor(), stage=following, note=note)
    else:
        move(session, application, Action.APPROVE, Actor(), stage=following)
        send_issue(session, gateway, application, taken)


def publicity_seconds(part: ProgrammePart | None, stage: int) -> int:
    """How long what is approved in a stage may still be on public display before it is issued."""
    return 0 if part is None else DAY_S * sum(one.publicity_days for one in part.stages[stage:])


def first_lacking(stages: Sequence[Stage], taken: Sequence[ApplicationApproval]) -> int:
    """Index of the first stage that lacks approvals; the number of stages where none does."""
    return next(
        (stage.index for stage in stages if sum(1 for one in taken if one.stage == stage.index) < stage.required),
        len(stages),
    )


def issue_again(session: Session, gateway: Gateway, caller: Principal, application_id: str) -> Operation:
    """Sends an approved application to the chain once more, after the contract refused it; for example once a lapsed
    standing was renewed.

    Raises:
        NotFound: There is no such application.
        Conflict: It was not refused.
    """
    application, state = locked(session, application_id)
    move(session, application, Action.ISSUE, Actor.of(caller), state=state)
    taken = repository.approvals(session, [application.id])[application.id]
    return send_issue(session, gateway, application, taken)


def reopen(session: Session, caller: Principal, application_id: str) -> None:
    """Puts an application that the contract refused before the reviewers again, without the approvals that it had; for
    example because they ran out.

    Raises:
        NotFound: There is no such application.
        Conflict: It was not refused.
    """
    application, state = locked(session, application_id)
    drop_approvals(session, application)
    application.operation_id = None
    move(session, application, Action.REOPEN, Actor.of(caller), state=state, stage=0)


def drop_approvals(session: Session, application: Application) -> None:
    """Takes all signatures away; the history keeps who signed and when."""
    for approval in repository.approvals(session, [application.id])[application.id]:
        session.delete(approval)
    session.flush()


def send_issue(
    session: Session, gateway: Gateway, application: Application, taken: Sequence[ApplicationApproval]
) -> Operation:
    """Puts the issue of an application's voucher into the outbox."""
    operation = submit(
        session,
        gateway,
        kind="issue",
        signer="relayer",
        lane=f"voucher:{application.voucher_id}",
        contract="VoucherLedger",
        function="issue",
        args=[approvals.order_of(application, taken)],
        ref=application.id,
    )
    application.operation_id = operation.id
    return operation


def approval_data(
    session: Session, gateway: Gateway, application_id: str, stage: str, deadline: int | None
) -> ApprovalData:
    """What a reviewer signs outside for a stage.

    Raises:
        NotFound: There is no such application.
        ApiError: 422 if there is no such stage.
    """
    found = repository.find(session, application_id)
    if found is None:
        raise NotFound("application", application_id)
    application = found[0]
    programme = find_programme(session, application.programme_id)
    stages = repository.stages(session, [programme.id])[programme.id]
    named = named_stage(stages, int(stage) if stage.isdecimal() else stage, place="query/stage")
    if deadline is None:
        lasting = publicity_seconds(part_of(programme, policy_of(session, programme)), named.index)
        deadline = now() + approvals.APPROVAL_SECONDS + lasting
    return approvals.data(gateway, application, named.index, deadline)


def reject(session: Session, gateway: Gateway, caller: Principal, application_id: str, body: Rejection) -> None:
    """Rejects an application.

    Raises:
        NotFound: There is no such application.
        Conflict: It is not under review.
        Invalid: The reason is not on the programme's list.
        ApiError: 403 for those who applied, or rejected it before.
    """
    application, state = locked(session, application_id)
    after(state, Action.REJECT)
    names = four_eyes.caller_names(gateway, caller)
    four_eyes.demand_no_applicant(session, application, names)
    four_eyes.demand_not_decided(session, application, names, four_eyes.AGAINST)
    rejected(session, application, Actor.of(caller), Action.REJECT, body)


def rejected(session: Session, application: Application, actor: Actor, action: Action, body: Rejection) -> None:
    """Notes a rejection with its reason, and until when it can be appealed.

    Raises:
        Invalid: The reason is not on the programme's list.
    """
    programme: Programme = find_programme(session, application.programme_id)
    part = part_of(programme, policy_of(session, programme))
    known = reasons_of(part)
    if body.reason_code not in known:
        raise Invalid("/reason_code", "known_reason", f"the programme's reasons are: {', '.join(sorted(known))}")
    appealed = repository.exchanges(session, [application.id], "appeal")[application.id]
    days = part.appeal_days if part else 0
    application.appeal_until = now() + days * DAY_S if days and not appealed else None
    application.reason_code, application.reason = body.reason_code, body.reason
    for question in repository.open_exchanges(session, application.id, "clarification"):
        question.outcome, question.replied_at = "closed", now()
    move(session, application, action, actor, note=f"{body.reason_code}: {body.reason}")


def named_stage(stages: Sequence[Stage], named: int | str, place: str = "/stage") -> Stage:
    """A stage by its index or name.

    Raises:
        Invalid: There is none.
    """
    for stage in stages:
        if named in (stage.index, stage.name):
            return stage
    known = ", ".join(f"{stage.index} {stage.name}" for stage in stages)
    raise Invalid(place, "known_stage", f"the programme's stages are: {known}")
