"""Drafts of applications: saved, changed, deleted, and handed in when they are whole."""

from typing import Any
from uuid import uuid4

from pydantic import ValidationError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.applications.automatic import apply
from app.applications.models import Application, ApplicationDraft
from app.applications.schemas import DraftView, NewApplication, NewDraft
from app.applications.submission import ACTS_FOR_ANY, missing_documents, part_of, policy_of
from app.auth.service import Principal
from app.clock import now
from app.entities.repository import by_uscc
from app.errors import ApiError, Invalid, NotFound, pointer
from app.gateway import Gateway
from app.programmes.repository import programme as find_programme

MOST = 100
"""Drafts that are listed."""


def save(session: Session, caller: Principal, body: NewDraft, draft_id: str | None = None) -> DraftView:
    """Keeps a new draft, or another content of one.

    Raises:
        Invalid: Organisation or programme is unknown, or the organisation is another one than the caller's.
        NotFound: There is no such draft, or it is another's.
    """
    if caller.role not in ACTS_FOR_ANY and caller.subject != body.uscc:
        raise Invalid("/uscc", "own", "your key may apply for its own organisation only")
    if by_uscc(session, body.uscc) is None:
        raise Invalid("/uscc", "registered", f"{body.uscc} is not registered")
    if find_programme(session, body.programme_id) is None:
        raise Invalid("/programme_id", "known_programme", f"there is no programme {body.programme_id}")
    if draft_id is None:
        row = ApplicationDraft(id=f"ad_{uuid4().hex}", created_by=caller.key_id, created_at=now())
        session.add(row)
    else:
        row = find(session, caller, draft_id, held=True)
    row.uscc, row.content, row.updated_at = body.uscc, body.model_dump(exclude_none=True), now()
    session.flush()
    return view(session, row)


def find(session: Session, caller: Principal, draft_id: str, *, held: bool = False) -> ApplicationDraft:
    """A draft of the caller's organisation, or one that the caller began.

    Args:
        held: Whether to hold it against commands at the same time.

    Raises:
        NotFound: There is none.
    """
    query = select(ApplicationDraft).where(ApplicationDraft.id == draft_id, _mine(caller))
    row = session.scalars(query.with_for_update() if held else query).first()
    if row is None:
        raise NotFound("draft", draft_id)
    return row


def all_of(session: Session, caller: Principal) -> list[DraftView]:
    """The caller's drafts, the latest first."""
    query = (
        select(ApplicationDraft).where(_mine(caller)).order_by(ApplicationDraft.updated_at.desc(), ApplicationDraft.id)
    )
    return [view(session, row) for row in session.scalars(query.limit(MOST))]


def _mine(caller: Principal) -> Any:
    own = ApplicationDraft.created_by == caller.key_id
    return or_(own, ApplicationDraft.uscc == caller.subject) if caller.subject else own


def delete(session: Session, caller: Principal, draft_id: str) -> None:
    """Forgets a draft.

    Raises:
        NotFound: There is none.
    """
    session.delete(find(session, caller, draft_id, held=True))


def submit(session: Session, gateway: Gateway, caller: Principal, draft_id: str) -> Application:
    """Hands a draft in; it is an application from then on, and no draft any more.

    Raises:
        NotFound: There is no such draft.
        ApiError: As for a new application; 422 where it is not whole.
    """
    row = find(session, caller, draft_id, held=True)
    try:
        body = NewApplication.model_validate(row.content)
    except ValidationError as error:
        errors = _errors(error)
        raise ApiError(422, "draft_incomplete", "The draft is not whole yet.", errors=errors) from error
    application = apply(session, gateway, caller, body)
    session.delete(row)
    return application


def view(session: Session, row: ApplicationDraft) -> DraftView:
    """A draft, and what it lacks."""
    missing: list[dict[str, Any]] = []
    try:
        NewApplication.model_validate(row.content)
    except ValidationError as error:
        missing += _errors(error)
    draft = NewDraft.model_validate(row.content)
    programme = find_programme(session, draft.programme_id)
    part = part_of(programme, policy_of(session, programme)) if programme else None
    if part is not None:
        missing += missing_documents(part, draft.documents)
    return DraftView(
        id=row.id, content=row.content, missing=missing, created_at=row.created_at, updated_at=row.updated_at
    )


def _errors(error: ValidationError) -> list[dict[str, Any]]:
    return [
        {"pointer": pointer(("body", *item["loc"])), "rule": item["type"], "detail": item["msg"]}
        for item in error.errors()
    ]
