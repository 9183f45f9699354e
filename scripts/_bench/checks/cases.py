"""Seeded cases for each check, honest and fraudulent, drawn from how such trades come about and not from the rule.

Honest trades carry the noise of daily business: rounding, discounts, late bills, frame contracts; frauds try to stay
small. So both lie near the thresholds, and some on the wrong side: that is what precision and recall say.
"""

import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import msgspec

from app.checks.circular import Circular, Flow
from app.checks.cross_region import CrossRegion
from app.checks.dates import Dates
from app.checks.gap import Gap
from app.checks.once import SameTrade, Stacking
from app.checks.paid import Paid
from app.checks.parties import Party, RelatedParty, Standing
from app.checks.plausible import Capacity, Plausible, Usage
from app.checks.price_fair import PriceFair
from app.checks.scope_match import ScopeMatch
from app.checks.splitting import Agreement, Splitting
from app.checks.trade_real import TradeReal

DAY = 86_400
START = 1_719_792_000  # 2024-07-01
CITY = 410_100

Draw = Callable[[random.Random, bool], msgspec.Struct]


def cases(code: str, count: int, seed: int) -> Iterator[tuple[msgspec.Struct, bool]]:
    """Inputs of a check and whether they are fraud: a third are."""
    draw = random.Random(f"{code}:{seed}")
    for number in range(count):
        fraud = number % 3 == 0
        yield DRAWS[code](draw, fraud), fraud


def _trade_real(draw: random.Random, fraud: bool) -> TradeReal:
    priced = draw.randint(10_000, 5_000_000)
    # Bills are rounded and corrected by up to 1.2 %; padded ones begin at half a per cent.
    padding = draw.uniform(0.005, 0.4) if fraud else abs(draw.gauss(0, 0.004))
    settled = round(priced * (1 + padding))
    signed = START + draw.randint(0, 90) * DAY
    used_from = signed + draw.randint(0, 60) * DAY
    used_to = used_from + draw.randint(1, 60) * DAY
    traded = used_to + draw.randint(0, 40) * DAY
    missing = fraud and draw.random() < 0.2
    return TradeReal(
        contract_fen=max(settled, priced * 2),
        settled_fen=settled,
        signed_at=signed,
        traded_at=traded,
        metered=True,
        priced_fen=priced,
        used_from_at=None if missing else used_from,
        used_to_at=None if missing else used_to,
        paid_fen=settled,
        # The slowest honest payers need over half a year.
        paid_at=traded + int(draw.expovariate(1 / 35) * DAY),
    )


def _scope_match(draw: random.Random, fraud: bool) -> ScopeMatch:
    trick = draw.choice(("rate", "region", "item")) if fraud else ""
    disguised = draw.random() < 0.25
    honest_item = draw.choice(("model training", "fine tuning", "inference", "secure inference"))
    item = ("data archive" if disguised else draw.choice(("object storage", "network line"))) if trick == "item" else ""
    return ScopeMatch(
        programme_id=1,
        kind="compute",
        compute_type="intelligent",
        rate_bps=0 if trick == "rate" else 3_000,
        region=draw.choice((410_200, 310_000)) if trick == "region" else draw.choice((410_100, 410_122)),
        regions=[CITY],
        item=item or honest_item,
        excluded_items=["storage", "network", "security"],
    )


def _cross_region(draw: random.Random, fraud: bool) -> CrossRegion:
    # One honest firm in fifty has a branch elsewhere; of the shell firms one in ten keeps its papers in order.
    elsewhere = draw.random() < (0.9 if fraud else 0.02)
    return CrossRegion(
        buyer_registered=CITY + draw.randint(0, 30),
        supplier_registered=draw.choice((CITY, 150_100)),
        buyer_stated=310_000 + draw.randint(100, 120) if elsewhere else CITY,
        supplier_stated=None,
        holder_region=CITY,
    )


def _price_fair(draw: random.Random, fraud: bool) -> PriceFair:
    fair = draw.randint(500, 5_000)
    factor = draw.uniform(1.2, 2.5) if fraud else draw.gauss(1, 0.11)
    return PriceFair(
        resource="A100/card_hour",
        unit_price_fen=max(1, round(fair * factor)),
        fair_fen=fair,
        last_fen=round(fair * draw.gauss(1, 0.08)),
    )


def _standing(draw: random.Random, fraud: bool) -> Standing:
    parties = [Party(role=role, known=True) for role in ("buyer", "supplier", "platform")]
    if fraud:
        place = draw.randrange(2)
        changes = draw.choice(
            (
                {"standing": "dishonest"},
                {"standing": "tax_blacklisted"},
                {"blacklists": ["dishonest"]},
                {"frozen": True},
            )
        )
        parties[place] = msgspec.structs.replace(parties[place], **changes)
    elif draw.random() < 0.3:
        # The last second of a standing still counts.
        parties[0] = msgspec.structs.replace(parties[0], standing_until_at=START)
    return Standing(parties=parties, looked_at=START)


def _related_party(draw: random.Random, fraud: bool) -> RelatedParty:
    # One related pair in eight hides behind a controller that no register names.
    controller = None if not fraud or draw.random() < 0.125 else "c1"
    return RelatedParty(
        buyer="b",
        supplier="s",
        platform="p",
        buyer_controller=controller or draw.choice((None, "c2")),
        supplier_controller=controller or draw.choice((None, "c3")),
    )


def _same_trade(draw: random.Random, fraud: bool) -> SameTrade:
    frame = not fraud and draw.random() < 0.4  # a frame contract, settled in several parts
    return SameTrade(
        group=1,
        settlement_used_by=draw.choice((0, 7)) if fraud else 0,
        contract_used_by=7 if fraud or frame else 0,
        one_claim_per_contract=not frame,
    )


