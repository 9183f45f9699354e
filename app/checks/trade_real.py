"""trade-real: contract, invoice, payment and metering records exist and agree in amount and time. Answer: hold."""

import msgspec

from app.checks.outcome import OK, Outcome, hold
from app.policies.checks import TradeRealCheck

DAY_S = 86_400
BPS = 10_000


class TradeReal(msgspec.Struct, frozen=True, kw_only=True):
    """What the records of a trade say. Contract number and invoice number are in every record.

    Attributes:
        metered: Whether the trade is one that is metered: compute.
        priced_fen: Quantity metered × unit price agreed; null where one of them is not stated.
        used_from_at, used_to_at: Span of the metering.
    """

    contract_fen: int
    settled_fen: int
    signed_at: int
    traded_at: int
    metered: bool
    priced_fen: int | None = None
    used_from_at: int | None = None
    used_to_at: int | None = None
    paid_fen: int | None = None
    paid_at: int | None = None


def trade_real(trade: TradeReal, limits: TradeRealCheck) -> Outcome:
    """Looks for what is missing first, then for amounts that differ, then for times."""
    missing = _missing(trade)
    if missing:
        return hold(
            "missing", "缺少交易记录:{missing}", "These records of the trade are missing: {missing}", missing=missing
        )
    return _amounts(trade, limits.max_difference_bps) or _times(trade, limits.max_days_apart) or OK


def _missing(trade: TradeReal) -> list[str]:
    found = ["payment"] if trade.paid_fen is None or trade.paid_at is None else []
    if trade.metered and (trade.used_from_at is None or trade.used_to_at is None):
        found.append("metering")
    return found


def _amounts(trade: TradeReal, bps: int) -> Outcome | None:
    if _above(trade.settled_fen, trade.contract_fen, bps):
        return hold(
            "above_contract",
            "结算额 {settled_fen} 高于合同额 {contract_fen}",
            "The amount settled, {settled_fen}, is above the contract's {contract_fen}",
            settled_fen=trade.settled_fen,
            contract_fen=trade.contract_fen,
        )
    if trade.priced_fen is not None and (
        _above(trade.settled_fen, trade.priced_fen, bps) or _above(trade.priced_fen, trade.settled_fen, bps)
    ):
        return hold(
            "metering_differs",
            "结算额 {settled_fen} 与计量乘单价 {priced_fen} 不符",
            "The amount settled, {settled_fen}, is not quantity × unit price, {priced_fen}",
            settled_fen=trade.settled_fen,
            priced_fen=trade.priced_fen,
        )
    if trade.paid_fen is not None and _above(trade.paid_fen, trade.settled_fen, bps):
        return hold(
            "paid_above_bill",
            "付款 {paid_fen} 高于结算额 {settled_fen}",
            "Paid was {paid_fen}, more than the amount settled, {settled_fen}",
            paid_fen=trade.paid_fen,
            settled_fen=trade.settled_fen,
        )
    return None


def _times(trade: TradeReal, days: int) -> Outcome | None:
    moments = {
        "used_to_at": trade.used_to_at,
        "paid_at": trade.paid_at,
    }
    for name, moment in moments.items():
        if moment is not None and abs(moment - trade.traded_at) > days * DAY_S:
            return hold(
                "far_apart",
                "{what} 与结算时间 {traded_at} 相距超过 {days} 天",
                "{what} lies more than {days} days from the settlement at {traded_at}",
                what=name,
                traded_at=trade.traded_at,
                days=days,
            )
    first = min(one for one in (trade.traded_at, trade.used_from_at) if one is not None)
    if trade.signed_at > first:
        return hold(
            "signed_afterwards",
            "合同签订于 {signed_at},晚于用量或结算 {first_at}",
            "The contract was signed at {signed_at}, after use or settlement at {first_at}",
            signed_at=trade.signed_at,
            first_at=first,
        )
    return None


def _above(one: int, other: int, bps: int) -> bool:
    """Whether an amount is above another by more than a share of the other."""
    return one * BPS > other * (BPS + bps)
