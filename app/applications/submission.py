"""Takes applications: checks them against the programme, its window and the documents that it demands."""

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.applications import repository, steps
from app.applications.finding import finding
from app.applications.models import Application
from app.applications.schemas import MAX_FACE_FEN, Document, NewApplication
from app.applications.states import State
from app.auth.roles import Role
from app.auth.service import Principal
from app.clock import now
from app.documents.repository import held
from app.entities.models import Organisation
from app.entities.repository import by_uscc
from app.errors import ApiError, Conflict, Invalid, NotFound
from app.indexer.models import Period, Programme, Tier
from app.policies.files import parse
from app.policies.model import Policy, ProgrammePart
from app.programmes.repository import policy_file
from app.programmes.repository import programme as find_programme
from chain.application_manifest import digest, manifest
from chain.enums import NO_PERIOD, Funding, ProgrammeStatus

PUBLISHED = ProgrammeStatus.PUBLISHED.name.lower()
ACTS_FOR_ANY = (Role.OPERATOR, Role.PLATFORM)
"""Roles that hand in applications on behalf of an organisation."""


def submit_application(session: Session, caller: Principal, body: NewApplication) -> Application:
    """Takes an application and the number of its voucher.

    Raises:
        Invalid: Organisation, programme or tier is unknown, the tier is another's, a document is missing, unknown or of
            a kind that is not taken, or the face must be named.
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
    demand_open(session, programme)
    tier = _tier(session, body, organisation.entity_id)
    content = (body.documents, body.facts)
    return take(session, caller, programme, organisation, tier, face_fen=body.face_fen, content=content)


def take(
    session: Session,
    caller: Principal,
    programme: Programme,
    organisation: Organisation,
    tier: Tier,
    *,
    face_fen: int | None,
    content: tuple[Sequence[Document], dict[str, Any]],
) -> Application:
    """Takes an application whose programme is open and whose tier is the organisation's.

    Args:
        face_fen: Value asked for; None for the most that the tier could ever pay.
        content: Documents and facts.

    Raises:
        Invalid: A document is missing, unknown or of a kind that is not taken, or the face must be named.
        Conflict: No period is open whose budget could hold the face.
    """
    periods = repository.periods(session, programme.id)
    reserved = programme.terms["funding"] == Funding.RESERVED_AT_ISSUE
    at = now()
    application = Application(
        id=f"ap_{uuid4().hex}",
        programme_id=programme.id,
        entity_id=organisation.entity_id,
        uscc=organisation.uscc,
        tier=tier.index,
        face_fen=face_fen or _default_face(tier, periods, reserved=reserved),
        voucher_serial=repository.next_serial(session, programme.id),
        valid_until=min(int(programme.terms["claimsUntil"]), 2**32 - 1),
        period=_open_period(periods) if reserved else NO_PERIOD,
        state=State.SUBMITTED.value,
        stage=0,
        submitted_by=caller.key_id,
        created_at=at,
        updated_at=at,
    )
    set_content(session, application, programme, *content)
    session.add(application)
    session.flush()
    steps.begin(session, application, caller)
    return application


def is_open(session: Session, programme: Programme) -> bool:
    """Whether a programme is published, and now lies between its first period and its last day of claims."""
    opens_at, claims_until = _term(session, programme)
    return programme.status == PUBLISHED and opens_at <= now() <= claims_until


def demand_open(session: Session, programme: Programme) -> None:
    """Refuses what comes before the first period of a programme, after its last day, or while it is not published.

    Raises:
        Conflict: The programme is not open.
    """
    if not is_open(session, programme):
        opens_at, claims_until = _term(session, programme)
        raise Conflict(
            "programme_not_open",
            f"Programme {programme.id} takes no applications and no approvals now.",
            programme_status=programme.status,
            opens_at=opens_at,
            claims_until=claims_until,
        )


def _term(session: Session, programme: Programme) -> tuple[int, int]:
    """First and last second at which something is handed in."""
    periods = repository.periods(session, programme.id)
    return periods[0].starts_at if periods else 0, int(programme.terms["claimsUntil"])


def set_content(
    session: Session,
    application: Application,
    programme: Programme,
    documents: Sequence[Document],
    facts: dict[str, Any],
) -> None:
    """Gives an application its documents and facts, and the digest over them.

    Raises:
        Invalid: A document is missing, was not handed in, or is of a kind that is not taken.
    """
    found = held(session, application.uscc, [bytes.fromhex(document.sha256) for document in documents])
    policy = policy_of(session, programme)
    part = part_of(programme, policy)
    for index, document in enumerate(documents):
        row = found.get(bytes.fromhex(document.sha256))
        if row is None:
            where = f"PUT /v1/documents/{document.sha256} first"
            raise Invalid(
                f"/documents/{index}/sha256", "handed_in", f"{application.uscc} handed no such file in: {where}"
            )
        wanted = policy.documents.get(document.name) if policy else None
        if wanted is not None and row.file_type not in wanted.types:
            taken = ", ".join(wanted.types)
            raise Invalid(
                f"/documents/{index}/sha256", "file_type", f"{document.name} is {row.file_type}; taken: {taken}"
            )
    if part is not None:
        _demand_documents(part, documents)
    application.documents = [
        {**document.model_dump(), "size": found[bytes.fromhex(document.sha256)].size} for document in documents
    ]
    application.facts, application.salt = facts, secrets.token_bytes(32)
    application.documents_digest = digest(manifest_of(application))
    organisation = by_uscc(session, application.uscc)
    tier = next(one for one in repository.tiers(session, programme.id) if one.index == application.tier)
    if organisation is not None:
        application.finding = finding(session, programme, organisation, tier.name, facts)


def manifest_of(application: Application) -> dict[str, Any]:
    """What the digest of an application commits to.

    Raises:
        NotFound: The application is from before there were manifests.
    """
    if application.salt is None:
        raise NotFound("manifest", application.id)
    return manifest(application.id, application.documents, application.facts, application.salt)


def policy_of(session: Session, programme: Programme) -> Policy | None:
    """The policy file of a programme; None where the service does not have it."""
    stored = policy_file(session, programme.policy_hash)
    return None if stored is None else parse(stored.content)


def part_of(programme: Programme, policy: Policy | None) -> ProgrammePart | None:
    """What the policy file says of a programme."""
    return None if policy is None else policy.programme(programme.policy_uri.partition("#")[2])


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


def missing_documents(part: ProgrammePart, documents: Sequence[Document]) -> list[dict[str, str]]:
    """Documents that a stage demands and that are not there."""
    given = {(document.stage, document.name) for document in documents}
    return [
        {"pointer": "/documents", "rule": "required_document", "detail": f"{stage.name} demands {name}"}
        for stage in part.stages
        for name in stage.documents
        if (stage.name, name) not in given and (None, name) not in given
    ]


def _demand_documents(part: ProgrammePart, documents: Sequence[Document]) -> None:
    names = [stage.name for stage in part.stages]
    for index, document in enumerate(documents):
        if document.stage is not None and document.stage not in names:
            raise Invalid(f"/documents/{index}/stage", "known_stage", f"the programme's stages are: {', '.join(names)}")
    missing = missing_documents(part, documents)
    if missing:
        raise ApiError(422, "document_missing", "The application lacks documents that are demanded.", errors=missing)
