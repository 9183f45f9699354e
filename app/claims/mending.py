"""What becomes of claims whose redemption or refusal a reorganisation took back.

The transaction is sent again, and may make a redemption with another number, or refuse what it paid before. So the
claim is as it was before its outcome was known, in the transaction that takes the outcome back; the presenter notes the
new one.
"""

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.claims.models import Claim
from app.claims.repository import OPEN, PRESENTED, REDEEMED, REFUSED
from app.clock import now
from app.indexer.models import Redemption, Refusal
from app.indexer.undo import Removed

_AT_ONCE = 200


def mend_claims(session: Session, removed: Removed) -> None:
    """Open claims again whose outcome is gone."""
    redemptions = [row["id"] for row in removed.get(Redemption, [])]
    for start in range(0, len(redemptions), _AT_ONCE):
        _reopen(session, Claim.state == REDEEMED, Claim.redemption_id.in_(redemptions[start : start + _AT_ONCE]))
    refused = [
        and_(Claim.voucher_id == row["voucher_id"], Claim.settlement_key == row["settlement_key"])
        for row in removed.get(Refusal, [])
        if row["kind"] == "redemption"
    ]
    # Who claimed again meanwhile has a claim that stands; there is one at a time.
    other = aliased(Claim)
    again = select(other.id).where(
        other.programme_id == Claim.programme_id, other.evidence_id == Claim.evidence_id, other.state.in_(OPEN)
    )
    for start in range(0, len(refused), _AT_ONCE):
        _reopen(session, Claim.state == REFUSED, or_(*refused[start : start + _AT_ONCE]), ~again.exists())


def _reopen(session: Session, *which: ColumnElement[bool]) -> None:
    session.execute(
        update(Claim)
        .where(*which)
        .values(state=PRESENTED, redemption_id=None, code=None, detail=None, updated_at=now())
        .execution_options(synchronize_session=False)
    )
