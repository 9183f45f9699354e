"""dates: contract date and length inside the policy's window. Answer: reject."""

import msgspec

from app.checks.outcome import OK, Outcome, reject
from app.policies.checks import Check


class Dates(msgspec.Struct, frozen=True, kw_only=True):
    """Moments in Unix seconds.

    Attributes:
        contracts_from_at, contracts_to_at: Window of signing, both included.
        periods: First second and first second after, of each period.
        term_start_at, term_end_at: Term of the agreement; null where not stated.
        used_from_at, used_to_at: Span of the metering; null where not stated.
        claims_until_at: Last second of claims.
    """

    signed_at: int
    traded_at: int
    looked_at: int
    contracts_from_at: int
    contracts_to_at: int
    claims_until_at: int
    periods: list[tuple[int, int]]
    term_start_at: int | None = None
    term_end_at: int | None = None
    used_from_at: int | None = None
    used_to_at: int | None = None


def dates(trade: Dates, _limits: Check) -> Outcome:
    """The first date that lies outside."""
    if not trade.contracts_from_at <= trade.signed_at <= trade.contracts_to_at:
        return reject(
            "contract_date",
            "合同签订于 {signed_at},不在 {from_at} 至 {to_at} 内",
            "The contract was signed at {signed_at}, not between {from_at} and {to_at}",
            error="VoucherLedger_ContractDate",
            signed_at=trade.signed_at,
            from_at=trade.contracts_from_at,
            to_at=trade.contracts_to_at,
        )
    if not any(start <= trade.traded_at < end for start, end in trade.periods):
        return reject(
            "outside_periods",
            "交易时间 {traded_at} 不在任何资金周期内",
            "The trade at {traded_at} lies in no period",
            error="VoucherLedger_OutsidePeriods",
            traded_at=trade.traded_at,
        )
    if trade.looked_at > trade.claims_until_at:
        return reject(
            "claims_closed",
            "申领已于 {until_at} 截止",
            "Claims closed at {until_at}",
            error="VoucherLedger_ClaimsClosed",
            until_at=trade.claims_until_at,
        )
    if (
        trade.term_start_at is None
        or trade.term_end_at is None
        or trade.used_from_at is None
        or trade.used_to_at is None
    ):
        return OK
    if trade.used_from_at < trade.term_start_at or trade.used_to_at > trade.term_end_at:
        return reject(
            "outside_term",
            "用量自 {used_from_at} 至 {used_to_at},超出合同期 {term_start_at} 至 {term_end_at}",
            "The use from {used_from_at} to {used_to_at} is not within the term, {term_start_at} to {term_end_at}",
            used_from_at=trade.used_from_at,
            used_to_at=trade.used_to_at,
            term_start_at=trade.term_start_at,
            term_end_at=trade.term_end_at,
        )
    return OK
