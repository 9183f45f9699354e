"""The day in which a past block lies, from its events: what happened up to the block.

The same as the indexer counts (indexer/voucher_events.py), of one day only. Rows of vouchers and redemptions are the
present ones; what changed in them since is told by the few events that could have.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.indexer.models import ChainBlock, ChainEvent, Programme, Redemption, Tier, Voucher
from app.indexer.rollups import NONE, RESERVED, TOTAL, Cell, Tallies
from app.reports.part import Part, Sums, add
from app.reports.point import Point
from chain.enums import Funding

_FLOWS = {
    "VoucherIssued": "issued",
    "Redeemed": "redeemed",
    "WrittenOff": "written_off",
    "RedemptionRejected": "rejected",
    "Recovered": "recovered",
    "VoucherCancelled": "returned",
    "VoucherExpired": "returned",
}
_ENDS = ("VoucherCancelled", "VoucherExpired")
_REJECTED = "RedemptionRejected"


class _Late(NamedTuple):
    """An end of a voucher, or a rejection of a redemption of it."""

    event_id: int
    event: str
    at: int
    amount_fen: int


_LateEvents = Mapping[int, Sequence[_Late]]
"""By voucher, in the order of the chain."""


def of_day(session: Session, part: Part, point: Point) -> Sums:
    """What happened on the day of a past block, up to it."""
    rows = _events(session, part, point)
    late = _late(session, {row.Voucher.id for row in rows if row.ChainEvent.event in (*_ENDS, _REJECTED)})
    reserving = _reserving(session)
    tallies = Tallies()
    for row in rows:
        voucher, redemption, at = row.Voucher, row.Redemption, row.timestamp
        place = _cell(voucher, row.name)
        left_fen, reserved_fen = _changes(row, late.get(voucher.id, ()))
        tallies.leave(place, at, voucher.valid_until, left_fen)
        holds = voucher.period is not None if redemption is None else voucher.programme_id in reserving
        if redemption is not None:
            place = (place[0], redemption.period, *place[2:5], redemption.supplier_id)
        tallies.flow(_FLOWS[row.ChainEvent.event], place, at, _amount(row))
        tallies.flow(RESERVED, (*place[:5], None), at, reserved_fen if holds else 0)
        tallies.keep_event()
    sums: Sums = {}
    for (span, dimension, programme_id, key), amounts in tallies.take_rollups().items():
        if span == TOTAL and dimension == part.dimension and part.takes(programme_id, key):
            add(sums, {(programme_id, key): amounts})
    return sums


def _events(session: Session, part: Part, point: Point) -> Sequence[Row[Any]]:
    query = (
        select(ChainEvent, ChainBlock.timestamp, Voucher, Redemption, Tier.name)
        .join(ChainBlock, ChainBlock.number == ChainEvent.block_number)
        .join(Voucher, Voucher.id == ChainEvent.voucher_id)
        .outerjoin(Redemption, Redemption.id == ChainEvent.redemption_id)
        .outerjoin(Tier, (Tier.programme_id == Voucher.programme_id) & (Tier.index == Voucher.tier))
        .where(ChainEvent.block_number > point.opens_after, ChainEvent.block_number <= point.block_number)
        .where(ChainEvent.event.in_(list(_FLOWS)))
        .order_by(ChainEvent.id)
    )
    if part.programme_id is not None:
        query = query.where(ChainEvent.programme_id == part.programme_id)
    return cast(Sequence[Row[Any]], session.execute(query).all())


def _late(session: Session, voucher_ids: Collection[int]) -> _LateEvents:
    query = (
        select(ChainEvent.voucher_id, ChainEvent.id, ChainEvent.event, ChainBlock.timestamp, Redemption.amount_fen)
        .join(ChainBlock, ChainBlock.number == ChainEvent.block_number)
        .outerjoin(Redemption, Redemption.id == ChainEvent.redemption_id)
        .where(ChainEvent.voucher_id.in_(list(voucher_ids)), ChainEvent.event.in_([*_ENDS, _REJECTED]))
        .order_by(ChainEvent.id)
    )
    found: dict[int, list[_Late]] = defaultdict(list)
    for voucher_id, event_id, event, at, amount_fen in session.execute(query):
        found[voucher_id or 0].append(_Late(event_id, event, at, amount_fen or 0))
    return found


def _changes(row: Row[Any], late: Sequence[_Late]) -> tuple[int, int]:
    """By how much an event changes what a voucher is good for, and what a budget may hold for it."""
    event, voucher = row.ChainEvent, row.Voucher
    match _FLOWS[event.event]:
        case "issued":
            return voucher.face_fen, voucher.face_fen
        case "redeemed":
            return -row.Redemption.amount_fen, -row.Redemption.amount_fen
        case "rejected":
            ended = any(one.event in _ENDS and one.event_id < event.id for one in late)
            return (0, 0) if ended else (row.Redemption.amount_fen, row.Redemption.amount_fen)
        case "returned":
            since = sum(one.amount_fen for one in late if one.event == _REJECTED and one.event_id > event.id)
            return voucher.redeemed_fen + since - voucher.face_fen, -voucher.returned_fen
    return 0, 0


def _amount(row: Row[Any]) -> int:
    """The amount of an event, in fen."""
    match _FLOWS[row.ChainEvent.event]:
        case "issued":
            return int(row.Voucher.face_fen)
        case "returned":
            return int(row.Voucher.returned_fen)
        case "recovered":
            return int(row.ChainEvent.args["amountFen"])
    return int(row.Redemption.amount_fen)


def _cell(voucher: Voucher, tier: str | None) -> Cell:
    place = (voucher.programme_id, voucher.period, tier or NONE, voucher.holder_region, voucher.holder_kind)
    return (*place, None)


def _reserving(session: Session) -> set[int]:
    """Programmes whose budgets hold the face of a voucher from its issue on."""
    query = select(Programme.id, Programme.terms)
    return {row[0] for row in session.execute(query) if row[1].get("funding") == Funding.RESERVED_AT_ISSUE}
