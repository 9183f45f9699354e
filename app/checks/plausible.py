"""plausible: claimed card-hours ≤ the supplier's registered capacity × time, over all claimants. Answer: hold."""

import msgspec

from app.checks.outcome import OK, Outcome, hold
from app.policies.checks import PlausibleCheck

BPS = 10_000
HOUR_S = 3_600


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Card-hours, in thousandths, that were used between two moments."""

    starts_at: int
    ends_at: int
    card_milli_hours: int


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """Cards that a supplier registered from a moment to another, the second not included."""

    from_at: int
    to_at: int
    cards: int


class Plausible(msgspec.Struct, frozen=True, kw_only=True):
    """What is claimed of a supplier.

    Attributes:
        claimed: Usage of this claim; null where the trade is not metered in card-hours.
        others: Usage of all other claims on the supplier, of any claimant, that overlaps.
        registered: Its capacity around that time.
        demanded: Whether suppliers must be listed, so that one without a registered capacity is held.
    """

    claimed: Usage | None
    others: list[Usage]
    registered: list[Capacity]
    demanded: bool = False


def plausible(usage: Plausible, limits: PlausibleCheck) -> Outcome:
    """Compares within the span of the claim; of what only overlaps it, the share in proportion to the time."""
    claimed = usage.claimed
    if claimed is None:
        return OK
    if not usage.registered:
        if not usage.demanded:
            return OK
        return hold("no_capacity", "供应商未登记算力规模", "The supplier has registered no capacity")
    # A claim without a length is one of a second: its cards cannot have been busy in no time.
    start, end = claimed.starts_at, max(claimed.ends_at, claimed.starts_at + 1)
    used = claimed.card_milli_hours + sum(_within(one, start, end) for one in usage.others)
    card_seconds = sum(one.cards * max(0, min(end, one.to_at) - max(start, one.from_at)) for one in usage.registered)
    # Thousandths of a card-hour are 3.6 card-seconds each.
    most = card_seconds * 1000 * limits.max_utilisation_bps // (HOUR_S * BPS)
    if used <= most:
        return OK
    return hold(
        "above_capacity",
        "申领卡时 {used_card_hours} 超过登记规模可提供的 {most_card_hours}",
        "{used_card_hours} card-hours are claimed where the registered capacity gives {most_card_hours}",
        used_card_hours=f"{used / 1000:.3f}",
        most_card_hours=f"{most / 1000:.3f}",
        claims=1 + len(usage.others),
    )


def _within(one: Usage, start: int, end: int) -> int:
    length = max(1, one.ends_at - one.starts_at)
    overlap = min(end, max(one.ends_at, one.starts_at + 1)) - max(start, one.starts_at)
    return one.card_milli_hours * max(0, overlap) // length
