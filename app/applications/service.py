"""Takes applications, gathers the reviewers' signatures, and issues the voucher when all stages have theirs."""

import hashlib
import json
from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy.orm import Session

from app.applications import approvals, repository
from app.applications.models import Application, ApplicationApproval
from app.applications.schemas import (
    MAX_FACE_FEN,
    ApplicationPage,
    ApplicationView,
    ApprovalData,
    NewApplication,
    NewApproval,
    Rejection,
    StageProgress,
)
from app.auth.roles import Role
from app.auth.service import Principal
from app.clock import now
from app.entities.repository import by_uscc
from app.errors import ApiError, Conflict, Invalid, NotFound
from app.gateway import Gateway
from app.indexer.models import Period, Programme, Stage, Tier
from app.operations.service import submit
from app.programmes.repository import programme as find_programme
from app.programmes.service import programme_part
from chain.enums import NO_PERIOD, Funding, ProgrammeStatus
from chain.relay.models import Operation

PUBLISHED = ProgrammeStatus.PUBLISHED.name.lower()
OPEN = ("submitted", "under_review")
"""States in which reviewers may still decide."""
ACTS_FOR_ANY = (Role.OPERATOR, Role.PLATFORM)
"""Roles that hand in applications on behalf of an organisation."""


def submit_application(session: Session, gateway: Gateway, caller: Principal, body: NewApplication) -> Application:
    """Takes an application and the number of its voucher.

    Raises:
        Invalid: Organisation, programme or tier is unknown, the tier is another's, a demanded document is missing, or
            the face must be named.
        Conflict: The programme takes no applications now.
    """
    if caller.role not in ACTS_FOR_ANY and caller.subject != body.uscc:
        raise Invalid("/uscc", "own", "your key may apply for its own organisation only")
    organisation = by_uscc(session, body.uscc)
    if organisation is None:
        raise Invalid("/uscc", "registered", f"{body.uscc} is not registered")
    programme = find_programme(session, body.programme_id)
    if programme is None:
        raise Invalid("/programme_id", "known_programme", f"there is no programme {body.programme_id}")
    claims_until = int(programme.terms["claimsUntil"])
    if programme.status != PUBLISHED or claims_until < now():
        raise Conflict(
            "programme_not_open",
            f"Programme {programme.id} takes no applications.",
            programme_status=programme.status,
            claims_until=claims_until,
        )
    tier = _tier(session, body, organisation.entity_id)
    periods = repository.periods(session, programme.id)
    reserved = programme.terms["funding"] == Funding.RESERVED_AT_ISSUE
    period = _open_period(periods) if reserved else NO_PERIOD
    _demand_documents(session, programme, body)

    at = now()
    documents = [document.model_dump() for document in body.documents]
    application = Application(
        id=f"ap_{uuid4().hex}",
        programme_id=programme.id,
        entity_id=organisation.entity_id,
        uscc=body.uscc,
        tier=tier.index,
        face_fen=body.face_fen or _default_face(tier, periods, reserved=reserved),
        voucher_serial=repository.next_serial(session, programme.id),
        valid_until=min(claims_until, 2**32 - 1),
        period=period,
        documents=documents,
        documents_digest=documents_digest(documents, body.facts),
        facts=body.facts,
        state="submitted",
        stage=0,
        submitted_by=caller.key_id,
        created_at=at,
        updated_at=at,
    )
    session.add(application)
    session.flush()
    return application


