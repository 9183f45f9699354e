"""Stored records as callers and contracts see them."""

from sqlalchemy.orm import Session

from app.auth.service import Principal
from app.entities.repository import by_uscc
from app.errors import ApiError, NotFound
from app.evidence import repository
from app.evidence.checking import stored_record
from app.evidence.models import EvidenceRecord
from app.gateway import Gateway
from chain.record import to_trade
from chain.trade import Trade


class EvidenceErased(ApiError):
    """What a record said is gone; see `app.evidence.erasure`."""

    def __init__(self, evidence_id: str) -> None:
        super().__init__(
            410,
            "evidence_erased",
            f"The content of evidence {evidence_id} was erased: nothing of it can be shown or claimed. Its leaf and "
            f"the path to the anchored root are at /v1/evidence/{evidence_id}.",
        )


def find_record(session: Session, caller: Principal, evidence_id: str) -> EvidenceRecord:
    """A record that the caller may see: as staff, platform, buyer or supplier.

    Raises:
        NotFound: There is none, or the caller has no part in it.
    """
    row = repository.record(session, evidence_id)
    if row is not None and not caller.is_staff:
        own = by_uscc(session, caller.subject)
        if own is None or own.entity_id not in (row.platform_id, row.buyer_id, row.supplier_id):
            row = None
    if row is None:
        raise NotFound("evidence", evidence_id)
    return row


def trade_of(session: Session, gateway: Gateway, row: EvidenceRecord) -> Trade:
    """The trade that stands on chain for a stored record.

    Raises:
        EvidenceErased: There is no content any more.
        ValueError: The stored record or its salt was changed: it does not give the leaf that was signed.
    """
    if not row.record:
        raise EvidenceErased(row.id)
    submission = repository.submission(session, row.platform_id, row.sequence)
    assert submission is not None  # noqa: S101 - foreign key
    trade = to_trade(stored_record(row.record), row.salt, gateway.jurisdiction_key, custody=submission.custody)
    if trade.leaf() != row.leaf:
        raise ValueError(f"evidence {row.id} does not give its leaf")
    return trade
