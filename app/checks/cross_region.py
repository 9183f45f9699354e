"""cross-region: places of registration against what the trade says and the policy wants. Answer: hold.

The tier is chosen when a voucher is issued, from the registered region; here stands whether that still fits.
"""

import msgspec

from app.checks.outcome import OK, Outcome, hold
from app.policies.checks import CrossRegionCheck


class CrossRegion(msgspec.Struct, frozen=True, kw_only=True):
    """Regions, GB/T 2260; null where not stated.

    Attributes:
        buyer_registered, supplier_registered: Of the registry.
        buyer_stated, supplier_stated: Of the trade record.
        holder_region: The buyer's when the voucher was issued: the tier was chosen by it.
    """

    buyer_registered: int | None
    supplier_registered: int | None
    buyer_stated: int | None
    supplier_stated: int | None
    holder_region: int


def cross_region(places: CrossRegion, limits: CrossRegionCheck) -> Outcome:
    """Cities are compared, not districts: firms move within a city."""
    for who, zh, registered, stated in (
        ("buyer", "买方", places.buyer_registered, places.buyer_stated),
        ("supplier", "供应商", places.supplier_registered, places.supplier_stated),
    ):
        if registered is not None and stated is not None and registered // 100 != stated // 100:
            return hold(
                f"{who}_differs",
                f"{zh}登记地 {{registered}} 与交易记录 {{stated}} 不一致",
                f"The {who} is registered in {{registered}}, but the trade says {{stated}}",
                registered=registered,
                stated=stated,
            )
    if places.buyer_registered is not None and places.buyer_registered // 100 != places.holder_region // 100:
        return hold(
            "buyer_moved",
            "买方登记地由 {before} 变为 {registered},档次须重新核定",
            "The buyer moved from {before} to {registered}: its tier must be looked at",
            before=places.holder_region,
            registered=places.buyer_registered,
        )
    buyer = places.buyer_registered or places.holder_region
    # 410000 stands for a province, 410100 for a city.
    if limits.claimant_regions and not any(_holds(region, buyer) for region in limits.claimant_regions):
        return hold(
            "outside_policy",
            "买方登记地 {registered} 不在政策区域内",
            "The buyer's region {registered} is not one of the policy's",
            registered=buyer,
        )
    return OK


def _holds(region: str, place: int) -> bool:
    stem = region.removesuffix("00").removesuffix("00")
    return str(place).startswith(stem)
