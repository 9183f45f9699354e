"""Where a platform's stream of submissions stands."""

from sqlalchemy.orm import Session

from app.auth.service import Principal
from app.entities.repository import by_uscc, evidence_key
from app.errors import NotFound
from app.evidence import repository
from app.evidence.schemas import StreamView


def stream_view(session: Session, caller: Principal, uscc: str) -> StreamView:
    """Where a platform's stream stands; for staff and the platform itself.

    Raises:
        NotFound: There is no such platform, or it is not the caller's to see.
    """
    organisation = by_uscc(session, uscc)
    if organisation is None or not (caller.is_staff or caller.subject == uscc):
        raise NotFound("platform", uscc)
    platform_id = organisation.entity_id
    stream = repository.stream(session, platform_id)
    newest = repository.newest_batch(session, platform_id)
    key = evidence_key(session, platform_id)
    return StreamView(
        uscc=uscc,
        platform_id=f"0x{platform_id.hex()}",
        next_sequence=stream.next_sequence if stream else 1,
        anchored_to=newest.to_sequence if newest else 0,
        batches=newest.index + 1 if newest else 0,
        head=f"0x{newest.head.hex()}" if newest else None,
        pending=repository.pending_anchor(session, platform_id) is not None,
        custody=key.custodial if key else None,
        evidence_key=f"0x{key.key.hex()}" if key else None,
    )
