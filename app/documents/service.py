"""Takes documents in, gives them out to those who may read them, and erases them on request."""

from sqlalchemy.orm import Session

from app.auth.roles import Role
from app.auth.service import Principal, demand
from app.clock import now
from app.documents import repository
from app.documents.file_types import NotTaken, file_type
from app.documents.models import Document, DocumentHolding
from app.documents.schemas import DocumentView, Erasure
from app.documents.store import DocumentStore, Incoming
from app.entities.repository import by_uscc
from app.errors import ApiError, Conflict, Invalid, NotFound
from app.policies.model import FileType

UPLOADERS = (Role.ENTERPRISE, Role.PLATFORM, Role.OPERATOR, Role.REVIEWER)
"""Enterprises bring their own documents; the others bring them for an organisation, paper at a counter for example."""


def owner(session: Session, caller: Principal, uscc: str | None) -> str:
    """The organisation that an upload belongs to.

    Raises:
        Forbidden: The caller's role hands in no documents.
        Invalid: No organisation is named, it is not registered, or it is another one than the caller's.
    """
    demand(caller, *UPLOADERS)
    if caller.role is Role.ENTERPRISE and uscc not in (None, caller.subject):
        raise Invalid("query/uscc", "own", "your key hands in documents of its own organisation only")
    named = caller.subject if caller.role is Role.ENTERPRISE else uscc
    if named is None:
        raise Invalid("query/uscc", "required", "name the organisation that the document belongs to")
    if by_uscc(session, named) is None:
        raise Invalid("query/uscc", "registered", f"{named} is not registered")
    return named


def examine(incoming: Incoming, expected: bytes) -> FileType:
    """Checks a file that came whole.

    Raises:
        Invalid: It is empty, is another file than the address names, or of a kind that is not taken.
    """
    digest = incoming.finish()
    if incoming.size == 0:
        raise Invalid("/", "not_empty", "the document is empty", code="document_refused")
    if digest != expected:
        raise Invalid("path/sha256", "digest", f"what came has the digest {digest.hex()}", code="document_refused")
    try:
        return file_type(incoming.read())
    except NotTaken as error:
        raise Invalid("/", "file_type", f"the document {error}", code="document_refused") from error


def take(
    session: Session,
    store: DocumentStore,
    caller: Principal,
    incoming: Incoming,
    *,
    sha256: bytes,
    kind: FileType,
    uscc: str,
    quota_bytes: int,
) -> tuple[DocumentView, bool]:
    """Keeps a document that was examined; whether it is new to the organisation. One that it holds already is answered
    as at first.

    Raises:
        Conflict: The organisation would hold more than it may.
    """
    row = repository.lock(session, sha256, kind, incoming.size)
    found = repository.holding(session, uscc, sha256)
    if found is not None and found.erased_at is None:
        # Put in its place all the same: that mends an erasure that died half-way.
        store.keep(incoming, sha256)
        return _view(row, found), False
    repository.hold_organisation(session, uscc)  # so that of two documents at once the second counts the first
    if repository.bytes_of(session, uscc) + row.size > quota_bytes:
        raise Conflict(
            "document_quota", f"{uscc} may hold {quota_bytes} bytes of documents; erase some.", limit_bytes=quota_bytes
        )
    # Under the lock, so that an erasure at the same time comes before or after and never between.
    store.keep(incoming, sha256)
    if found is None:
        found = DocumentHolding(uscc=uscc, sha256=sha256)
        session.add(found)
    found.uploaded_by, found.uploader, found.uploaded_at = caller.key_id, caller.subject, now()
    found.erased_at = found.erased_by = found.erase_reason = None
    session.flush()
    return _view(row, found), True


def _view(row: Document, holding: DocumentHolding) -> DocumentView:
    return DocumentView(
        sha256=row.sha256.hex(),
        file_type=row.file_type,
        size=row.size,
        uscc=holding.uscc,
        uploaded_at=holding.uploaded_at,
    )


def readable(session: Session, caller: Principal, sha256: bytes) -> Document:
    """A document that the caller may read.

    Raises:
        NotFound: There is none, or it is not for the caller.
    """
    row = repository.visible(session, caller, sha256)
    if row is None:
        raise NotFound("document", sha256.hex())
    return row


def erase(
    session: Session, store: DocumentStore, caller: Principal, sha256: bytes, body: Erasure, *, needed: bool
) -> None:
    """Erases a document of an organisation; the file goes when nobody else holds it. Its digest stays, and what was
    approved over it can still be checked. A repetition changes nothing.

    Args:
        needed: Whether an application that is not decided yet rests on it.

    Raises:
        NotFound: The organisation holds no such document, or the caller has no part in it.
        Conflict: It is needed.
    """
    uscc = body.uscc or caller.subject
    row = repository.lock_existing(session, sha256)
    held = repository.holding(session, uscc, sha256)
    if row is None or held is None or (caller.role is not Role.OPERATOR and caller.subject != uscc):
        raise NotFound("document", sha256.hex())
    if held.erased_at is not None:
        return
    if needed:
        raise Conflict(
            "document_in_review", "An application that is not decided rests on this document; withdraw it first."
        )
    held.erased_at, held.erased_by, held.erase_reason = now(), caller.key_id, body.reason
    session.flush()
    if not repository.is_held(session, sha256):
        # Before the commit: a death in between leaves a row without its file, and the request is repeated.
        store.remove(sha256)


def too_large(limit: int) -> ApiError:
    """413."""
    return ApiError(413, "document_too_large", f"A document may have at most {limit} bytes.", limit_bytes=limit)