def documents_digest(documents: Sequence[object], facts: object) -> bytes:
    """SHA-256 over documents and facts as sorted compact JSON; stands on chain with the voucher."""
    canonical = json.dumps(
        {"documents": documents, "facts": facts}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(canonical.encode()).digest()


def _tier(session: Session, body: NewApplication, entity_id: bytes) -> Tier:
    tiers = repository.tiers(session, body.programme_id)
    named = [tier for tier in tiers if tier.name == body.tier]
    if not named:
        known = ", ".join(sorted({tier.name for tier in tiers}))
        raise Invalid("/tier", "known_tier", f"the programme's tiers are: {known}")
    # An agreement has a tier of its own, which may bear the name of a general one.
    fitting = [tier for tier in named if tier.entity_id in (None, entity_id)]
    if not fitting:
        raise Invalid("/tier", "own_tier", f"tier {body.tier} is an agreement with another organisation")
    return max(fitting, key=lambda tier: (tier.entity_id is not None, tier.index))


def _open_period(periods: Sequence[Period]) -> int:
    """The period whose budget can hold the face now."""
    at = now()
    for period in periods:
        if period.starts_at <= at < period.ends_at:
            return period.index
    raise Conflict("no_open_period", "No period of the programme is open now.")


def _default_face(tier: Tier, periods: Sequence[Period], *, reserved: bool) -> int:
    """The most that the tier can ever pay: over all periods where no budget is held, in one where it is."""
    face = tier.total_cap_fen
    if tier.period_cap_fen is not None:
        over_periods = tier.period_cap_fen * (1 if reserved else len(periods))
        face = over_periods if face is None else min(face, over_periods)
    if face is None:
        raise Invalid("/face_fen", "required", f"tier {tier.name} has no cap, so the face must be named")
    return min(face, MAX_FACE_FEN)


def _demand_documents(session: Session, programme: Programme, body: NewApplication) -> None:
    """Every stage's documents must be there; which, the policy file says. Without the file nothing is demanded."""
    part = programme_part(session, programme)
    if part is None:
        return
    names = [stage.name for stage in part.stages]
    for index, document in enumerate(body.documents):
        if document.stage is not None and document.stage not in names:
            raise Invalid(f"/documents/{index}/stage", "known_stage", f"the programme's stages are: {', '.join(names)}")
    given = {(document.stage, document.name) for document in body.documents}
    missing = [
        {"pointer": "/documents", "rule": "required_document", "detail": f"{stage.name} demands {name}"}
        for stage in part.stages
        for name in stage.documents
        if (stage.name, name) not in given and (None, name) not in given
    ]
    if missing:
        raise ApiError(422, "document_missing", "The application lacks documents that are demanded.", errors=missing)


def approve(
    session: Session, gateway: Gateway, caller: Principal, application_id: str, body: NewApproval
) -> Operation | None:
    """Takes a reviewer's signature; with the last one that is needed, puts the issue into the outbox.

    Raises:
        NotFound: There is no such application.
        Conflict: It is decided, or the reviewer approved it before.
        Invalid: The stage is not the one under review, or the signature is not an approver's over this application.
    """
    application = _lock_open(session, application_id)
    stages = repository.stages(session, [application.programme_id])[application.programme_id]
    stage = _stage(stages, body.stage)
    if stage.index != application.stage:
        waiting = stages[application.stage].name
        raise Invalid("/stage", "stage_under_review", f"the application waits in stage {waiting}")
    approval = approvals.take(session, gateway, caller, body, application=application, stage=stage)

    taken = repository.approvals(session, [application.id])[application.id]
    if any(other.signer == approval.signer for other in taken):
        raise Conflict("already_approved", f"0x{approval.signer.hex()} approved this application before.")
    session.add(approval)
    session.flush()
    taken.append(approval)
    application.stage = next(
        (other.index for other in stages if sum(1 for one in taken if one.stage == other.index) < other.required),
        len(stages),
    )
    application.state = "under_review"
    application.updated_at = now()
    if application.stage < len(stages):
        return None
    application.state = "approved"
    return _issue(session, gateway, application, taken)


def issue_again(session: Session, gateway: Gateway, application_id: str) -> Operation:
    """Sends an approved application to the chain once more, after the contract refused it; for example once a lapsed
    standing was renewed.

    Raises:
        NotFound: There is no such application.
        Conflict: It was not refused.
    """
    repository.lock(session, application_id)
    application, state, _ = _existing(session, application_id)
    if state != "refused":
        raise Conflict("application_state", f"The application is {state}, not refused.", state=state)
    taken = repository.approvals(session, [application.id])[application.id]
    return _issue(session, gateway, application, taken)


def _issue(
    session: Session, gateway: Gateway, application: Application, taken: Sequence[ApplicationApproval]
) -> Operation:
    operation = submit(
        session,
        gateway,
        kind="issue",
        signer="relayer",
        contract="VoucherLedger",
        function="issue",
        args=[approvals.order_of(application, taken)],
        ref=application.id,
    )
    application.operation_id = operation.id
    application.updated_at = now()
    return operation


def approval_data(session: Session, gateway: Gateway, application_id: str, stage: str, deadline: int) -> ApprovalData:
    """What a reviewer signs outside for a stage.

    Raises:
        NotFound: There is no such application.
        ApiError: 422 if there is no such stage.
    """
    application, _, _ = _existing(session, application_id)
    stages = repository.stages(session, [application.programme_id])[application.programme_id]
    named = _stage(stages, int(stage) if stage.isdecimal() else stage, place="query/stage")
    return approvals.data(gateway, application, named.index, deadline)


def reject(session: Session, application_id: str, body: Rejection) -> None:
    """Rejects an application; final.

    Raises:
        NotFound: There is no such application.
        Conflict: It is decided.
    """
    application = _lock_open(session, application_id)
    application.state = "rejected"
    application.reason_code, application.reason = body.reason_code, body.reason
    application.updated_at = now()


def withdraw(session: Session, caller: Principal, application_id: str) -> None:
    """Takes an application back; final.

    Raises:
        NotFound: There is no such application, or it is another organisation's.
        Conflict: It is decided.
    """
    application = _lock_open(session, application_id)
    if caller.role is not Role.OPERATOR and caller.subject != application.uscc:
        raise NotFound("application", application_id)
    application.state = "withdrawn"
    application.updated_at = now()


def view(session: Session, caller: Principal, application_id: str) -> ApplicationView:
    """An application that the caller may see.

    Raises:
        NotFound: There is none, or the caller has no part in it.
    """
    found = _existing(session, application_id)
    application = found[0]
    mine = caller.subject == application.uscc or caller.key_id == application.submitted_by
    if not (caller.is_staff or mine):
        raise NotFound("application", application_id)
    return _views(session, [found])[0]


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
    place = repository.place_of(session, after) if after else None
    if after and place is None:
        raise Invalid("query/after", "known_cursor", "take the cursor from the page before")
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
    programmes = {application.programme_id for application, _, _ in rows}
    stages = repository.stages(session, sorted(programmes))
    tiers = {number: repository.tiers(session, number) for number in programmes}
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
                StageProgress(
                    index=stage.index,
                    name=stage.name,
                    required=stage.required,
                    approvals=[f"0x{a.signer.hex()}" for a in taken[application.id] if a.stage == stage.index],
                )
                for stage in stages[application.programme_id]
            ],
            reason_code=application.reason_code,
            reason=application.reason,
            operation_id=application.operation_id,
            error=operation.error if operation and state == "refused" else None,
            created_at=application.created_at,
            updated_at=application.updated_at,
        )
        for application, state, operation in rows
    ]


def _existing(session: Session, application_id: str) -> repository.Found:
    found = repository.find(session, application_id)
    if found is None:
        raise NotFound("application", application_id)
    return found


def _lock_open(session: Session, application_id: str) -> Application:
    """An application that is not decided, held until the command ends."""
    repository.lock(session, application_id)
    application, state, _ = _existing(session, application_id)
    if state not in OPEN:
        raise Conflict("application_state", f"The application is {state}; nothing more is decided.", state=state)
    return application


def _stage(stages: Sequence[Stage], named: int | str, place: str = "/stage") -> Stage:
    for stage in stages:
        if named in (stage.index, stage.name):
            return stage
    known = ", ".join(f"{stage.index} {stage.name}" for stage in stages)
    raise Invalid(place, "known_stage", f"the programme's stages are: {known}")
