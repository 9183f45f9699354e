"""SQL of checks: what claims are compared with, each query bounded in time or number."""

from collections.abc import Sequence

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from app.checks.models import (
    BlacklistEntry,
    CheckRun,
    ClaimedTrade,
    FairPrice,
    Hold,
    HoldFinding,
    NotedCorrection,
    SupplierCapacity,
)
from app.claims.models import Claim
from app.entities.models import Organisation
from app.evidence.models import EvidenceConflict, EvidenceRecord, EvidenceSubmission
from app.indexer.models import Entity, ListedPlatform, ListedSupplier, Programme, Redemption, Tier

OPEN, RELEASED, REJECTED = "open", "released", "rejected"
LOOK_BACK = 1_000
"""Submissions, records or claims that one check reads at most."""
FLOWS = 2_000
"""Pairs of buyer and supplier that the graph of one check holds at most."""

# WHAT A CLAIM IS COMPARED WITH


def entities(session: Session, ids: Sequence[bytes]) -> dict[bytes, Entity]:
    """Registry records."""
    return {row.id: row for row in session.scalars(select(Entity).where(Entity.id.in_(ids)))}


def listed(session: Session, programme_id: int, supplier_id: bytes, platform_id: bytes) -> tuple[bool, bool]:
    """Whether supplier and platform are on the programme's lists."""
    return (
        session.get(ListedSupplier, (programme_id, supplier_id)) is not None,
        session.get(ListedPlatform, (programme_id, platform_id)) is not None,
    )


def tier(session: Session, programme_id: int, index: int) -> Tier | None:
    """A tier."""
    return session.get(Tier, (programme_id, index))


def used_by(session: Session, group: int, settlement_key: bytes) -> int:
    """The redemption that used an invoice in a group of programmes; 0 for none."""
    query = (
        select(Redemption.id)
        .join(Programme, Programme.id == Redemption.programme_id)
        .where(
            Redemption.settlement_key == settlement_key,
            Programme.group_id == group,
            (Redemption.state != "rejected") | Redemption.trade_barred,
        )
    )
    return session.scalars(query.limit(1)).first() or 0


def contract_used_by(session: Session, group: int, holder: bytes, contract_key: bytes) -> int:
    """The same for a contract, whose number is the parties' own: so the holder's redemptions are enough."""
    query = (
        select(Redemption.id)
        .join(Programme, Programme.id == Redemption.programme_id)
        .where(
            Redemption.entity_id == holder,
            Redemption.contract_key == contract_key,
            Programme.group_id == group,
            (Redemption.state != "rejected") | Redemption.trade_barred,
        )
    )
    return session.scalars(query.limit(1)).first() or 0


def blacklists(session: Session, ids: Sequence[bytes], from_at: int, to_at: int) -> dict[bytes, list[str]]:
    """Lists that organisations stood on at some time between two moments, by registry id."""
    query = (
        select(Organisation.entity_id, BlacklistEntry.list_name)
        .join(BlacklistEntry, BlacklistEntry.uscc == Organisation.uscc)
        .where(Organisation.entity_id.in_(ids), BlacklistEntry.from_at < to_at, BlacklistEntry.to_at > from_at)
        .order_by(BlacklistEntry.list_name)
        .distinct()
    )
    found: dict[bytes, list[str]] = {}
    for entity_id, name in session.execute(query):
        found.setdefault(entity_id, []).append(name)
    return found


def firms_of(session: Session, controller: bytes) -> list[bytes]:
    """Registry ids of the organisations of one controller."""
    return list(session.scalars(select(Entity.id).where(Entity.controller == controller).limit(LOOK_BACK)))


def bought(
    session: Session, buyers: Sequence[bytes], from_at: int, to_at: int, supplier_id: bytes
) -> list[EvidenceRecord]:
    """Records of what some organisations bought of a supplier between two moments, newest first."""
    query = (
        select(EvidenceRecord)
        .where(
            EvidenceRecord.buyer_id.in_(buyers),
            EvidenceRecord.traded_at.between(from_at, to_at),
            EvidenceRecord.supplier_id == supplier_id,
        )
        .order_by(EvidenceRecord.traded_at.desc())
        .limit(LOOK_BACK)
    )
    return list(session.scalars(query))


def flows(
    session: Session, buyers: Sequence[bytes], from_at: int, to_at: int, limit: int
) -> list[tuple[bytes, bytes, int]]:
    """What organisations bought of whom between two moments: buyer, supplier, fen; the largest first."""
    fen = func.sum(EvidenceRecord.settled_fen)
    query = (
        select(EvidenceRecord.buyer_id, EvidenceRecord.supplier_id, fen)
        .where(EvidenceRecord.buyer_id.in_(buyers), EvidenceRecord.traded_at.between(from_at, to_at))
        .group_by(EvidenceRecord.buyer_id, EvidenceRecord.supplier_id)
        .order_by(fen.desc(), EvidenceRecord.buyer_id, EvidenceRecord.supplier_id)
        .limit(limit)
    )
    return [(row[0], row[1], int(row[2])) for row in session.execute(query)]


