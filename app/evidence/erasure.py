"""Erases what a record says: its content and salts go, its digests stay.

What is left still proves that a record was signed and anchored (leaf and path), and recognises it when it is posted
again. Nothing of it can be disclosed any more: without its salt no field is proved, and none can be found by trying.
Kept are the platform's number of the trade and its time, for without them a repetition would be a second trade. Of the
checks of its claims the answers stay, and not what they rested on.
"""

from sqlalchemy.orm import Session

from app.auth.roles import Role
from app.auth.service import Principal, demand
from app.checks.erasing import erase_findings
from app.claims.repository import undecided
from app.clock import now
from app.errors import Conflict, NotFound
from app.evidence import repository
from app.evidence.models import EvidenceErasure
from app.evidence.schemas import Erasure, ErasurePage
from app.gateway import Gateway
from chain.identifiers import content_key


def erase(session: Session, gateway: Gateway, caller: Principal, evidence_id: str, reason: str) -> tuple[int, Erasure]:
    """Erases a record and notes who did it and why; returns the HTTP status. Again: the first erasure.

    Raises:
        NotFound: There is no such record.
        Conflict: A claim on it is not decided yet, or a payment not written off.
    """
    row = repository.lock_records(session, [evidence_id]).get(evidence_id)
    if row is None:
        raise NotFound("evidence", evidence_id)
    before = repository.erasure(session, evidence_id)
    if before is not None:
        return 200, view_of(before)
    claim = undecided(session, evidence_id)
    if claim is not None:
        raise Conflict(
            "claim_undecided",
            f"Claim {claim.id} needs the record until it is refused, rejected or written off.",
            claim_id=claim.id,
        )
    key = gateway.jurisdiction_key
    with repository.overwriting(session):
        repository.erase_contents(session, row, lambda digest: content_key(key, digest))
        erase_findings(session, evidence_id)
    erasure = EvidenceErasure(
        evidence_id=evidence_id,
        erased_by=caller.key_id,
        role=caller.role.value,
        reason=reason,
        erased_at=now(),
    )
    session.add(erasure)
    return 201, view_of(erasure)


def page(session: Session, caller: Principal, *, after: str, limit: int) -> ErasurePage:
    """All erasures, for those who audit and those who erase.

    Raises:
        Forbidden: The caller is neither.
    """
    demand(caller, Role.REGULATOR, Role.OPERATOR)
    rows = repository.erasures(session, after, limit)
    return ErasurePage(items=[view_of(row) for row in rows], next=rows[-1].evidence_id if len(rows) == limit else None)


def view_of(erasure: EvidenceErasure) -> Erasure:
    """An erasure as callers see it."""
    return Erasure(
        evidence_id=erasure.evidence_id,
        erased_by=erasure.erased_by,
        role=erasure.role,
        reason=erasure.reason,
        erased_at=erasure.erased_at,
    )
