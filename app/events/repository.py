"""SQL of events."""

from collections.abc import Sequence

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from app.events.catalogue import EVERYONE, STAFF_PREFIXES, condition
from app.events.models import Event, EventParty, Publication

PUBLICATION = 1
"""Id of the one row, which a migration makes."""


def publication(session: Session) -> Publication:
    """How far events are published."""
    return session.get_one(Publication, PUBLICATION)


def lock_publication(session: Session) -> Publication | None:
    """The same, locked; None while another process has it."""
    return session.get(Publication, PUBLICATION, populate_existing=True, with_for_update={"skip_locked": True})


def has_unpublished(session: Session) -> bool:
    """Whether an event waits for its position."""
    return session.scalar(select(Event.id).where(Event.position.is_(None)).limit(1)) is not None


def unpublished(session: Session, limit: int) -> Sequence[Event]:
    """Events that wait for their position, in order of recording."""
    return session.scalars(select(Event).where(Event.position.is_(None)).order_by(Event.id).limit(limit)).all()


def head(session: Session) -> int:
    """The last position that was given."""
    return session.scalar(select(func.max(Event.position))) or 0


def readable(patterns: Sequence[str], party: bytes | None) -> Select[Event]:
    """Published events of these types that a party may see.

    Args:
        party: Registry id of an organisation; None for staff, who see all.
    """
    query = select(Event).where(Event.position.is_not(None), condition(patterns))
    if party is None:
        return query
    mine = exists().where(EventParty.event_id == Event.id, EventParty.party.in_([party, EVERYONE]))
    return query.where(mine, *(~Event.type.startswith(prefix) for prefix in STAFF_PREFIXES))


def after(session: Session, position: int, patterns: Sequence[str], party: bytes | None, limit: int) -> Sequence[Event]:
    """The next events after a position, in order of publication."""
    query = readable(patterns, party).where(Event.position > position).order_by(Event.position).limit(limit)
    return session.scalars(query).all()