def like_orders(session: Session, row: EvidenceRecord, within_s: int) -> int:
    """Orders of the same pair and amount around a trade, itself counted."""
    query = select(func.count()).where(
        EvidenceRecord.buyer_id == row.buyer_id,
        EvidenceRecord.traded_at.between(row.traded_at - within_s, row.traded_at + within_s),
        EvidenceRecord.supplier_id == row.supplier_id,
        EvidenceRecord.settled_fen == row.settled_fen,
    )
    return session.scalar(query) or 0


def corrections(session: Session, row: EvidenceRecord) -> list[EvidenceRecord]:
    """Records that correct or refund a trade."""
    query = select(EvidenceRecord).where(
        EvidenceRecord.platform_id == row.platform_id, EvidenceRecord.corrects == row.trade_id
    )
    return list(session.scalars(query.order_by(EvidenceRecord.id).limit(LOOK_BACK)))


def before(session: Session, platform_id: bytes, sequence: int) -> tuple[int, int, int | None]:
    """Of the newest thousand submissions up to one: how many there should be, how many there are, and the newest trade
    time in those before it."""
    first = max(1, sequence - LOOK_BACK + 1)
    here = (EvidenceSubmission.platform_id == platform_id, EvidenceSubmission.sequence.between(first, sequence))
    stored = session.scalar(select(func.count()).where(*here)) or 0
    newest = session.scalar(
        select(func.max(EvidenceSubmission.last_traded_at)).where(*here, EvidenceSubmission.sequence < sequence)
    )
    return sequence - first + 1, stored, newest


def contradictions(session: Session, row: EvidenceRecord) -> int:
    """How often a trade number was posted again with other content."""
    query = select(func.count()).where(
        EvidenceConflict.platform_id == row.platform_id, EvidenceConflict.evidence_id == row.id
    )
    return session.scalar(query) or 0


def fair_price(session: Session, resource: str, at: int) -> int | None:
    """Middle of the fair range of a resource at a moment."""
    query = (
        select(FairPrice.price_fen)
        .where(FairPrice.resource == resource, FairPrice.from_at <= at, FairPrice.to_at > at)
        .order_by(FairPrice.from_at.desc())
    )
    return session.scalars(query.limit(1)).first()


def last_price(session: Session, supplier_id: bytes, resource: str, signed_at: int, claim_id: str) -> int | None:
    """Price of a resource in the supplier's claim before."""
    query = (
        select(ClaimedTrade.unit_price_fen)
        .where(
            ClaimedTrade.supplier_id == supplier_id,
            ClaimedTrade.resource == resource,
            ClaimedTrade.signed_at <= signed_at,
            ClaimedTrade.claim_id != claim_id,
            ClaimedTrade.unit_price_fen.is_not(None),
        )
        .order_by(ClaimedTrade.signed_at.desc(), ClaimedTrade.claim_id)
    )
    return session.scalars(query.limit(1)).first()


def usage(session: Session, supplier_id: bytes, from_at: int, to_at: int, claim_id: str) -> list[ClaimedTrade]:
    """What other claims that stand used of a supplier between two moments. Those who used longest are left out, were
    there more than a thousand: the capacity is exceeded long before."""
    query = (
        select(ClaimedTrade)
        .join(Claim, Claim.id == ClaimedTrade.claim_id)
        .where(
            ClaimedTrade.supplier_id == supplier_id,
            ClaimedTrade.ends_at >= from_at,
            ClaimedTrade.starts_at <= to_at,
            ClaimedTrade.claim_id != claim_id,
            Claim.state.not_in(("refused", "rejected")),
        )
        .order_by(ClaimedTrade.ends_at, ClaimedTrade.claim_id)
        .limit(LOOK_BACK)
    )
    return list(session.scalars(query))


def capacities(session: Session, supplier_id: bytes, from_at: int, to_at: int) -> list[SupplierCapacity]:
    """What a supplier registered for a stretch of time."""
    query = (
        select(SupplierCapacity)
        .join(Organisation, Organisation.uscc == SupplierCapacity.uscc)
        .where(
            Organisation.entity_id == supplier_id, SupplierCapacity.from_at < to_at, SupplierCapacity.to_at > from_at
        )
        .order_by(SupplierCapacity.from_at)
        .limit(LOOK_BACK)
    )
    return list(session.scalars(query))


# DECISIONS AND HOLDS


def runs(session: Session, claim_id: str) -> list[CheckRun]:
    """The runs of a claim, oldest first."""
    return list(session.scalars(select(CheckRun).where(CheckRun.claim_id == claim_id).order_by(CheckRun.id)))


