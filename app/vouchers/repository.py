"""SQL of vouchers and redemptions: reads of the projection."""

from collections.abc import Iterable

from sqlalchemy import and_, case, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from app.entities.models import Organisation
from app.evidence.models import EvidenceRecord
from app.indexer.models import ChainBlock, ChainEvent, Redemption, Tier, Voucher
from chain.enums import VoucherState

LIVE = VoucherState.LIVE.name.lower()
EXPIRED = VoucherState.EXPIRED.name.lower()
FROZEN = VoucherState.FROZEN.name.lower()
CANCELLED = VoucherState.CANCELLED.name.lower()


def status_at(moment: int) -> ColumnElement[str]:
    """Status of a voucher at a moment, as Rules.status in Solidity derives it."""
    return case(
        (Voucher.state.in_((FROZEN, CANCELLED)), Voucher.state),
        (Voucher.redeemed_fen == Voucher.face_fen, "fully_redeemed"),
        (or_(Voucher.state == EXPIRED, Voucher.valid_until < moment), EXPIRED),
        (Voucher.redeemed_fen == 0, "issued"),
        else_="partly_redeemed",
    )


Found = tuple[Voucher, str, str | None]
"""A voucher, its status, and the name of its tier."""


def find(session: Session, voucher_id: int, moment: int) -> Found | None:
    """A voucher."""
    rows = _vouchers(session, moment, [Voucher.id == voucher_id], 1)
    return rows[0] if rows else None


def page(
    session: Session,
    moment: int,
    *,
    programme_id: int | None,
    entity_id: bytes | None,
    status: str | None,
    after: int,
    limit: int,
) -> list[Found]:
    """Vouchers in order of their numbers."""
    wanted: list[ColumnElement[bool]] = [Voucher.id > after]
    if programme_id is not None:
        wanted.append(Voucher.programme_id == programme_id)
    if entity_id is not None:
        wanted.append(Voucher.entity_id == entity_id)
    if status is not None:
        wanted.append(status_at(moment) == status)
    return _vouchers(session, moment, wanted, limit)


def _vouchers(session: Session, moment: int, wanted: list[ColumnElement[bool]], limit: int) -> list[Found]:
    tier = and_(Tier.programme_id == Voucher.programme_id, Tier.index == Voucher.tier)
    query = (
        select(Voucher, status_at(moment), Tier.name)
        .outerjoin(Tier, tier)
        .where(*wanted)
        .order_by(Voucher.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def history(session: Session, voucher_id: int) -> list[tuple[ChainEvent, int | None]]:
    """Everything that happened to a voucher, oldest first, with the time of the block."""
    query = (
        select(ChainEvent, ChainBlock.timestamp)
        .outerjoin(ChainBlock, ChainBlock.number == ChainEvent.block_number)
        .where(ChainEvent.voucher_id == voucher_id)
        .order_by(ChainEvent.id)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def redemption(session: Session, redemption_id: int) -> Redemption | None:
    """A redemption."""
    return session.get(Redemption, redemption_id)


def redemptions(
    session: Session,
    *,
    programme_id: int | None,
    voucher_id: int | None,
    entity_id: bytes | None,
    party_id: bytes | None,
    state: str | None,
    after: int,
    limit: int,
) -> list[Redemption]:
    """Redemptions in order of their numbers.

    Args:
        entity_id: Only those of this holder.
        party_id: Only those in which this organisation is holder, supplier or platform.
    """
    query = select(Redemption).where(Redemption.id > after).order_by(Redemption.id).limit(limit)
    if programme_id is not None:
        query = query.where(Redemption.programme_id == programme_id)
    if voucher_id is not None:
        query = query.where(Redemption.voucher_id == voucher_id)
    if entity_id is not None:
        query = query.where(Redemption.entity_id == entity_id)
    if party_id is not None:
        query = query.where(
            or_(
                Redemption.entity_id == party_id,
                Redemption.supplier_id == party_id,
                Redemption.platform_id == party_id,
            )
        )
    if state is not None:
        query = query.where(Redemption.state == state)
    return list(session.scalars(query))


def numbers_of(session: Session, entity_ids: Iterable[bytes]) -> dict[bytes, str]:
    """USCC by registry id, of those that this gateway knows."""
    query = select(Organisation.entity_id, Organisation.uscc).where(Organisation.entity_id.in_(set(entity_ids)))
    return {row[0]: row[1] for row in session.execute(query)}


def evidence_of(session: Session, rows: Iterable[Redemption]) -> dict[bytes, str]:
    """Evidence id by leaf, of those that this gateway took."""
    by_key = {row.settlement_key: row.leaf for row in rows}
    leaves = set(by_key.values())
    query = select(EvidenceRecord.leaf, EvidenceRecord.id).where(EvidenceRecord.settlement_key.in_(list(by_key)))
    return {row[0]: row[1] for row in session.execute(query) if row[0] in leaves}
