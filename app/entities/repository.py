"""SQL of organisations."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.entities.models import Organisation
from app.indexer.models import Entity, EvidenceKey


def by_uscc(session: Session, uscc: str) -> Organisation | None:
    """An organisation by its number."""
    return session.get(Organisation, uscc)


def existing(session: Session, numbers: Sequence[str]) -> set[str]:
    """Which of the numbers are taken."""
    return set(session.scalars(select(Organisation.uscc).where(Organisation.uscc.in_(numbers))))


def by_numbers(session: Session, numbers: Sequence[str]) -> dict[str, Organisation]:
    """Those of very many organisations that are known, by number."""
    found: dict[str, Organisation] = {}
    for start in range(0, len(numbers), 1_000):
        query = select(Organisation).where(Organisation.uscc.in_(numbers[start : start + 1_000]))
        found |= {row.uscc: row for row in session.scalars(query)}
    return found


def page(session: Session, after: str, limit: int) -> list[Organisation]:
    """Organisations in order of their numbers, after one of them."""
    query = select(Organisation).where(Organisation.uscc > after).order_by(Organisation.uscc).limit(limit)
    return list(session.scalars(query))


def on_chain(session: Session, entity_ids: Sequence[bytes]) -> dict[bytes, Entity]:
    """The registry's records, by id."""
    return {row.id: row for row in session.scalars(select(Entity).where(Entity.id.in_(entity_ids)))}


def evidence_key(session: Session, entity_id: bytes) -> EvidenceKey | None:
    """The evidence key of a platform now."""
    query = (
        select(EvidenceKey).where(EvidenceKey.entity_id == entity_id).order_by(EvidenceKey.valid_from.desc()).limit(1)
    )
    return session.scalars(query).first()
