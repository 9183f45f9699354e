"""Vouchers and redemptions, and the budgets and caps that they move."""

from chain.contracts import decode_error
from chain.enums import NO_PERIOD, Funding
from chain.jsonable import jsonable

from .models import Budget, Entity, EntityUse, Period, Programme, Redemption, Refusal, Tier, Voucher
from .projector import Occurrence, handles, programme_of
from .rollups import NONE, RESERVED
from .rows import Rows
from .tables import Row
from .values import bounded, word

TOTAL = -1
"""Period of `entity_use` rows that hold the total."""
_USABLE = ("live", "frozen")


@handles("VoucherIssued")
def _issued(rows: Rows, e: Occurrence) -> None:
    programme_id, face_fen = e.args["programmeId"], e.args["faceFen"]
    period = None if e.args["period"] == NO_PERIOD else e.args["period"]
    # Money counts also where the registration could not be projected.
    holder = rows.get(Entity, e.args["entity"]) or {"region": 0, "kind": NONE}
    voucher = rows.insert(
        Voucher,
        id=e.args["voucherId"],
        programme_id=programme_id,
        entity_id=e.args["entity"],
        tier=e.args["tier"],
        period=period,
        holder_region=holder["region"],
        holder_kind=holder["kind"],
        state="live",
        issued_at=e.at,
        valid_until=e.args["validUntil"],
        face_fen=face_fen,
        redeemed_fen=0,
        written_off_fen=0,
        returned_fen=0,
        documents=e.args["documents"],
        tx_hash=e.tx_hash,
        block_number=e.block_number,
    )
    if period is not None:
        _move_budget(rows, programme_id, period, reserved_fen=face_fen)
    _count(rows, e, "issued", voucher, face_fen, left_fen=face_fen, reserved_fen=0 if period is None else face_fen)


@handles("VoucherFrozen")
def _frozen(rows: Rows, e: Occurrence) -> None:
    rows.update(Voucher, e.args["voucherId"], state="frozen")


@handles("VoucherUnfrozen")
def _unfrozen(rows: Rows, e: Occurrence) -> None:
    rows.update(Voucher, e.args["voucherId"], state="live")


@handles("VoucherCancelled")
def _cancelled(rows: Rows, e: Occurrence) -> None:
    _end(rows, e, "cancelled")


@handles("VoucherExpired")
def _expired(rows: Rows, e: Occurrence) -> None:
    _end(rows, e, "expired")


@handles("Redeemed")
def _redeemed(rows: Rows, e: Occurrence) -> None:
    quote, trade, voucher_id = e.args["quote"], e.args["trade"], e.args["voucherId"]
    voucher = rows.require(Voucher, voucher_id)
    programme = rows.require(Programme, voucher["programme_id"])
    amount_fen, period = quote["amountFen"], quote["period"]
    redemption = rows.insert(
        Redemption,
        id=e.args["redemptionId"],
        voucher_id=voucher_id,
        programme_id=voucher["programme_id"],
        entity_id=voucher["entity_id"],
        state="provisional",
        period=period,
        amount_fen=amount_fen,
        recovered_fen=0,
        rate_bps=quote["rateBps"],
        limit=word(quote["limit"]),
        settlement_key=e.args["settlementKey"],
        contract_key=trade["contractKey"],
        leaf=e.args["leaf"],
        platform_id=trade["platform"],
        supplier_id=trade["supplier"],
        kind=word(trade["kind"]),
        compute_type=word(trade["computeType"]),
        attributes=trade["attributes"],
        region=trade["region"],
        settled_fen=bounded(trade["settledFen"]),
        traded_at=trade["tradedAt"],
        redeemed_at=e.at,
        written_off_at=None,
        payment_ref=None,
        reason=None,
        trade_barred=False,
        tx_hash=e.tx_hash,
        block_number=e.block_number,
    )
    rows.add(Voucher, voucher_id, redeemed_fen=amount_fen)
    _use(rows, voucher, period, amount_fen)
    released_fen = amount_fen if _reserves(programme) else 0
    _move_budget(rows, voucher["programme_id"], period, redeemed_fen=amount_fen, reserved_fen=-released_fen)
    _count(
        rows,
        e,
        "redeemed",
        voucher,
        amount_fen,
        left_fen=-amount_fen,
        reserved_fen=-released_fen,
        redemption=redemption,
    )
    if programme["terms"]["inTradeOrder"]:
        rows.update(Programme, voucher["programme_id"], last_traded_at=trade["tradedAt"])


@handles("WrittenOff")
def _written_off(rows: Rows, e: Occurrence) -> None:
    redemption = rows.require(Redemption, e.args["redemptionId"])
    amount_fen = e.args["amountFen"]
    rows.update(
        Redemption,
        e.args["redemptionId"],
        state="written_off",
        written_off_at=e.at,
        payment_ref=e.args["paymentRef"],
    )
    voucher_id = redemption["voucher_id"]
    rows.add(Voucher, voucher_id, written_off_fen=amount_fen)
    _count(rows, e, "written_off", rows.require(Voucher, voucher_id), amount_fen, redemption=redemption)
    _move_budget(
        rows, redemption["programme_id"], redemption["period"], redeemed_fen=-amount_fen, written_off_fen=amount_fen
    )


