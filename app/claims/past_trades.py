"""The claimed trades of a programme as questions of a quotation, for `suanquan policy simulate`.

Claimants are told as registry, blacklists and officers know them today. Trades whose content was erased are left out.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.checks.repository import listed
from app.claims.models import Claim
from app.claims.repository import REDEEMED
from app.entities.claimants import claimant_of
from app.entities.models import Organisation
from app.evidence.checking import stored_record
from app.evidence.models import EvidenceRecord
from app.indexer.models import Programme
from app.policies.model import ProgrammePart
from app.policies.terms import CHINA
from app.programmes.service import find as find_programme
from app.programmes.service import programme_part
from chain.record import Record, unix_seconds

AT_ONCE = 500


def past_trades(session: Session, programme_id: int) -> Iterator[dict[str, Any]]:
    """The trades that were claimed under a programme, each once, in order of trade time.

    Raises:
        NotFound: There is no such programme.
    """
    programme = find_programme(session, programme_id)
    return _Teller(session, programme, programme_part(session, programme)).all()


class _Teller:
    """Tells the trades of one programme."""

    def __init__(self, session: Session, programme: Programme, part: ProgrammePart | None) -> None:
        self._session, self._programme = session, programme
        self._platforms = part.scope.platforms if part else None
        self._claimants: dict[str, dict[str, Any]] = {}

    def all(self) -> Iterator[dict[str, Any]]:
        """One question for each trade."""
        redeemed = func.max(case((Claim.state == REDEEMED, 1), else_=0))
        claimed = (
            select(Claim.evidence_id, redeemed.label("redeemed"))
            .where(Claim.programme_id == self._programme.id)
            .group_by(Claim.evidence_id)
            .subquery()
        )
        query = (
            select(EvidenceRecord, claimed.c.redeemed)
            .join(claimed, claimed.c.evidence_id == EvidenceRecord.id)
            .where(EvidenceRecord.record != b"")
            .order_by(EvidenceRecord.traded_at, EvidenceRecord.id)
            .execution_options(yield_per=AT_ONCE)
        )
        for row, paid in self._session.execute(query):
            record = stored_record(row.record)
            buyer, supplier = (self._session.get(Organisation, one) for one in (record.buyer, record.supplier))
            if buyer is not None and supplier is not None:
                trade = self._trade(row, record, supplier)
                if paid:
                    trade["price_fair"] = True  # else it would have been held
                yield {"claimant": self._claimant(buyer), "trade": trade}

    def _claimant(self, buyer: Organisation) -> dict[str, Any]:
        if buyer.uscc not in self._claimants:
            self._claimants[buyer.uscc] = claimant_of(self._session, buyer).model_dump(exclude_unset=True)
        return self._claimants[buyer.uscc]

    def _trade(self, row: EvidenceRecord, record: Record, supplier: Organisation) -> dict[str, Any]:
        supplies, settles = listed(self._session, self._programme.id, row.supplier_id, row.platform_id)
        signed = datetime.fromtimestamp(unix_seconds(record.contract_signed_at), CHINA).date()
        return {
            "kind": record.kind,
            "compute_type": record.compute_type,
            "domestic_chip": record.domestic_chip,
            "settled_fen": record.settled_fen,
            "contract_fen": record.contract_fen,
            "contract_signed_on": signed.isoformat(),
            "traded_at": row.traded_at,
            "platform": self._platforms[0] if self._platforms and settles else None,
            "supplier": {
                "uscc": supplier.uscc,
                "region": record.region_id,
                "controller": supplier.controller or None,
                "listed": supplies,
            },
            "paid": record.buyer_paid,
            "other_support_fen": record.other_support_fen,
        }
