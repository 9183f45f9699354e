"""same-trade and stacking: one trade is subsidised once, and all support together stays below its ceiling.

The contract decides both; here it is said before it costs gas.
"""

import msgspec

from app.checks.outcome import OK, Outcome, reduce, reject
from app.policies.checks import Check

BPS = 10_000


class SameTrade(msgspec.Struct, frozen=True, kw_only=True):
    """Redemptions that used the invoice or the contract in the group; 0 for none.

    Attributes:
        one_claim_per_contract: Whether the programme subsidises a contract once.
    """

    group: int
    settlement_used_by: int
    contract_used_by: int
    one_claim_per_contract: bool


def same_trade(trade: SameTrade, _limits: Check) -> Outcome:
    """Whether invoice or contract was subsidised before, on any platform. Answer: reject."""
    if trade.settlement_used_by:
        return reject(
            "invoice_used",
            "该发票已在兑现 {redemptionId} 中使用",
            "The invoice was used by redemption {redemptionId}",
            error="VoucherLedger_SettlementUsed",
            group=trade.group,
            redemptionId=trade.settlement_used_by,
        )
    if trade.one_claim_per_contract and trade.contract_used_by:
        return reject(
            "contract_used",
            "该合同已在兑现 {redemptionId} 中使用",
            "The contract was used by redemption {redemptionId}",
            error="VoucherLedger_ContractUsed",
            group=trade.group,
            redemptionId=trade.contract_used_by,
        )
    return OK


class Stacking(msgspec.Struct, frozen=True, kw_only=True):
    """All public support for a trade.

    Attributes:
        basis_fen: What the rate applies to.
        ceiling_bps: Most that all support together may come to, as a share of the basis.
    """

    basis_fen: int
    rate_bps: int
    other_support_fen: int
    ceiling_bps: int


def stacking(trade: Stacking, _limits: Check) -> Outcome:
    """What the ceiling leaves beside support from elsewhere. Answer: reduce."""
    asked_fen = trade.basis_fen * trade.rate_bps // BPS
    room_fen = max(0, trade.basis_fen * trade.ceiling_bps // BPS - trade.other_support_fen)
    if asked_fen <= room_fen:
        return OK
    return reduce(
        "ceiling",
        "各级支持合计以 {ceiling_bps} 为限:应补 {asked_fen},减为 {room_fen}",
        "All support together is limited to {ceiling_bps}: {asked_fen} is reduced to {room_fen}",
        ceiling_bps=trade.ceiling_bps,
        asked_fen=asked_fen,
        room_fen=room_fen,
        other_support_fen=trade.other_support_fen,
    )
