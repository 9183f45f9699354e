"""scope-match: the task and compute type are in the programme's scope. Answer: reject."""

import re

import msgspec

from app.checks.outcome import OK, Outcome, reject
from app.policies.checks import Check


class ScopeMatch(msgspec.Struct, frozen=True, kw_only=True):
    """What was bought, and what the programme pays for.

    Attributes:
        rate_bps: Rate of the voucher's tier for the product; 0 where it has none.
        item: What the order was for, in the platform's words: task type and SKU.
        excluded_items: What an order may not be for.
        region, regions: Place of delivery, and the places that count, GB/T 2260; no places means anywhere.
        dispatched: Whether the compute is under the city's unified dispatch; null where not stated.
        supplier_listed, platform_listed: Null where the programme has no such list.
    """

    programme_id: int
    kind: str
    compute_type: str
    rate_bps: int
    region: int
    regions: list[int]
    item: str = ""
    excluded_items: list[str] = []
    dispatch: bool = False
    dispatched: bool | None = None
    supplier_listed: bool | None = None
    platform_listed: bool | None = None


def scope_match(trade: ScopeMatch, _limits: Check) -> Outcome:
    """The first rule of scope that the trade breaks."""
    if trade.supplier_listed is False or trade.platform_listed is False:
        who, zh = ("platform", "平台") if trade.supplier_listed is not False else ("supplier", "供应商")
        return reject(
            f"{who}_not_listed",
            f"{zh}未列入项目名录",
            f"The {who} is not on the programme's list",
            error=f"VoucherLedger_{who.capitalize()}NotListed",
            programmeId=trade.programme_id,
        )
    if trade.rate_bps == 0:
        return reject(
            "product",
            "{kind} / {compute_type} 不在支持范围",
            "{kind} / {compute_type} is not in scope",
            error="VoucherLedger_OutOfScope",
            programmeId=trade.programme_id,
            kind=trade.kind,
            compute_type=trade.compute_type,
        )
    if trade.dispatch and not trade.dispatched:
        return reject(
            "not_dispatched",
            "该算力未纳入本市统筹调度",
            "The compute is not under the city's unified dispatch",
            error="VoucherLedger_AttributeMissing",
        )
    if trade.regions and not _within(trade.region, trade.regions):
        return reject(
            "region",
            "交付地 {region} 不在支持区域",
            "The place of delivery {region} is not in scope",
            error="VoucherLedger_RegionOutOfScope",
            programmeId=trade.programme_id,
            region=trade.region,
        )
    words = set(re.findall(r"[a-z]+", trade.item.lower()))
    excluded = sorted(words & {name.lower() for name in trade.excluded_items})
    if excluded:
        return reject(
            "excluded_item",
            "订单内容 {excluded} 不予支持",
            "The order is for {excluded}, which is not supported",
            excluded=excluded,
        )
    return OK


def _within(region: int, regions: list[int]) -> bool:
    """A district lies in its city and its province: 410122, 410100, 410000."""
    return not {region, region // 100 * 100, region // 10_000 * 10_000}.isdisjoint(regions)
