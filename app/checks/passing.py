"""Lets a programme that pays in order of trade time go on, where a held claim was not decided in time.

The rule stands in the policy file (app.policies.model.Rounds): the claim gives up its place and stays held. Its parties
are told; whoever releases it later has it presented, and the contract says whether it still comes in time.
"""

from sqlalchemy.orm import Session

from app.checks import repository
from app.checks.models import Hold
from app.claims.models import Claim
from app.clock import now
from app.events.catalogue import CLAIM_HOLD_PASSED
from app.events.recorder import record
from app.evidence.repository import records_by_id
from app.policies.model import Rounds
from app.working_days import due_at


def overdue(hold: Hold, rounds: Rounds) -> bool:
    """Whether a hold was not decided in time."""
    return due_at(hold.created_at, rounds.hold_days, ()) < now()


def pass_over(session: Session, programme_id: int, rounds: Rounds) -> bool:
    """Takes their place from the overdue holds of a programme; returns whether there were any."""
    late = [hold for hold in repository.blocking(session, programme_id, lock=True) if overdue(hold, rounds)]
    for hold in late:
        hold.passed_at = now()
        claim = session.get_one(Claim, hold.claim_id)
        row = records_by_id(session, [claim.evidence_id])[claim.evidence_id]
        data = {
            "hold_id": hold.id,
            "claim_id": claim.id,
            "voucher_id": claim.voucher_id,
            "programme_id": programme_id,
            "hold_days": rounds.hold_days,
        }
        record(session, CLAIM_HOLD_PASSED, data, parties=[row.buyer_id, row.platform_id])
    return bool(late)
