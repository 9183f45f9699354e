"""A refund after payment reopens the claim (domain.md, check `paid`): records that correct a trade which was redeemed.

The check is made again with what is known now, and its finding goes to the queue of holds. The redemption stands on
chain meanwhile, and is not written off: released, it may be; rejected, a finance officer rejects or recovers it.
"""

from sqlalchemy.orm import Session

from app.checks import repository
from app.checks.decisions import hold, keep
from app.checks.gather import Gatherer
from app.checks.models import Hold, NotedCorrection
from app.checks.outcome import Answer
from app.checks.rules import NEWEST, decide
from app.claims.models import Claim
from app.claims.repository import PRESENTED, REDEEMED, WAITING, lock
from app.clock import now
from app.evidence.models import EvidenceRecord
from app.evidence.trades import trade_of
from app.gateway import Gateway
from app.indexer.models import Programme
from app.programmes.service import programme_part
from chain.sql import reading

PAID = "paid"


class RefundWatch:
    """The worker; several may share a PostgreSQL, a claim being locked by one at a time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def step(self) -> None:
        """Looks at corrections that were not looked at, each in a transaction of its own."""
        with reading(self._gateway.sessions) as session:
            found = repository.unnoted_corrections(session)
        for correction_id in found:
            with self._gateway.sessions.begin() as session:
                _note(session, self._gateway, correction_id)


def _note(session: Session, gateway: Gateway, correction_id: str) -> None:
    """Looks at a correction. One whose trade is on its way to the contract waits until that is decided; a claim that
    comes later, or is checked again, is checked with the correction in sight."""
    row, found = repository.corrected(session, correction_id)
    claims = lock(session, [claim.id for claim in found])
    is_noted = session.get(NotedCorrection, correction_id) is not None
    if is_noted or any(claim.state in (WAITING, PRESENTED) for claim in claims):
        return
    opened = None
    for claim in claims:
        if row is not None and claim.state == REDEEMED:
            opened = repository.open_hold(session, claim.id) or _hold(session, gateway, claim, row)
    session.add(NotedCorrection(correction_id=correction_id, hold_id=opened.id if opened else None, noted_at=now()))


def _hold(session: Session, gateway: Gateway, claim: Claim, row: EvidenceRecord) -> Hold | None:
    """Makes the check again; None where the policy turned it off, or the record says nothing any more."""
    programme = session.get_one(Programme, claim.programme_id)
    part = programme_part(session, programme)
    if part is None or not row.record:
        return None
    at, rule = now(), NEWEST[PAID]
    trade = trade_of(session, gateway, row)
    gatherer = Gatherer(
        session,
        gateway.jurisdiction_key,
        claim=claim,
        row=row,
        trade=trade,
        programme=programme,
        part=part,
        looked_at=at,
    )
    inputs = gatherer.paid()
    outcome = decide(rule, inputs, part.checks)
    if outcome is None or outcome.answer is not Answer.HOLD:
        return None
    run = keep(session, claim, programme, part.name, [(rule, inputs, outcome)], answer=outcome.answer, made_at=at)
    # It was paid in its place, and keeps nobody waiting.
    return hold(session, claim, row, run, [(rule.code, outcome)], passed_at=at)
