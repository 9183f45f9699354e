"""Shows applications to those who may see them."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.applications import repository
from app.applications.answers import (
    ApplicationDetail,
    ApplicationPage,
    ApplicationView,
    ExchangeView,
    ManifestFile,
    MayAct,
    StageProgress,
    StepView,
)
from app.applications.models import ApplicationExchange, ApplicationStep
from app.applications.progress import times
from app.applications.states import TRANSITIONS, Action, State
from app.applications.submission import manifest_of, part_of, policy_of
from app.auth.service import Principal
from app.cursor import named_by
from app.errors import NotFound
from app.gateway import Gateway
from app.indexer.models import Programme
from app.programmes.service import find as find_programme
from chain.enums import NO_PERIOD

ROLES = {
    Action.SIGN: "reviewer",
    Action.ASK: "reviewer",
    Action.REJECT: "reviewer",
    Action.ANSWER: "enterprise",
    Action.WITHDRAW: "enterprise",
    Action.APPEAL: "enterprise",
    Action.OBJECT: "anyone",
    Action.DISMISS: "reviewer",
    Action.UPHOLD: "reviewer",
    Action.GRANT: "reviewer",
    Action.DENY: "reviewer",
    Action.ISSUE: "operator",
    Action.REOPEN: "operator",
}
"""Who does what; what is not here, the service does by itself."""


def view(session: Session, caller: Principal, application_id: str) -> ApplicationDetail:
    """An application that the caller may see, with its history.

    Raises:
        NotFound: There is none, or the caller has no part in it.
    """
    found = visible(session, caller, application_id)
    shown = _views(session, [found])[0]
    application, state, _ = found
    programme = find_programme(session, application.programme_id)
    part = part_of(programme, policy_of(session, programme))
    steps = repository.steps(session, [application_id])[application_id]
    stages = len(shown.stages)
    return ApplicationDetail(
        **shown.model_dump(exclude={"stages"}),
        stages=shown.stages,
        finding=application.finding,
        progress={"stage": min(application.stage + 1, stages), "stages": stages},
        may_act=_may_act(shown, state),
        times=times(steps, stages, part),
        history=[_step(step) for step in steps],
        exchanges=[_exchange(row) for row in repository.exchanges(session, [application_id])[application_id]],
    )


def _may_act(shown: ApplicationView, state: str) -> list[MayAct]:
    found = []
    for at, action in TRANSITIONS:
        if at == state and action in ROLES:
            addresses = None
            if action is Action.SIGN:
                stage = shown.stages[shown.stage]
                signed = {one for every in shown.stages for one in every.approvals}
                addresses = [one for one in stage.approvers if one not in signed]
            found.append(MayAct(action=action.value, role=ROLES[action], addresses=addresses))
    return found


def _step(step: ApplicationStep) -> StepView:
    return StepView(
        at=step.at,
        action=step.action,
        before=step.before,
        state=step.state,
        stage=step.stage,
        actor=step.actor,
        role=step.role,
        signer=None if step.signer is None else f"0x{step.signer.hex()}",
        note=step.note,
    )


def _exchange(row: ApplicationExchange) -> ExchangeView:
    return ExchangeView(
        kind=row.kind,
        number=row.number,
        stage=row.stage,
        text=row.text,
        raised_by=row.raised_by,
        raised_at=row.raised_at,
        outcome=row.outcome,
        reply=row.reply,
        replied_by=row.replied_by,
        replied_at=row.replied_at,
    )


def manifest_file(session: Session, gateway: Gateway, caller: Principal, application_id: str) -> ManifestFile:
    """What the digest of an application commits to.

    Raises:
        NotFound: There is no such application, the caller has no part in it, or it is from before there were manifests.
    """
    application, _, _ = visible(session, caller, application_id)
    return ManifestFile(
        chain_id=gateway.contracts.chain_id,
        ledger=gateway.contracts.ledger,
        voucher_id=application.voucher_id,
        digest=f"0x{application.documents_digest.hex()}",
        manifest=manifest_of(application),
    )


def visible(session: Session, caller: Principal, application_id: str) -> repository.Found:
    """An application that the caller may see.

    Raises:
        NotFound: There is none, or the caller has no part in it.
    """
    found = repository.find(session, application_id)
    if found is None:
        raise NotFound("application", application_id)
    mine = caller.subject == found[0].uscc or caller.key_id == found[0].submitted_by
    if not (caller.is_staff or mine):
        raise NotFound("application", application_id)
    return found


def page(
    session: Session,
    caller: Principal,
    *,
    uscc: str | None,
    programme_id: int | None,
    state: str | None,
    after: str | None,
    limit: int,
) -> ApplicationPage:
    """Applications that the caller may see, oldest first.

    Raises:
        Invalid: The cursor names no application.
    """
    place = named_by(session, after, repository.place_of)
    rows = repository.page(
        session,
        uscc=uscc if caller.is_staff else caller.subject,
        programme_id=programme_id,
        state=state,
        after=place,
        limit=limit,
    )
    return ApplicationPage(items=_views(session, rows), next=rows[-1][0].id if len(rows) == limit else None)


def _views(session: Session, rows: Sequence[repository.Found]) -> list[ApplicationView]:
    numbers = sorted({application.programme_id for application, _, _ in rows})
    stages = {number: _stages(session, find_programme(session, number)) for number in numbers}
    tiers = {number: repository.tiers(session, number) for number in numbers}
    taken = repository.approvals(session, [application.id for application, _, _ in rows])
    return [
        ApplicationView(
            id=application.id,
            programme_id=application.programme_id,
            uscc=application.uscc,
            entity_id=f"0x{application.entity_id.hex()}",
            tier=next(t.name for t in tiers[application.programme_id] if t.index == application.tier),
            face_fen=application.face_fen,
            voucher_id=application.voucher_id,
            valid_until=application.valid_until,
            period=None if application.period == NO_PERIOD else application.period,
            documents=application.documents,
            documents_digest=f"0x{application.documents_digest.hex()}",
            facts=application.facts,
            state=state,
            stage=application.stage,
            stages=[
                stage.model_copy(
                    update={
                        "approvals": [f"0x{a.signer.hex()}" for a in taken[application.id] if a.stage == stage.index]
                    }
                )
                for stage in stages[application.programme_id]
            ],
            reason_code=application.reason_code,
            reason=application.reason,
            publicity_until=application.publicity_until,
            appeal_until=application.appeal_until,
            operation_id=application.operation_id,
            error=operation.error if operation and state == State.REFUSED else None,
            created_at=application.created_at,
            updated_at=application.updated_at,
        )
        for application, state, operation in rows
    ]


def _stages(session: Session, programme: Programme) -> list[StageProgress]:
    """The stages of a programme, without approvals."""
    part = part_of(programme, policy_of(session, programme))
    approvers = repository.approvers(session, [programme.id])
    return [
        StageProgress(
            index=stage.index,
            name=stage.name,
            title=part.stages[stage.index].title.model_dump() if part else None,
            required=stage.required,
            approvals=[],
            approvers=[f"0x{one.hex()}" for one in approvers.get((programme.id, stage.index), [])],
        )
        for stage in repository.stages(session, [programme.id])[programme.id]
    ]
