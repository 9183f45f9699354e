"""Random trades: a plain one that a voucher pays, at a boundary of some amount, and then what may be wrong with it.

A trade of wholly random members would be refused by the first check nearly always, and the last checks would never be
tried. So each case starts from what passes and has none, one or two things changed, most of them by the least step
that matters.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import Any, TypeAlias

import msgspec

from app.programmes.amount import FULL_BPS
from app.programmes.facts import NO_CONTROLLER, Programme, Voucher
from chain.enums import (
    Basis,
    ComputeType,
    EntityRoles,
    ProgrammeStatus,
    Standing,
    TradeAttributes,
    TradeKind,
    VoucherState,
)
from chain.trade import Trade

from .book import Book
from .programmes import CITIES, DAY, DISTRICTS, PROVINCES, Cast, digest

_FEN_END = 2**64


@dataclass(frozen=True)
class Case:
    """One question."""

    voucher: int
    trade: Trade
    now: int


class Trades:
    """Draws cases against the book as it stands."""

    def __init__(self, random: Random, book: Book, members: Cast) -> None:
        self._random = random
        self._book = book
        self._cast = members
        self._numbers = count(1)

    def case(self, now: int, *, changes: tuple[float, float, float], later: bool) -> Case:
        """One case.

        Args:
            now: Unix seconds of the chain.
            changes: weights of none, one and two changes.
            later: whether `now` may be moved on, which only a question can, not a transaction.
        """
        random = self._random
        voucher = self._voucher(now)
        case = Case(voucher.number, self._plain(voucher, now), now)
        for _ in range(random.choices((0, 1, 2), changes)[0]):
            change = random.choice(_CHANGES if later else _TRADE_CHANGES)
            case = change(self, case, voucher)
        return case

    def plain(self, voucher: Voucher, now: int) -> Trade:
        """The trade that a difference is reduced to: nothing in it is drawn."""
        programme = self._book.programme_of(voucher.number)
        product = min(programme.tiers[voucher.tier].rates_bps)
        return Trade(
            platform=min(programme.platforms, default=self._cast.platforms[0]),
            trade_id=digest("trade"),
            buyer=voucher.holder,
            supplier=min(programme.suppliers, default=self._cast.suppliers[0]),
            kind=product.kind,
            compute_type=product.compute_type,
            attributes=int(programme.terms.required_attributes) | int(product.domestic_chip),
            region=min(programme.terms.regions, default=410100),
            traded_at=now,
            contract_signed_at=programme.terms.contracts_from,
            settled_fen=max(programme.terms.min_trade_fen, 10_000),
            contract_fen=10_000,
            other_support_fen=0,
            settlement_key=digest("invoice"),
            contract_key=digest("contract"),
            details=bytes(32),
        )

    def _voucher(self, now: int) -> Voucher:
        """Mostly one that can be used now."""
        vouchers = list(self._book.vouchers.values())
        if self._random.random() < 0.12:
            return self._random.choice(vouchers)
        return self._random.choice([one for one in vouchers if self._usable(one, now)] or vouchers)

    def _usable(self, voucher: Voucher, now: int) -> bool:
        programme = self._book.programme_of(voucher.number)
        return (
            programme.status == ProgrammeStatus.PUBLISHED
            and voucher.state == VoucherState.LIVE
            and now <= min(voucher.valid_until, programme.terms.claims_until)
            and self._well(voucher.holder, now)
        )

    def _well(self, party: bytes, now: int) -> bool:
        """Whether an organisation may take part."""
        organisation = self._book.organisations[party]
        good = organisation.standing == Standing.GOOD and now <= organisation.standing_until
        return good and not organisation.frozen

    def _plain(self, voucher: Voucher, now: int) -> Trade:
        random, programme = self._random, self._book.programme_of(voucher.number)
        terms = programme.terms
        product = random.choice(list(programme.tiers[voucher.tier].rates_bps))
        number = next(self._numbers)
        settled, contract, other = self._amounts(voucher, programme, programme.tiers[voucher.tier].rates_bps[product])
        suppliers = [one for one in self._cast.suppliers if self._supplies(one, voucher.holder, programme)]
        platforms = [one for one in self._cast.platforms if one in programme.platforms or not terms.platforms_listed]
        platforms = [one for one in platforms if one != voucher.holder]
        suppliers = [one for one in suppliers if self._well(one, now)] or suppliers
        platforms = [one for one in platforms if self._well(one, now)] or platforms
        attributes = int(terms.required_attributes) | random.choice([0, 0, 2, 4, 8, 1 << 31])
        domestic = int(TradeAttributes.DOMESTIC_CHIP)
        attributes = attributes | domestic if product.domestic_chip else attributes & ~domestic
        return Trade(
            platform=random.choice(platforms or list(self._cast.platforms)),
            trade_id=digest(f"trade {number}"),
            buyer=voucher.holder,
            supplier=random.choice(suppliers or list(self._cast.suppliers)),
            kind=product.kind,
            compute_type=product.compute_type,
            attributes=attributes,
            region=self._place(programme),
            traded_at=self._traded_at(voucher, programme, now),
            contract_signed_at=min(max(now - random.randint(0, 40) * DAY, terms.contracts_from), terms.contracts_to),
            settled_fen=min(settled, _FEN_END - 1),
            contract_fen=min(contract, _FEN_END - 1),
            other_support_fen=min(other, _FEN_END - 1),
            settlement_key=digest(f"invoice {number}"),
            contract_key=digest(f"contract {number}"),
            details=digest(f"details {number}"),
        )

    def _supplies(self, supplier: bytes, buyer: bytes, programme: Programme) -> bool:
        """Whether a supplier is listed, where that is asked, and unrelated."""
        if programme.terms.suppliers_listed and supplier not in programme.suppliers:
            return False
        controller = self._book.organisations[supplier].controller
        related = controller != NO_CONTROLLER and controller == self._book.organisations[buyer].controller
        return supplier != buyer and not related

    def _amounts(self, voucher: Voucher, programme: Programme, rate_bps: int) -> tuple[int, int, int]:
        """Settled amount, agreement's value, other support: for a subsidy just below, at or just above a limit."""
        random, terms, tier = self._random, programme.terms, programme.tiers[voucher.tier]
        used = self._book.used.get((programme.number, voucher.holder), {})
        period = random.randrange(len(terms.periods)) if voucher.period is None else voucher.period
        limits = [
            voucher.face_fen - voucher.redeemed_fen,
            programme.budgets[terms.periods[period].budget].available_fen,
            (tier.period_cap_fen or 10**6) - used.get(period, 0),
            (tier.total_cap_fen or 10**7) - sum(used.values()),
        ]
        tightest = min(limits)
        if tightest <= 0:
            tightest = random.choice(limits)
        target = random.choice([tightest, tightest, random.choice(limits), random.choice(limits) // 3])
        basis = -(-max(target, 1) * FULL_BPS // rate_bps) + random.choice([-1, 0, 0, 1, random.randint(0, 10**6)])
        if random.random() < 0.5:
            # Something ordinary, so that limits are approached in several steps.
            basis = random.randint(0, max(basis // 2, 1))
        if random.random() < 0.05:
            basis = random.choice([0, 1, _FEN_END - 1])
        if random.random() < 0.8:
            basis = max(basis, terms.min_trade_fen)
        other = 0
        if random.random() < 0.35:
            ceiling = basis * terms.support_ceiling_bps // FULL_BPS
            share = basis * rate_bps // FULL_BPS
            other = max(random.choice([ceiling - share, ceiling, random.randint(0, basis + 1)]), 0)
            other = max(other + random.choice([-1, 0, 1]), 0)
        unlike = max(terms.min_trade_fen, random.randint(0, 2 * basis + 1))
        return (basis, unlike, other) if terms.basis == Basis.SETTLED else (unlike, basis, other)

    def _place(self, programme: Programme) -> int:
        """A place of delivery in scope: one that is listed, or one below it."""
        listed = sorted(programme.terms.regions)
        if not listed:
            return self._random.choice(PROVINCES + CITIES + DISTRICTS)
        place = self._random.choice(listed)
        below = [one for one in CITIES + DISTRICTS if one // 10_000 * 10_000 == place or one // 100 * 100 == place]
        return self._random.choice([place, *below])

    def _traded_at(self, voucher: Voucher, programme: Programme, now: int) -> int:
        """A time in the voucher's and in a period, in order where order counts."""
        terms = programme.terms
        earliest = 0 if terms.trade_before_issue else voucher.issued_at
        if terms.in_trade_order and self._random.random() < 0.9:
            earliest = max(earliest, programme.last_traded_at)
        spans = [(max(one.starts_at, earliest), min(one.ends_at - 1, now)) for one in terms.periods]
        spans = [(first, last) for first, last in spans if first <= last]
        if not spans:
            return min(earliest, now)
        first, last = self._random.choice(spans)
        if terms.in_trade_order:
            # Step by step, or the first trade would shut out all others.
            last = min(last, first + DAY // 4)
        return self._random.choice([first, last, self._random.randint(first, last)])

    # What may be wrong

    def unknown_voucher(self, case: Case, voucher: Voucher) -> Case:
        return replace(case, voucher=voucher.number + (1 << self._random.choice([20, 40])))

    def buyer(self, case: Case, voucher: Voucher) -> Case:
        return _with(case, buyer=self._somebody(EntityRoles.BUYER))

    def supplier(self, case: Case, voucher: Voucher) -> Case:
        return _with(case, supplier=self._random.choice([self._somebody(EntityRoles.SUPPLIER), voucher.holder]))

    def platform(self, case: Case, voucher: Voucher) -> Case:
        return _with(case, platform=self._random.choice([self._somebody(EntityRoles.PLATFORM), voucher.holder]))

    def _somebody(self, role: EntityRoles) -> bytes:
        """Anybody: as often one who is of the right kind and may not take part, now and then a stranger."""
        sick = [one for one in self._cast.sick if role in self._cast.organisations[one].roles]
        some = self._random.choice([sick, list(self._cast.organisations)])
        return self._random.choice([*some, self._cast.nobody])

    def unlisted(self, case: Case, voucher: Voucher) -> Case:
        """A supplier or platform as good as any, but for the list."""
        programme = self._book.programme_of(voucher.number)
        if self._random.random() < 0.5:
            others = [one for one in self._cast.suppliers if one not in programme.suppliers and one != voucher.holder]
            return _with(case, supplier=self._random.choice(others or [case.trade.supplier]))
        others = [one for one in self._cast.platforms if one not in programme.platforms and one != voucher.holder]
        return _with(case, platform=self._random.choice(others or [case.trade.platform]))

    def product(self, case: Case, voucher: Voucher) -> Case:
        kind, compute_type = self._random.choice(list(TradeKind)), self._random.choice(list(ComputeType))
        return _with(case, kind=kind, compute_type=compute_type)

    def attributes(self, case: Case, voucher: Voucher) -> Case:
        return _with(case, attributes=case.trade.attributes ^ 1 << self._random.randrange(4))

    def region(self, case: Case, voucher: Voucher) -> Case:
        # The last are no codes at all: whoever trusts six digits would be wrong.
        return _with(case, region=self._random.choice([*PROVINCES, *CITIES, *DISTRICTS, 1, 41_012_200, 2**32 - 1]))

    def size(self, case: Case, voucher: Voucher) -> Case:
        least = self._book.programme_of(voucher.number).terms.min_trade_fen
        return _with(case, settled_fen=max(least + self._random.choice([-1, 0, 1]), 0))

    def traded_at(self, case: Case, voucher: Voucher) -> Case:
        programme = self._book.programme_of(voucher.number)
        edges = [case.now, voucher.issued_at, programme.last_traded_at]
        edges += [edge for one in programme.terms.periods for edge in (one.starts_at, one.ends_at)]
        return _with(case, traded_at=max(self._random.choice(edges) + self._random.choice([-1, 0, 1]), 0))

    def between_periods(self, case: Case, voucher: Voucher) -> Case:
        ends = [one.ends_at for one in self._book.programme_of(voucher.number).terms.periods]
        starts = min(one.starts_at for one in self._book.programme_of(voucher.number).terms.periods)
        past = [end for end in ends if end <= case.now]
        return _with(case, traded_at=self._random.choice([*past, starts - 1]))

    def contract_date(self, case: Case, voucher: Voucher) -> Case:
        terms = self._book.programme_of(voucher.number).terms
        edge = self._random.choice([terms.contracts_from, terms.contracts_to])
        return _with(case, contract_signed_at=min(max(edge + self._random.choice([-1, 0, 1]), 0), 2**40 - 1))

    def settlement_again(self, case: Case, voucher: Voucher) -> Case:
        return _with(case, settlement_key=self._used_key(self._book.settlements, voucher, case.trade.settlement_key))

    def contract_again(self, case: Case, voucher: Voucher) -> Case:
        return _with(case, contract_key=self._used_key(self._book.contracts, voucher, case.trade.contract_key))

    def _used_key(self, used: dict[tuple[int, bytes], int], voucher: Voucher, otherwise: bytes) -> bytes:
        """A key that was used, mostly in the group of the voucher."""
        group = self._book.programme_of(voucher.number).terms.group
        anywhere = [key for _, key in used]
        here = [key for one, key in used if one == group]
        found = here if here and self._random.random() < 0.8 else anywhere
        return self._random.choice(found) if found else otherwise

    def later(self, case: Case, voucher: Voucher) -> Case:
        """Moves time to the last second of something, or past it."""
        parties = (case.trade.buyer, case.trade.supplier, case.trade.platform)
        edges = [voucher.valid_until, self._book.programme_of(voucher.number).terms.claims_until]
        edges += [self._book.organisations[one].standing_until for one in parties if one in self._book.organisations]
        ahead = [edge for edge in edges if case.now < edge < 2**32]
        if not ahead:
            return case
        return replace(case, now=self._random.choice(ahead) + self._random.choice([0, 1]))


def _with(case: Case, **members: Any) -> Case:
    return replace(case, trade=msgspec.structs.replace(case.trade, **members))


_Change: TypeAlias = Callable[[Trades, Case, Voucher], Case]
_TRADE_CHANGES: list[_Change] = [
    Trades.buyer,
    Trades.buyer,
    Trades.supplier,
    Trades.supplier,
    Trades.platform,
    Trades.platform,
    Trades.unlisted,
    Trades.unlisted,
    Trades.product,
    Trades.attributes,
    Trades.attributes,
    Trades.region,
    Trades.size,
    Trades.traded_at,
    Trades.traded_at,
    Trades.between_periods,
    Trades.contract_date,
    Trades.contract_date,
    Trades.settlement_again,
    Trades.contract_again,
]
_CHANGES = [*_TRADE_CHANGES, Trades.unknown_voucher, Trades.later, Trades.later]