def run(session: Session, run_id: int) -> CheckRun:
    """A run."""
    return session.get_one(CheckRun, run_id)


def released(session: Session, claim_id: str) -> set[tuple[str, str]]:
    """Check and code of what a person looked at and released."""
    query = (
        select(HoldFinding.check_code, HoldFinding.code)
        .join(Hold, Hold.id == HoldFinding.hold_id)
        .where(Hold.claim_id == claim_id, Hold.state == RELEASED)
    )
    return {(row[0], row[1]) for row in session.execute(query)}


def held_from(session: Session, programme_id: int) -> int | None:
    """Earliest trade time among the open holds of a programme that did not give up their place."""
    query = select(func.min(Hold.traded_at)).where(
        Hold.programme_id == programme_id, Hold.state == OPEN, Hold.passed_at.is_(None)
    )
    return session.scalar(query)


def blocking(session: Session, programme_id: int, *, lock: bool = False) -> list[Hold]:
    """The open holds of a programme that did not give up their place."""
    query = select(Hold).where(Hold.programme_id == programme_id, Hold.state == OPEN, Hold.passed_at.is_(None))
    return list(session.scalars(query.with_for_update() if lock else query))


def unnoted_corrections(session: Session) -> list[str]:
    """Ids of records that correct another and were not looked at."""
    noted = select(NotedCorrection.correction_id).where(NotedCorrection.correction_id == EvidenceRecord.id)
    query = select(EvidenceRecord.id).where(EvidenceRecord.corrects.is_not(None), ~noted.exists()).limit(LOOK_BACK)
    return list(session.scalars(query))


def corrected(session: Session, correction_id: str) -> tuple[EvidenceRecord | None, list[Claim]]:
    """The record that a correction is of, and the claims on it."""
    correction = session.get_one(EvidenceRecord, correction_id)
    query = select(EvidenceRecord).where(
        EvidenceRecord.platform_id == correction.platform_id, EvidenceRecord.trade_id == correction.corrects
    )
    row = session.scalars(query).first()
    if row is None:
        return None, []
    return row, list(session.scalars(select(Claim).where(Claim.evidence_id == row.id).order_by(Claim.created_at)))


def freshly_corrected(session: Session, redemption_ids: Sequence[int]) -> set[int]:
    """Redemptions whose trade a record corrects that nobody has looked at yet."""
    correction = aliased(EvidenceRecord)
    noted = select(NotedCorrection.correction_id).where(NotedCorrection.correction_id == correction.id)
    query = (
        select(Claim.redemption_id)
        .join(EvidenceRecord, EvidenceRecord.id == Claim.evidence_id)
        .join(
            correction,
            and_(
                correction.platform_id == EvidenceRecord.platform_id,
                correction.corrects == EvidenceRecord.trade_id,
                correction.corrects.is_not(None),
            ),
        )
        .where(Claim.redemption_id.in_(redemption_ids), Claim.state == "redeemed", ~noted.exists())
    )
    return {number for number in session.scalars(query) if number is not None}


def open_hold(session: Session, claim_id: str) -> Hold | None:
    """The open hold of a claim."""
    return session.scalars(select(Hold).where(Hold.claim_id == claim_id, Hold.state == OPEN)).first()


def barred(session: Session, redemption_ids: Sequence[int]) -> dict[int, Hold]:
    """Redemptions that are not to be written off, each with the hold that says so: it is open, or was rejected."""
    query = (
        select(Claim.redemption_id, Hold)
        .join(Hold, Hold.claim_id == Claim.id)
        .where(Claim.redemption_id.in_(redemption_ids), Claim.state == "redeemed", Hold.state != RELEASED)
    )
    return {row[0]: row[1] for row in session.execute(query) if row[0] is not None}


def hold(session: Session, hold_id: str, *, lock: bool = False) -> Hold | None:
    """A hold."""
    return session.get(Hold, hold_id, with_for_update=lock or None, populate_existing=lock)


def holds_of(session: Session, claim_id: str) -> list[Hold]:
    """All holds of a claim, oldest first."""
    return list(session.scalars(select(Hold).where(Hold.claim_id == claim_id).order_by(Hold.created_at, Hold.id)))


def holds(
    session: Session,
    *,
    state: str | None,
    programme_id: int | None,
    code: str | None,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Hold]:
    """Holds, oldest first."""
    query = select(Hold).order_by(Hold.created_at, Hold.id).limit(limit)
    if state is not None:
        query = query.where(Hold.state == state)
    if programme_id is not None:
        query = query.where(Hold.programme_id == programme_id)
    if code is not None:
        query = query.where(Hold.id.in_(select(HoldFinding.hold_id).where(HoldFinding.check_code == code)))
    if after is not None:
        at, last = after
        query = query.where((Hold.created_at > at) | ((Hold.created_at == at) & (Hold.id > last)))
    return list(session.scalars(query))
