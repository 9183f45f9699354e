"""Records events in the transaction of the change itself: there if it commits, gone if it does not."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session, UOWTransaction, sessionmaker

from app.clock import now
from app.events.catalogue import EVIDENCE_ORPHANED, OPERATION_REVERSED
from app.events.models import STANDING_FINAL, Event, EventParty
from app.evidence.models import EvidenceAnchor
from app.evidence.repository import ORPHANED
from chain.relay.models import UNFINISHED, Operation


def record(
    session: Session,
    kind: str,
    data: dict[str, Any],
    *,
    parties: Iterable[bytes] = (),
    occurred_at: int | None = None,
    standing: str = STANDING_FINAL,
    **place: Any,
) -> Event:
    """Adds an event to the caller's session.

    Args:
        kind: One of app.events.catalogue.TYPES.
        parties: Registry ids of the organisations that may see it besides the staff.
        occurred_at: Unix seconds; now by default.
        place: Block number, block hash and log index of a chain event.
    """
    row = Event(
        uid=f"evt_{uuid4().hex}",
        type=kind,
        occurred_at=now() if occurred_at is None else occurred_at,
        data=data,
        standing=standing,
        parties=[EventParty(party=party) for party in dict.fromkeys(parties)],
        **place,
    )
    session.add(row)
    return row


def record_changes(sessions: sessionmaker[Session]) -> None:
    """Lets every flush of these sessions record what became of operations and batches, whoever wrote it."""
    event.listen(sessions, "before_flush", _before_flush)


def _before_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
    for row in [*session.dirty, *session.new]:
        note = _NOTES.get(type(row))
        if note is not None:
            column, tell = note
            history = inspect(row).attrs[column].history
            if history.has_changes():
                tell(session, row, history.deleted[0] if history.deleted else None)


def _operation(session: Session, operation: Operation, before: str | None) -> None:
    ended = operation.status not in UNFINISHED
    if not ended and (before is None or before in UNFINISHED):
        return
    result = {name: value for name, value in (operation.result or {}).items() if name != "events"}
    data = {
        "operation_id": operation.id,
        "kind": operation.kind,
        "ref": operation.ref,
        "status": str(operation.status),
        "result": result or None,
        "error": operation.error,
    }
    record(session, f"operation.{operation.status}" if ended else OPERATION_REVERSED, data)


def _anchor(session: Session, anchor: EvidenceAnchor, _before: str | None) -> None:
    if anchor.state != ORPHANED:
        return
    data = {
        "platform_id": f"0x{anchor.platform_id.hex()}",
        "from_sequence": anchor.from_sequence,
        "to_sequence": anchor.to_sequence,
        "count": anchor.count,
        "error": anchor.error,
    }
    record(session, EVIDENCE_ORPHANED, data, parties=[anchor.platform_id])


_NOTES: dict[type[Any], tuple[str, Callable[[Session, Any, str | None], None]]] = {
    Operation: ("status", _operation),
    EvidenceAnchor: ("state", _anchor),
}
