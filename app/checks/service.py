"""What persons do with holds, and what may be read of checks."""

from sqlalchemy.orm import Session

from app.auth.roles import STAFF
from app.auth.service import Principal, demand
from app.checks import repository
from app.checks.models import CheckRun, Hold
from app.checks.rerun import again
from app.checks.schemas import ClaimChecks, HoldPage, HoldView, OutcomeView, RerunView, RunView
from app.claims import repository as claims
from app.claims.models import Claim
from app.clock import now
from app.cursor import named_by
from app.entities.repository import by_uscc
from app.errors import ApiError, Conflict, NotFound
from app.events.catalogue import CLAIM_HOLD_DECIDED
from app.events.recorder import record
from app.evidence.repository import records_by_id


def decide_hold(session: Session, caller: Principal, hold_id: str, state: str, reason: str) -> HoldView:
    """Releases or rejects a hold. A released claim waits to be presented again, a rejected one is refused. One that was
    redeemed before stays so: released, it may be written off.

    Raises:
        NotFound: There is no such hold.
        ApiError: 403 where the caller handed the claim in, or is a party of the trade.
        Conflict: It was decided before.
    """
    hold = repository.hold(session, hold_id, lock=True)
    if hold is None:
        raise NotFound("hold", hold_id)
    (claim,) = claims.lock(session, [hold.claim_id])
    row = records_by_id(session, [claim.evidence_id])[claim.evidence_id]
    own = by_uscc(session, caller.subject) if caller.subject else None
    parties = (row.buyer_id, row.supplier_id, row.platform_id)
    if claim.submitted_by == caller.key_id or (own is not None and own.entity_id in parties):
        raise ApiError(403, "own_claim", "Who handed a claim in or has a part in its trade does not decide on it.")
    if hold.state != repository.OPEN:
        raise Conflict("hold_decided", f"Hold {hold.id} is {hold.state} already.", state=hold.state)
    hold.state, hold.reason = state, reason
    hold.decided_by, hold.role, hold.decided_at = caller.key_id, caller.role.value, now()
    claim.updated_at = now()
    if claim.state == claims.REDEEMED:
        pass  # what becomes of the redemption is a finance officer's to say
    elif state == repository.RELEASED:
        claim.state, claim.code, claim.detail = claims.WAITING, None, None
    else:
        claim.state = claims.REFUSED
    session.flush()
    data = {
        "hold_id": hold.id,
        "claim_id": claim.id,
        "voucher_id": claim.voucher_id,
        "programme_id": claim.programme_id,
        "state": state,
        "reason": reason,
    }
    record(session, CLAIM_HOLD_DECIDED, data, parties=[row.buyer_id, row.platform_id])
    return view_of(session, hold)


def page(
    session: Session,
    caller: Principal,
    *,
    state: str | None,
    programme_id: int | None,
    code: str | None,
    after: str | None,
    limit: int,
) -> HoldPage:
    """The queue, oldest first; for staff.

    Raises:
        Invalid: The cursor names no hold.
    """
    demand(caller, *STAFF)
    last = named_by(session, after, repository.hold)
    rows = repository.holds(
        session,
        state=state,
        programme_id=programme_id,
        code=code,
        after=(last.created_at, last.id) if last else None,
        limit=limit,
    )
    return HoldPage(items=[view_of(session, row) for row in rows], next=rows[-1].id if len(rows) == limit else None)


def find_hold(session: Session, caller: Principal, hold_id: str) -> HoldView:
    """One hold; for staff.

    Raises:
        NotFound: There is none.
    """
    demand(caller, *STAFF)
    hold = repository.hold(session, hold_id)
    if hold is None:
        raise NotFound("hold", hold_id)
    return view_of(session, hold)


def checks_of(session: Session, caller: Principal, claim_id: str) -> ClaimChecks:
    """All decisions on a claim; for staff, as they say how frauds are found.

    Raises:
        NotFound: There is no such claim.
    """
    _claim(session, caller, claim_id)
    return ClaimChecks(
        runs=[_run_view(run) for run in repository.runs(session, claim_id)],
        holds=[view_of(session, hold) for hold in repository.holds_of(session, claim_id)],
    )


def rerun(session: Session, caller: Principal, claim_id: str) -> list[RerunView]:
    """The runs of a claim, made again.

    Raises:
        NotFound: There is no such claim.
    """
    _claim(session, caller, claim_id)
    return [again(session, run) for run in repository.runs(session, claim_id)]


def _claim(session: Session, caller: Principal, claim_id: str) -> Claim:
    demand(caller, *STAFF)
    claim = claims.find(session, claim_id)
    if claim is None:
        raise NotFound("claim", claim_id)
    return claim


def view_of(session: Session, hold: Hold) -> HoldView:
    """A hold with its findings."""
    claim = session.get_one(Claim, hold.claim_id)
    named = {finding.check_code for finding in hold.findings}
    run = _run_view(repository.run(session, hold.run_id))
    return HoldView(
        id=hold.id,
        claim_id=hold.claim_id,
        programme_id=hold.programme_id,
        voucher_id=claim.voucher_id,
        evidence_id=claim.evidence_id,
        state=hold.state,
        created_at=hold.created_at,
        passed_at=hold.passed_at,
        decided_by=hold.decided_by,
        role=hold.role,
        reason=hold.reason,
        decided_at=hold.decided_at,
        findings=[outcome for outcome in run.outcomes if outcome.check in named],
    )


def _run_view(run: CheckRun) -> RunView:
    return RunView(
        id=run.id,
        policy_digest=f"0x{run.policy_digest.hex()}",
        programme=run.programme,
        answer=run.answer,
        made_at=run.made_at,
        outcomes=[OutcomeView(**outcome) for outcome in run.outcomes],
    )
