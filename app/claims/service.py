"""Takes claims; the presenter puts them to the contract."""

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy.orm import Session

from app.auth.roles import Role
from app.auth.service import Principal
from app.claims import repository
from app.claims.models import Claim
from app.claims.schemas import ClaimPage, ClaimView, NewClaims, TakenClaims
from app.clock import now
from app.cursor import named_by
from app.entities.repository import by_uscc
from app.errors import ApiError, Invalid, NotFound
from app.evidence.models import EvidenceRecord
from app.evidence.repository import lock_records, records_by_id
from app.indexer.models import Voucher


def take(session: Session, caller: Principal, body: NewClaims) -> TakenClaims:
    """Takes claims, all or none. A claim that stands already, for the same voucher and trade, is answered as it is.

    Raises:
        Invalid: A voucher or evidence is unknown or not the caller's to claim with, or a trade stands twice.
        ApiError: 409 if a trade is claimed already under the same programme, with another voucher.
    """
    vouchers = repository.vouchers(session, sorted({item.voucher_id for item in body.items}))
    # Held, so that of two claims on one trade at the same time the second sees the first.
    records = lock_records(session, sorted({item.evidence_id for item in body.items}))
    own = None if caller.is_staff else by_uscc(session, caller.subject)
    own_id = own.entity_id if own else bytes(32)
    programmes = sorted({voucher.programme_id for voucher in vouchers.values()})
    standing = {
        (claim.programme_id, claim.evidence_id): claim
        for claim in repository.open_claims(session, programmes, sorted(records))
        if not _released(session, claim)
    }
    taken: list[Claim] = []
    at = now()
    for index, item in enumerate(body.items):
        voucher, record = vouchers.get(item.voucher_id), records.get(item.evidence_id)
        if voucher is None or not _may_use(caller, own_id, voucher):
            raise Invalid(f"/items/{index}/voucher_id", "known_voucher", f"there is no voucher {item.voucher_id}")
        if record is None or not _may_claim(caller, own_id, record):
            raise Invalid(f"/items/{index}/evidence_id", "known_evidence", f"there is no evidence {item.evidence_id}")
        if not record.record:
            raise Invalid(f"/items/{index}/evidence_id", "erased", "the content of this evidence was erased")
        key = (voucher.programme_id, record.id)
        claim = standing.get(key)
        if claim is None:
            claim = standing[key] = _new(caller, voucher, record, at)
            session.add(claim)
        elif claim.voucher_id != voucher.id:
            problem = f"the trade is claimed with voucher {claim.voucher_id} already"
            raise ApiError(
                409,
                "already_claimed",
                f"/items/{index}/evidence_id: {problem}.",
                errors=[{"pointer": f"/items/{index}/evidence_id", "rule": "one_claim", "detail": problem}],
                claim_id=claim.id,
            )
        taken.append(claim)
    session.flush()
    return TakenClaims(items=[view_of(claim) for claim in taken])


def _released(session: Session, claim: Claim) -> bool:
    """Whether the redemption of a claim was undone, so that the trade may be claimed again; then notes it."""
    if claim.redemption_id is None or not repository.was_rejected(session, claim.redemption_id):
        return False
    claim.state, claim.updated_at = repository.REJECTED, now()
    session.flush()
    return True


def _may_use(caller: Principal, own_id: bytes, voucher: Voucher) -> bool:
    """An enterprise claims with its own vouchers; a platform for whoever traded on it."""
    return caller.role is not Role.ENTERPRISE or voucher.entity_id == own_id


def _may_claim(caller: Principal, own_id: bytes, record: EvidenceRecord) -> bool:
    return caller.is_staff or own_id in (record.platform_id, record.buyer_id)


def _new(caller: Principal, voucher: Voucher, record: EvidenceRecord, at: int) -> Claim:
    return Claim(
        id=f"cl_{uuid4().hex}",
        voucher_id=voucher.id,
        programme_id=voucher.programme_id,
        evidence_id=record.id,
        settlement_key=record.settlement_key,
        traded_at=record.traded_at,
        state=repository.WAITING,
        submitted_by=caller.key_id,
        created_at=at,
        updated_at=at,
    )


def find(session: Session, caller: Principal, claim_id: str) -> Claim:
    """A claim that the caller may see: as staff, who handed it in, or a party of the trade.

    Raises:
        NotFound: There is none, or the caller has no part in it.
    """
    claim = repository.find(session, claim_id)
    if claim is not None and not caller.is_staff and claim.submitted_by != caller.key_id:
        record = records_by_id(session, [claim.evidence_id])[claim.evidence_id]
        own = by_uscc(session, caller.subject)
        if own is None or own.entity_id not in (record.platform_id, record.buyer_id, record.supplier_id):
            claim = None
    if claim is None:
        raise NotFound("claim", claim_id)
    return claim


def page(
    session: Session,
    caller: Principal,
    *,
    programme_id: int | None,
    voucher_id: int | None,
    evidence_id: str | None,
    state: str | None,
    after: str | None,
    limit: int,
) -> ClaimPage:
    """Claims that the caller may see, oldest first.

    Raises:
        Invalid: The cursor names no claim.
    """
    last = named_by(session, after, repository.find)
    own = None if caller.is_staff else by_uscc(session, caller.subject)
    rows: Sequence[Claim] = repository.page(
        session,
        programme_id=programme_id,
        voucher_id=voucher_id,
        evidence_id=evidence_id,
        state=state,
        party_id=None if caller.is_staff else (own.entity_id if own else bytes(32)),
        key_id=caller.key_id,
        after=(last.created_at, last.id) if last else None,
        limit=limit,
    )
    return ClaimPage(items=[view_of(row) for row in rows], next=rows[-1].id if len(rows) == limit else None)


def view_of(claim: Claim) -> ClaimView:
    """A claim as callers see it."""
    return ClaimView(
        id=claim.id,
        voucher_id=claim.voucher_id,
        programme_id=claim.programme_id,
        evidence_id=claim.evidence_id,
        traded_at=claim.traded_at,
        state=claim.state,
        operation_id=claim.operation_id,
        redemption_id=claim.redemption_id,
        code=claim.code,
        detail=claim.detail,
        created_at=claim.created_at,
        updated_at=claim.updated_at,
    )
