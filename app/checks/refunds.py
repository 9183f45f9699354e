"""A refund after payment reopens the claim (domain.md, check `paid`): records that correct a trade which was redeemed.

The check is made again with what is known now, and its finding goes to the queue of holds. The redemption stands on
chain meanwhile, and is not written off: released, it may be; rejected, a finance officer rejects or recovers it.
"""

import threading
from uuid import uuid4

import msgspec
from sqlalchemy.orm import Session

from app.checks import repository
from app.checks.gather import Gatherer
from app.checks.models import CheckRun, Hold, HoldFinding, NotedCorrection
from app.checks.outcome import Answer
from app.checks.rules import NEWEST, decide
from app.claims.models import Claim
from app.claims.repository import PRESENTED, REDEEMED, WAITING, lock
from app.clock import now
from app.events.catalogue import CLAIM_HELD
from app.events.recorder import record
from app.evidence.models import EvidenceRecord
from app.evidence.trades import trade_of
from app.gateway import Gateway
from app.indexer.models import Programme
from app.programmes.service import programme_part
from chain.sql import reading

PAID = "paid"
POLL_S = 1.0


class RefundWatch:
    """The worker; several may share a PostgreSQL, a claim being locked by one at a time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def run(self, stop: threading.Event) -> None:
        """Looks every second."""
        while not stop.is_set():
            self.step()
            stop.wait(POLL_S)

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
    hold = None
    for claim in claims:
        if row is not None and claim.state == REDEEMED:
            hold = repository.open_hold(session, claim.id) or _hold(session, gateway, claim, row)
    session.add(NotedCorrection(correction_id=correction_id, hold_id=hold.id if hold else None, noted_at=now()))


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
    told = {
        "check": rule.code,
        "version": rule.version,
        "outcome": msgspec.to_builtins(outcome),
        "inputs": msgspec.to_builtins(inputs),
    }
    run = CheckRun(
        claim_id=claim.id,
        policy_digest=programme.policy_hash,
        programme=part.name,
        outcomes=[told],
        answer=outcome.answer,
        made_at=at,
    )
    session.add(run)
    session.flush()
    hold = Hold(
        id=f"hd_{uuid4().hex}",
        claim_id=claim.id,
        run_id=run.id,
        programme_id=claim.programme_id,
        traded_at=claim.traded_at,
        state=repository.OPEN,
        created_at=at,
        passed_at=at,  # it was paid in its place, and keeps nobody waiting
        findings=[HoldFinding(check_code=rule.code, code=outcome.code)],
    )
    session.add(hold)
    session.flush()
    data = {
        "hold_id": hold.id,
        "claim_id": claim.id,
        "voucher_id": claim.voucher_id,
        "programme_id": claim.programme_id,
        "checks": [rule.code],
    }
    record(session, CLAIM_HELD, data, parties=[row.buyer_id, row.platform_id])
    return hold