@handles("RedemptionRejected")
def _rejected(rows: Rows, e: Occurrence) -> None:
    redemption = rows.require(Redemption, e.args["redemptionId"])
    voucher = rows.require(Voucher, e.args["voucherId"])
    programme = rows.require(Programme, voucher["programme_id"])
    amount_fen = e.args["amountFen"]
    rows.update(
        Redemption,
        e.args["redemptionId"],
        state="rejected",
        reason=e.args["reason"],
        trade_barred=e.args["tradeBarred"],
    )
    rows.add(Voucher, e.args["voucherId"], redeemed_fen=-amount_fen)
    _use(rows, voucher, redemption["period"], -amount_fen)
    usable = voucher["state"] in _USABLE
    left_fen = amount_fen if usable else 0
    # To a voucher that ended, nothing returns: it is available again.
    held_fen = amount_fen if usable and _reserves(programme) else 0
    _count(rows, e, "rejected", voucher, amount_fen, left_fen=left_fen, reserved_fen=held_fen, redemption=redemption)
    _move_budget(rows, voucher["programme_id"], redemption["period"], redeemed_fen=-amount_fen, reserved_fen=held_fen)


@handles("Recovered")
def _recovered(rows: Rows, e: Occurrence) -> None:
    redemption = rows.require(Redemption, e.args["redemptionId"])
    amount_fen = e.args["amountFen"]
    rows.add(Redemption, e.args["redemptionId"], recovered_fen=amount_fen)
    voucher = rows.require(Voucher, e.args["voucherId"])
    _count(rows, e, "recovered", voucher, amount_fen, redemption=redemption)
    _move_budget(rows, redemption["programme_id"], redemption["period"], recovered_fen=amount_fen)


@handles("IssueRefused")
def _issue_refused(rows: Rows, e: Occurrence) -> None:
    _refused(rows, e, "issue", None, None)


@handles("RedemptionRefused")
def _redemption_refused(rows: Rows, e: Occurrence) -> None:
    _refused(rows, e, "redemption", e.args["settlementKey"], e.args["tradeId"])


def _end(rows: Rows, e: Occurrence, state: str) -> None:
    voucher_id, returned_fen = e.args["voucherId"], e.args["returnedFen"]
    voucher = rows.require(Voucher, voucher_id)
    rows.update(Voucher, voucher_id, state=state, returned_fen=returned_fen)
    left_fen = voucher["face_fen"] - voucher["redeemed_fen"]
    period = voucher["period"]
    reserved_fen = 0 if period is None else -returned_fen
    _count(rows, e, "returned", voucher, returned_fen, left_fen=-left_fen, reserved_fen=reserved_fen)
    if period is not None:
        _move_budget(rows, programme_of(voucher_id), period, reserved_fen=-returned_fen)


def _move_budget(rows: Rows, programme_id: int, period: int, **amounts: int) -> None:
    """Adds to the budget that a period draws on."""
    index = rows.require(Period, programme_id, period)["budget_index"]
    rows.add(Budget, programme_id, index, **amounts)


def _use(rows: Rows, voucher: Row, period: int, amount_fen: int) -> None:
    """Adds to what the holder was paid, in the period and in total."""
    programme_id, entity_id = voucher["programme_id"], voucher["entity_id"]
    for counted in (period, TOTAL):
        use = rows.get(EntityUse, programme_id, entity_id, counted)
        used_fen = amount_fen if use is None else use["redeemed_fen"] + amount_fen
        rows.put(EntityUse, programme_id=programme_id, entity_id=entity_id, period=counted, redeemed_fen=used_fen)


def _count(
    rows: Rows,
    e: Occurrence,
    flow: str,
    voucher: Row,
    fen: int,
    *,
    left_fen: int = 0,
    reserved_fen: int = 0,
    redemption: Row | None = None,
) -> None:
    """Counts an amount, of a voucher or of a redemption of it, and what it changes of what the voucher is good for and
    of what the budget holds for it."""
    programme_id = voucher["programme_id"]
    place = (
        programme_id,
        voucher["period"],
        rows.require(Tier, programme_id, voucher["tier"])["name"],
        voucher["holder_region"],
        voucher["holder_kind"],
        None,
    )
    if left_fen:
        rows.tallies.leave(place, e.at, voucher["valid_until"], left_fen)
    if redemption is not None:
        place = (programme_id, redemption["period"], *place[2:5], redemption["supplier_id"])
    rows.tallies.flow(flow, place, e.at, fen)
    if reserved_fen:
        rows.tallies.flow(RESERVED, (*place[:5], None), e.at, reserved_fen)


def _reserves(programme: Row) -> bool:
    return bool(programme["terms"]["funding"] == Funding.RESERVED_AT_ISSUE)


def _refused(rows: Rows, e: Occurrence, kind: str, settlement_key: bytes | None, trade_id: bytes | None) -> None:
    error = decode_error(e.args["reason"])
    rows.insert(
        Refusal,
        id=e.id,
        tx_hash=e.tx_hash,
        log_index=e.log_index,
        kind=kind,
        voucher_id=e.args["voucherId"],
        settlement_key=settlement_key,
        trade_id=trade_id,
        code=error.name,
        args=jsonable(error.arguments),
        refused_at=e.at,
        block_number=e.block_number,
    )