def _stacking(draw: random.Random, fraud: bool) -> Stacking:
    basis, rate, ceiling = draw.randint(100_000, 9_000_000), 3_000, 5_000
    room = basis * ceiling // 10_000 - basis * rate // 10_000
    # To the fen: what fits exactly is right, one fen more is not.
    other = room + draw.choice((1, 2, 1_000)) if fraud else max(0, room - draw.choice((0, 1, 1_000)))
    return Stacking(basis_fen=basis, rate_bps=rate, other_support_fen=other, ceiling_bps=ceiling)


def _splitting(draw: random.Random, fraud: bool) -> Splitting:
    def agreement(number: int, fen: float, day: float, buyer: str = "b") -> Agreement:
        return Agreement(key=f"{number:064x}", buyer=buyer, signed_at=START + int(day * DAY), contract_fen=int(fen))

    whole = draw.randint(1_000_000, 90_000_000)
    if fraud and draw.random() < 0.25:
        return Splitting(claimed=agreement(0, whole / 2, 0), others=[agreement(1, whole / 2, 3, "sister")])
    if fraud:
        pieces = draw.randint(4, 12)
        made = [
            agreement(number, whole / pieces * draw.uniform(0.95, 1.05), draw.uniform(0, 20))
            for number in range(pieces)
        ]
    else:
        made = [
            agreement(number, whole * draw.lognormvariate(0, 0.6), draw.uniform(0, 200))
            for number in range(draw.randint(1, 30))
        ]
    return Splitting(claimed=made[0], others=made[1:])


def _paid(draw: random.Random, fraud: bool) -> Paid:
    share = draw.randint(100_000, 9_000_000)
    refunded = fraud and draw.random() < 0.6
    # Banks keep a fee of up to some yuan from one honest payment in thirty.
    short = draw.randint(1, share) if fraud and not refunded else (200 if draw.random() < 1 / 30 else 0)
    return Paid(
        buyer_paid=True,
        own_share_fen=share,
        paid_fen=share - short,
        refunded_fen=draw.randint(1, share) if refunded else 0,
        corrections=["ev_1"] if refunded else [],
    )


def _dates(draw: random.Random, fraud: bool) -> Dates:
    first, last = START, START + 365 * DAY - 1
    trick = draw.choice(("early", "late", "period")) if fraud else ""
    signed = {"early": first - 1, "late": last + 1}.get(trick, draw.choice((first, last, first + DAY)))
    end = last + 1 + 90 * DAY
    return Dates(
        signed_at=signed,
        traded_at=end if trick == "period" else draw.choice((first, end - 1)),
        looked_at=end,
        contracts_from_at=first,
        contracts_to_at=last,
        claims_until_at=end,
        periods=[(first, last + 1), (last + 1, end)],
    )


def _plausible(draw: random.Random, fraud: bool) -> Plausible:
    cards, hours = draw.choice((64, 128, 512)), draw.randint(24, 720)
    most = cards * hours * 1000
    # An honest supplier is at most fully booked, save where one in forty registered its new cards late.
    load = draw.uniform(0.98, 3) if fraud else draw.uniform(0.2, 1) * (1.2 if draw.random() < 1 / 40 else 1)
    claims = draw.randint(1, 6)
    part = int(most * load / claims)
    span = {"starts_at": START, "ends_at": START + hours * 3600}
    usage = Usage(card_milli_hours=part, **span)
    return Plausible(
        claimed=usage,
        others=[usage] * (claims - 1),
        registered=[Capacity(from_at=START - DAY, to_at=START + 99 * DAY, cards=cards)],
    )


def _gap(draw: random.Random, fraud: bool) -> Gap:
    hole, sequence = fraud and draw.random() < 0.3, draw.randint(2, 500)
    late = draw.uniform(150, 600) if fraud and not hole else draw.expovariate(1 / 30)
    return Gap(
        sequence=sequence,
        stored=sequence - hole,
        traded_at=START - int(late * DAY),
        newest_before_at=START,
    )


def _circular(draw: random.Random, fraud: bool) -> Circular:
    amount = draw.randint(1_000_000, 50_000_000)
    firms = [f"f{number}" for number in range(30)]
    # Trade among strangers runs from buyers to suppliers; a few suppliers buy from each other.
    flows = [
        Flow(
            buyer=draw.choice(firms[:20]),
            supplier=draw.choice(firms[18:]),
            settled_fen=draw.randint(10_000, 50_000_000),
        )
        for _ in range(40)
    ]
    if fraud:
        ring = ["s", *draw.sample(firms, draw.randint(1, 6)), "b"]
        kept = draw.uniform(0.45, 0.98)
        flows += [Flow(buyer=one, supplier=other, settled_fen=int(amount * kept)) for one, other in pairwise(ring)]
    else:
        flows += [
            Flow(buyer="s", supplier="f25", settled_fen=amount),
            Flow(buyer="f25", supplier="b", settled_fen=amount // 20),
        ]
    return Circular(buyer="b", supplier="s", settled_fen=amount, flows=flows, like_orders=draw.randint(1, 12))


DRAWS: dict[str, Draw] = {
    "trade-real": _trade_real,
    "scope-match": _scope_match,
    "cross-region": _cross_region,
    "price-fair": _price_fair,
    "standing": _standing,
    "related-party": _related_party,
    "same-trade": _same_trade,
    "stacking": _stacking,
    "splitting": _splitting,
    "paid": _paid,
    "dates": _dates,
    "plausible": _plausible,
    "gap": _gap,
    "circular": _circular,
}
"""One for each check of domain.md, in its order."""
