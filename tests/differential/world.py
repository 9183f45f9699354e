"""The same world on both sides, and how it moves between two rounds."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TypeAlias

from app.programmes.facts import Programme, Voucher
from chain.enums import ProgrammeStatus, RedemptionState, Role, Standing, VoucherState

from .book import Book, Redemption
from .chain_side import ChainSide
from .programmes import (
    DAY,
    agreement_call,
    cast,
    contract_terms,
    digest,
    issue_order,
    random_programme,
    random_tier,
    random_voucher,
    registration,
)

FIRST_PROGRAMMES = 8
VOUCHERS_OF_A_PROGRAMME = 6
MOVES_IN_A_ROUND = 5
_REASON = digest("reason")


class World:
    """Organisations, programmes and vouchers on the chain and in the reference's book."""

    def __init__(self, chain: ChainSide, random: Random) -> None:
        self.chain = chain
        self.book = Book()
        self.cast = cast(chain.now)
        self.moves: Counter[str] = Counter()
        self._random = random
        self._serial = 0
        self._agreements: dict[int, dict[int, bytes]] = {}
        self.book.organisations |= self.cast.organisations
        registrations = [registration(one, organisation) for one, organisation in self.cast.organisations.items()]
        chain.send((Role.REGISTRAR, "EntityRegistry", "register", [registrations]))
        frozen = [one for one, organisation in self.cast.organisations.items() if organisation.frozen]
        chain.send(*((Role.REGULATOR, "EntityRegistry", "freeze", [one, _REASON]) for one in frozen))
        chain.now += 1  # the lapsed are so from now on
        for _ in range(FIRST_PROGRAMMES):
            self._programme()
        # One of each that ended, so that even a short run asks about them.
        self._terminate()
        for ending in (self._freeze_voucher, self._cancel):
            ending()

    def move(self) -> None:
        """Time passes and some things change."""
        self.chain.now += self._random.choice([0, 1, self._random.randint(1, DAY), self._random.randint(1, 3) * DAY])
        for name, move in self._random.sample(_MOVES, MOVES_IN_A_ROUND):
            if move(self):
                self.moves[name] += 1

    # Programmes and vouchers

    def _programme(self) -> bool:
        number = len(self.book.programmes) + 1
        programme = random_programme(self._random, number, self.cast, self.chain.now)
        terms = contract_terms(programme, self.chain.reviewer.address)
        self.chain.send(
            (Role.OPERATOR, "VoucherLedger", "createProgramme", [terms]),
            (Role.OPERATOR, "VoucherLedger", "publishProgramme", [number]),
            (Role.OPERATOR, "VoucherLedger", "setSuppliers", [number, sorted(programme.suppliers), True]),
            (Role.OPERATOR, "VoucherLedger", "setPlatforms", [number, sorted(programme.platforms), True]),
        )
        self.book.programmes[number] = programme
        return self._issue(programme, VOUCHERS_OF_A_PROGRAMME)

    def _issue(self, programme: Programme, count: int) -> bool:
        """New vouchers, as many as the budget holds."""
        orders = []
        for _ in range(count):
            self._serial += 1
            current = self.book.programmes[programme.number]
            holder = self._random.choice(self._buyers())
            reserved_for = self._agreements.get(current.number, {})
            tiers = [one for one in range(len(current.tiers)) if reserved_for.get(one, holder) == holder]
            voucher = random_voucher(self._random, current, self._serial, holder, tiers, self.chain.now)
            if voucher is not None:
                self.book.issue(voucher)
                orders.append(issue_order(voucher, self.chain.contracts, self.chain.reviewer))
        if orders:
            logs = self.chain.send((Role.OPERATOR, "VoucherLedger", "issueMany", [orders]))[0]
            events = [self.chain.contracts.decode_event(log) for log in logs]
            refused = [event for event in events if event is not None and event.name == "IssueRefused"]
            assert not refused, refused
        return bool(orders)

    def _vouchers(self) -> bool:
        running = self._running()
        return bool(running) and self._issue(self._random.choice(running), 3)

    def _agreement(self) -> bool:
        """A separate agreement with one organisation; vouchers are issued on it as on any tier that it may hold."""
        running = self._running()
        if not running:
            return False
        programme, tier = self._random.choice(running), random_tier(self._random)
        holder = self._random.choice(self._buyers())
        arguments = agreement_call(programme, tier, holder, self.chain.contracts, self.chain.reviewer)
        self.chain.send((Role.OPERATOR, "VoucherLedger", "addAgreement", arguments))
        programme = replace(programme, tiers=(*programme.tiers, tier))
        self.book.programmes[programme.number] = programme
        self._agreements.setdefault(programme.number, {})[len(programme.tiers) - 1] = holder
        return True

    def _terminate(self) -> bool:
        running = self._running()
        if len(running) < FIRST_PROGRAMMES:
            return False
        programme = self._random.choice(running)
        self.chain.send((Role.OPERATOR, "VoucherLedger", "terminateProgramme", [programme.number, _REASON]))
        self.book.programmes[programme.number] = replace(programme, status=ProgrammeStatus.TERMINATED)
        return True

    def _list_supplier(self) -> bool:
        programme, supplier = self._random.choice(self._running()), self._random.choice(self.cast.sound)
        listed = programme.suppliers ^ {supplier}
        arguments = [programme.number, [supplier], supplier in listed]
        self.chain.send((Role.OPERATOR, "VoucherLedger", "setSuppliers", arguments))
        self.book.programmes[programme.number] = replace(programme, suppliers=listed)
        return True

    def _list_platform(self) -> bool:
        programme, platform = self._random.choice(self._running()), self._random.choice(self.cast.platforms)
        listed = programme.platforms ^ {platform}
        arguments = [programme.number, [platform], platform in listed]
        self.chain.send((Role.OPERATOR, "VoucherLedger", "setPlatforms", arguments))
        self.book.programmes[programme.number] = replace(programme, platforms=listed)
        return True

    def _freeze_voucher(self) -> bool:
        live = self._of_state(VoucherState.LIVE)
        if not live:
            return False
        voucher = self._random.choice(live)
        self.chain.send((Role.REGULATOR, "VoucherLedger", "freeze", [voucher.number, _REASON]))
        self.book.vouchers[voucher.number] = replace(voucher, state=VoucherState.FROZEN)
        return True

    def _unfreeze_voucher(self) -> bool:
        frozen = self._of_state(VoucherState.FROZEN)
        if len(frozen) < 2:
            return False
        voucher = self._random.choice(frozen)
        self.chain.send((Role.REGULATOR, "VoucherLedger", "unfreeze", [voucher.number]))
        self.book.vouchers[voucher.number] = replace(voucher, state=VoucherState.LIVE)
        return True

    def _cancel(self) -> bool:
        live = self._of_state(VoucherState.LIVE)
        if not live:
            return False
        voucher = self._random.choice(live)
        self.chain.send((Role.OPERATOR, "VoucherLedger", "cancel", [voucher.number, _REASON]))
        self.book.end(voucher.number, VoucherState.CANCELLED)
        return True

    def _expire(self) -> bool:
        over = [voucher for voucher in self._of_state(VoucherState.LIVE) if self._over(voucher)]
        if not over:
            return False
        voucher = self._random.choice(over)
        self.chain.send((Role.RELAYER, "VoucherLedger", "expire", [voucher.number]))
        self.book.end(voucher.number, VoucherState.EXPIRED)
        return True

    # Redemptions

    def _reject(self) -> bool:
        paid = self._redemptions(RedemptionState.PROVISIONAL)
        if not paid:
            return False
        one, bar = self._random.choice(paid), self._random.random() < 0.5
        arguments = [_ref(one), one.contract_key, _REASON, bar]
        self.chain.send((Role.FINANCE, "VoucherLedger", "reject", arguments))
        self.book.reject(one.number, bar_trade=bar)
        return True

    def _write_off(self) -> bool:
        frozen = VoucherState.FROZEN
        paid = [
            one
            for one in self._redemptions(RedemptionState.PROVISIONAL)
            if self.book.vouchers[one.voucher].state != frozen
            and not self.book.organisations[self.book.vouchers[one.voucher].holder].frozen
        ]
        chosen = self._random.sample(paid, min(len(paid), 4))
        if chosen:
            arguments = [[_ref(one) for one in chosen], _REASON]
            self.chain.send((Role.FINANCE, "VoucherLedger", "writeOff", arguments))
        for one in chosen:
            self.book.write_off(one.number)
        return bool(chosen)

    def _recover(self) -> bool:
        settled = [one for one in self._redemptions(RedemptionState.WRITTEN_OFF) if one.recovered_fen < one.amount_fen]
        if not settled:
            return False
        one = self._random.choice(settled)
        amount = self._random.randint(1, one.amount_fen - one.recovered_fen)
        self.chain.send((Role.FINANCE, "VoucherLedger", "recover", [_ref(one), amount, _REASON]))
        self.book.recover(one.number, amount)
        return True

    # Organisations

    def _freeze_entity(self) -> bool:
        """At most one of the sound, or nobody could trade."""
        frozen = [one for one in self.cast.sound if self.book.organisations[one].frozen]
        one = self._random.choice(frozen or self.cast.sound)
        organisation = self.book.organisations[one]
        freeze = not organisation.frozen
        arguments = [one, _REASON] if freeze else [one]
        self.chain.send((Role.REGULATOR, "EntityRegistry", "freeze" if freeze else "unfreeze", arguments))
        self.book.organisations[one] = replace(organisation, frozen=freeze)
        return True

    def _standing(self) -> bool:
        one = self._random.choice(self.cast.sound)
        standing = self._random.choices(list(Standing), (8, 1, 1))[0]
        until = self.chain.now + self._random.choice([-DAY, 10 * DAY, 300 * DAY, 300 * DAY, 600 * DAY])
        self.chain.send((Role.REGISTRAR, "EntityRegistry", "setStanding", [one, standing, until]))
        self.book.organisations[one] = replace(self.book.organisations[one], standing=standing, standing_until=until)
        return True

    # What there is

    def _running(self) -> list[Programme]:
        """Programmes that take issues and claims; always some, as new ones are made."""
        now = self.chain.now
        found = [one for one in self.book.programmes.values() if one.status == ProgrammeStatus.PUBLISHED]
        running = [one for one in found if now <= one.terms.claims_until]
        if not running:
            self._programme()
            return self._running()
        return running

    def _buyers(self) -> tuple[bytes, ...]:
        """Organisations that a voucher can be issued to now."""
        good = tuple(
            one
            for one in self.cast.buyers
            if not self.book.organisations[one].frozen
            and self.book.organisations[one].standing == Standing.GOOD
            and self.chain.now <= self.book.organisations[one].standing_until
        )
        assert good, "nobody can be issued a voucher; draw less misfortune"
        return good

    def _of_state(self, state: VoucherState) -> list[Voucher]:
        return [voucher for voucher in self.book.vouchers.values() if voucher.state == state]

    def _over(self, voucher: Voucher) -> bool:
        programme = self.book.programme_of(voucher.number)
        ended = programme.status == ProgrammeStatus.TERMINATED
        return ended or self.chain.now > min(voucher.valid_until, programme.terms.claims_until)

    def _redemptions(self, state: RedemptionState) -> list[Redemption]:
        return [one for one in self.book.redemptions.values() if one.state == state]


_Move: TypeAlias = Callable[[World], bool]
_MOVES: list[tuple[str, _Move]] = [
    ("new programme", World._programme),
    ("vouchers issued", World._vouchers),
    ("agreement", World._agreement),
    ("programme terminated", World._terminate),
    ("supplier listed or removed", World._list_supplier),
    ("platform listed or removed", World._list_platform),
    ("voucher frozen", World._freeze_voucher),
    ("voucher unfrozen", World._unfreeze_voucher),
    ("voucher cancelled", World._cancel),
    ("voucher expired", World._expire),
    ("redemption rejected", World._reject),
    ("redemptions written off", World._write_off),
    ("money recovered", World._recover),
    ("organisation frozen or released", World._freeze_entity),
    ("standing changed", World._standing),
]


def _ref(one: Redemption) -> dict[str, object]:
    """A redemption as the contract is told of it."""
    return {"redemptionId": one.number, "settlementKey": one.settlement_key}
