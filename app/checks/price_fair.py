"""price-fair: unit price at signing within its resource's fair range; no jump against its own history. Answer: hold."""

import msgspec

from app.checks.outcome import OK, Outcome, hold
from app.policies.checks import PriceFairCheck

BPS = 10_000


class PriceFair(msgspec.Struct, frozen=True, kw_only=True):
    """A unit price and what it is compared with. Amounts in fen for one unit of the resource.

    Attributes:
        resource: Chip model, or SKU where no model is stated, and the unit: "A100/card_hour".
        fair_fen: Middle of the imported fair range that was valid at signing; null where none was imported.
        last_fen: Price of the same resource in the supplier's claim before; null for the first.
        demanded: Whether the policy wants fair prices, so that one that cannot be judged is held.
    """

    resource: str
    unit_price_fen: int | None
    fair_fen: int | None = None
    last_fen: int | None = None
    demanded: bool = False


def price_fair(price: PriceFair, limits: PriceFairCheck) -> Outcome:
    """Cheap is as odd as dear: a price far below the market is no rent of that resource."""
    paid = price.unit_price_fen
    if paid is None or (price.fair_fen is None and price.demanded):
        if not price.demanded:
            return OK
        return hold(
            "unknown",
            "政策要求公允价格,但 {resource} 的单价或公允区间未知",
            "The policy demands a fair price, but unit price or fair range of {resource} is not known",
            resource=price.resource,
            unit_price_fen=paid,
        )
    for code, zh, en, other, most_bps in (
        ("outside_range", "公允价", "the fair price", price.fair_fen, limits.max_deviation_bps),
        ("jump", "上次价格", "the price before", price.last_fen, limits.max_jump_bps),
    ):
        if other is not None and abs(paid - other) * BPS > other * most_bps:
            return hold(
                code,
                f"{{resource}} 单价 {{unit_price_fen}},与{zh} {{other_fen}} 相差超过 {{most_bps}}",
                f"{{resource}} costs {{unit_price_fen}}: more than {{most_bps}} from {en}, {{other_fen}}",
                resource=price.resource,
                unit_price_fen=paid,
                other_fen=other,
                most_bps=most_bps,
            )
    return OK
