"""SQL of documents."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.auth.roles import Role
from app.auth.service import Principal
from app.documents.models import Document, DocumentHolding
from app.entities.models import Organisation


def lock(session: Session, sha256: bytes, file_type: str, size: int) -> Document:
    """The document's row, made if need be, and held against uploads and erasures at the same time."""
    values = {"sha256": sha256, "file_type": file_type, "size": size}
    row = (
        postgresql.insert(Document).values(values)
        if session.get_bind().dialect.name == "postgresql"
        else sqlite.insert(Document).values(values)
    )
    session.execute(row.on_conflict_do_nothing(index_elements=["sha256"]))
    return session.scalars(select(Document).where(Document.sha256 == sha256).with_for_update()).one()


def lock_existing(session: Session, sha256: bytes) -> Document | None:
    """The document's row, held likewise; None where there is none."""
    return session.scalars(select(Document).where(Document.sha256 == sha256).with_for_update()).first()


def holding(session: Session, uscc: str, sha256: bytes) -> DocumentHolding | None:
    """Whether and how an organisation holds a document; it may be erased."""
    return session.get(DocumentHolding, (uscc, sha256))


def is_held(session: Session, sha256: bytes) -> bool:
    """Whether anybody still holds a document."""
    query = select(DocumentHolding.uscc).where(DocumentHolding.sha256 == sha256, DocumentHolding.erased_at.is_(None))
    return session.scalars(query.limit(1)).first() is not None


def hold_organisation(session: Session, uscc: str) -> None:
    """Holds an organisation until the transaction ends."""
    session.execute(select(Organisation.uscc).where(Organisation.uscc == uscc).with_for_update())


def bytes_of(session: Session, uscc: str) -> int:
    """Bytes of all that an organisation holds."""
    query = (
        select(func.coalesce(func.sum(Document.size), 0))
        .join(DocumentHolding, DocumentHolding.sha256 == Document.sha256)
        .where(DocumentHolding.uscc == uscc, DocumentHolding.erased_at.is_(None))
    )
    return int(session.scalar(query) or 0)


def held(session: Session, uscc: str, digests: Sequence[bytes]) -> dict[bytes, Document]:
    """Those of the documents that an organisation holds, by digest."""
    query = (
        select(Document)
        .join(DocumentHolding, DocumentHolding.sha256 == Document.sha256)
        .where(DocumentHolding.uscc == uscc, DocumentHolding.erased_at.is_(None), Document.sha256.in_(digests))
    )
    return {row.sha256: row for row in session.scalars(query)}


def uploaders(session: Session, uscc: str, digests: Sequence[bytes]) -> set[str]:
    """Who handed documents in for an organisation: key ids, and what the keys act for."""
    query = select(DocumentHolding.uploaded_by, DocumentHolding.uploader).where(
        DocumentHolding.uscc == uscc, DocumentHolding.sha256.in_(digests)
    )
    return {name for row in session.execute(query) for name in row if name}


def visible(session: Session, caller: Principal, sha256: bytes) -> Document | None:
    """A document that is there and that the caller may read: a reviewer, its organisation, or who handed it in."""
    query = (
        select(Document)
        .join(DocumentHolding, DocumentHolding.sha256 == Document.sha256)
        .where(Document.sha256 == sha256, DocumentHolding.erased_at.is_(None))
        .limit(1)
    )
    if caller.role is not Role.REVIEWER:
        mine = DocumentHolding.uploaded_by == caller.key_id
        query = query.where(or_(mine, DocumentHolding.uscc == caller.subject) if caller.subject else mine)
    return session.scalars(query).first()
