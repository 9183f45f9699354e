"""SQL of claims."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.claims.models import Claim
from app.evidence.models import EvidenceRecord
from app.indexer.models import EvidenceBatch, IndexState, Programme, Redemption, Voucher
from chain.contracts import Contracts
from chain.relay.models import GONE, UNFINISHED, Operation, OperationStatus

WAITING, PRESENTED, REDEEMED, REFUSED, REJECTED, HELD = (
    "waiting",
    "presented",
    "redeemed",
    "refused",
    "rejected",
    "held",
)
SETTLED_AT_ONCE = 500
"""Outcomes that are noted in one transaction."""
PROVISIONAL = "provisional"
"""State of a redemption that is neither written off nor rejected."""
DAY_S, CHINA_S = 86_400, 8 * 3_600
OPEN = (WAITING, PRESENTED, REDEEMED, HELD)


def find(session: Session, claim_id: str) -> Claim | None:
    """A claim."""
    return session.get(Claim, claim_id)


def open_claims(session: Session, programme_ids: Sequence[int], evidence_ids: Sequence[str]) -> list[Claim]:
    """Claims on trades that are not refused or rejected."""
    query = select(Claim).where(
        Claim.programme_id.in_(programme_ids), Claim.evidence_id.in_(evidence_ids), Claim.state.in_(OPEN)
    )
    return list(session.scalars(query))


def undecided(session: Session, evidence_id: str) -> Claim | None:
    """A claim on a trade that is still on its way: to the contract, before a person, or to its payment."""
    query = (
        select(Claim)
        .outerjoin(Redemption, Redemption.id == Claim.redemption_id)
        .where(
            Claim.evidence_id == evidence_id,
            Claim.state.in_(OPEN),
            or_(Redemption.id.is_(None), Redemption.state == PROVISIONAL),
        )
    )
    return session.scalars(query.limit(1)).first()


def was_rejected(session: Session, redemption_id: int) -> bool:
    """Whether a finance officer undid a redemption."""
    return session.scalar(select(Redemption.state).where(Redemption.id == redemption_id)) == REJECTED


def vouchers(session: Session, ids: Sequence[int]) -> dict[int, Voucher]:
    """Vouchers by number."""
    return {row.id: row for row in session.scalars(select(Voucher).where(Voucher.id.in_(ids)))}


def page(
    session: Session,
    *,
    programme_id: int | None,
    voucher_id: int | None,
    evidence_id: str | None,
    state: str | None,
    party_id: bytes | None,
    key_id: str | None,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Claim]:
    """Claims, oldest first.

    Args:
        party_id: Only those in which this organisation is buyer, supplier or platform, or that `key_id` handed in.
    """
    query = select(Claim).order_by(Claim.created_at, Claim.id).limit(limit)
    if programme_id is not None:
        query = query.where(Claim.programme_id == programme_id)
    if voucher_id is not None:
        query = query.where(Claim.voucher_id == voucher_id)
    if evidence_id is not None:
        query = query.where(Claim.evidence_id == evidence_id)
    if state is not None:
        query = query.where(Claim.state == state)
    if party_id is not None:
        query = query.join(EvidenceRecord, EvidenceRecord.id == Claim.evidence_id).where(
            or_(
                EvidenceRecord.buyer_id == party_id,
                EvidenceRecord.supplier_id == party_id,
                EvidenceRecord.platform_id == party_id,
                Claim.submitted_by == key_id,
            )
        )
    if after is not None:
        at, last = after
        query = query.where((Claim.created_at > at) | ((Claim.created_at == at) & (Claim.id > last)))
    return list(session.scalars(query))


def rounds(session: Session, programme_id: int, from_at: int | None, limit: int) -> list[tuple[int, dict[str, int]]]:
    """Claims of a programme by day of trade (days since 1970 in China), each day with its numbers by state.

    Args:
        from_at: Only trades from this second on.
    """
    day = (Claim.traded_at + CHINA_S) // DAY_S
    rejected = Redemption.state == REJECTED
    counts: dict[str, ColumnElement[int]] = {
        state: func.count().filter(Claim.state == state) for state in (WAITING, PRESENTED, HELD, REFUSED)
    }
    counts |= {
        REDEEMED: func.count().filter(Claim.state == REDEEMED, ~rejected),
        REJECTED: func.count().filter(or_(Claim.state == REJECTED, and_(Claim.state == REDEEMED, rejected))),
        "in_part": func.count().filter(Redemption.limit == "budget", ~rejected),
        "paid_fen": func.coalesce(func.sum(Redemption.amount_fen).filter(~rejected), 0),
    }
    query = (
        select(day.label("day"), *(count.label(name) for name, count in counts.items()))
        .outerjoin(Redemption, Redemption.id == Claim.redemption_id)
        .where(Claim.programme_id == programme_id)
        .group_by("day")
        .order_by("day")
        .limit(limit)
    )
    if from_at is not None:
        query = query.where(Claim.traded_at >= from_at)
    return [(int(row.day), {name: int(getattr(row, name)) for name in counts}) for row in session.execute(query)]


# PRESENTING


def programmes_with(session: Session, state: str) -> list[int]:
    """Programmes that have claims in a state."""
    return list(session.scalars(select(Claim.programme_id).where(Claim.state == state).distinct()))


def lock_programme(session: Session, programme_id: int) -> None:
    """Holds a programme, so that one worker at a time presents its claims."""
    # The projector writes the row too; it waits the few milliseconds that this takes.
    session.execute(select(Programme.id).where(Programme.id == programme_id).with_for_update())


def pays_in_trade_order(session: Session, programme_id: int) -> bool:
    """Whether a programme pays in order of trade time."""
    terms = session.scalar(select(Programme.terms).where(Programme.id == programme_id))
    return bool(terms and terms["inTradeOrder"])


def in_flight(session: Session, programme_id: int) -> int:
    """Claims of a programme that are in a transaction."""
    query = select(func.count()).where(Claim.programme_id == programme_id, Claim.state == PRESENTED)
    return session.scalar(query) or 0


def waiting(
    session: Session, programme_id: int, limit: int, *, anchored_only: bool
) -> list[tuple[Claim, EvidenceRecord, bool]]:
    """Claims that wait, in order of trade time, each with its record and whether that is anchored."""
    anchored = (
        select(EvidenceBatch.index)
        .where(
            EvidenceBatch.platform_id == EvidenceRecord.platform_id,
            EvidenceBatch.from_sequence <= EvidenceRecord.sequence,
            EvidenceBatch.to_sequence >= EvidenceRecord.sequence,
        )
        .exists()
    )
    query = (
        select(Claim, EvidenceRecord, anchored)
        .join(EvidenceRecord, EvidenceRecord.id == Claim.evidence_id)
        .where(Claim.programme_id == programme_id, Claim.state == WAITING)
        .order_by(Claim.traded_at, Claim.id)
        .limit(limit)
    )
    if anchored_only:
        query = query.where(anchored)
    return [(row[0], row[1], bool(row[2])) for row in session.execute(query)]


def decided_operations(session: Session, indexed_block: int) -> list[str]:
    """Operations of presented claims whose outcome can be noted: they ended, and the projection has reached their
    block."""
    query = (
        select(Operation)
        .join(Claim, Claim.operation_id == Operation.id)
        .where(Claim.state == PRESENTED, Operation.status.not_in(UNFINISHED))
        .order_by(Operation.seq)
        .limit(SETTLED_AT_ONCE)
    )
    return [
        operation.id
        for operation in session.scalars(query)
        if operation.status in GONE or int((operation.result or {})["block_number"]) <= indexed_block
    ]


def hold_projection(session: Session, contracts: Contracts) -> None:
    """Keeps the indexer from going on, or back, until the transaction ends."""
    session.get(IndexState, (contracts.chain_id, contracts.ledger), with_for_update={"read": True})


def reopened(session: Session) -> list[str]:
    """Claims that were refused or held, but whose operation goes on or succeeded; not where the trade was claimed again
    meanwhile."""
    other = aliased(Claim)
    again = select(other.id).where(
        other.programme_id == Claim.programme_id,
        other.evidence_id == Claim.evidence_id,
        other.id != Claim.id,
        other.state.in_(OPEN),
    )
    query = (
        select(Claim.id)
        .join(Operation, Operation.id == Claim.operation_id)
        .where(
            Claim.state.in_((REFUSED, HELD)),
            Operation.status.in_((*UNFINISHED, OperationStatus.SUCCEEDED)),
            ~again.exists(),
        )
    )
    return list(session.scalars(query))


def lock(session: Session, ids: Sequence[str]) -> list[Claim]:
    """Claims, held until the transaction ends."""
    return list(session.scalars(select(Claim).where(Claim.id.in_(ids)).order_by(Claim.id).with_for_update()))


def of_operations(session: Session, operation_ids: Sequence[str]) -> list[Claim]:
    """Claims that operations carry, held until the transaction ends."""
    query = (
        select(Claim)
        .where(Claim.operation_id.in_(operation_ids), Claim.state == PRESENTED)
        .order_by(Claim.traded_at, Claim.id)
        .with_for_update()
    )
    return list(session.scalars(query))


def redemption_of(session: Session, claim: Claim, leaf: bytes, tx_hash: bytes) -> int | None:
    """The redemption that a claim became in a transaction. Two claims there may share voucher and invoice: the leaf
    tells which trade was paid."""
    query = select(Redemption.id).where(
        Redemption.tx_hash == tx_hash,
        Redemption.voucher_id == claim.voucher_id,
        Redemption.settlement_key == claim.settlement_key,
        Redemption.leaf == leaf,
    )
    return session.scalars(query).first()
