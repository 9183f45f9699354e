"""What the reference knows: programmes, vouchers, organisations and payments, moved as the domain says.

It never reads the chain, so that a movement that the contract gets wrong shows in the next decision.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from app.programmes.facts import Decision, Facts, Organisation, Programme, Quote, Voucher
from app.programmes.subsidy import decide, unknown_voucher
from chain.enums import Funding, RedemptionState, VoucherState
from chain.trade import Trade

Decide: TypeAlias = Callable[[Trade, Voucher, Programme, Facts, int], Decision]


@dataclass(frozen=True)
class Redemption:
    """A claim that was paid."""

    number: int
    voucher: int
    period: int
    amount_fen: int
    settlement_key: bytes
    contract_key: bytes
    state: RedemptionState = RedemptionState.PROVISIONAL
    recovered_fen: int = 0


@dataclass
class Book:
    """All facts, by id or number."""

    organisations: dict[bytes, Organisation] = field(default_factory=dict)
    programmes: dict[int, Programme] = field(default_factory=dict)
    vouchers: dict[int, Voucher] = field(default_factory=dict)
    redemptions: dict[int, Redemption] = field(default_factory=dict)
    settlements: dict[tuple[int, bytes], int] = field(default_factory=dict)
    contracts: dict[tuple[int, bytes], int] = field(default_factory=dict)
    used: dict[tuple[int, bytes], dict[int, int]] = field(default_factory=dict)
    serials: dict[int, int] = field(default_factory=dict)

    def programme_of(self, voucher_id: int) -> Programme:
        """The programme of a voucher."""
        return self.programmes[voucher_id >> 32]

    def facts(self, voucher: Voucher, trade: Trade) -> Facts:
        """What a decision needs."""
        programme = self.programme_of(voucher.number)
        used = self.used.get((programme.number, voucher.holder), {})
        group = programme.terms.group
        parties = (trade.buyer, trade.supplier, trade.platform)
        return Facts(
            organisations={one: self.organisations[one] for one in parties if one in self.organisations},
            used_by_period_fen=used,
            used_total_fen=sum(used.values()),
            settlement_used_by=self.settlements.get((group, trade.settlement_key), 0),
            contract_used_by=self.contracts.get((group, trade.contract_key), 0),
        )

    def decide(self, voucher_id: int, trade: Trade, now: int, by: Decide = decide) -> Decision:
        """What the trade would be subsidised with."""
        voucher = self.vouchers.get(voucher_id)
        if voucher is None:
            return unknown_voucher(voucher_id)
        return by(trade, voucher, self.programme_of(voucher_id), self.facts(voucher, trade), now)

    def redeem(self, voucher_id: int, trade: Trade, now: int) -> tuple[int, Decision]:
        """Decide, and move what a payment moves; the redemption's number, 0 where it is refused."""
        decision = self.decide(voucher_id, trade, now)
        if not isinstance(decision, Quote):
            return 0, decision
        voucher, programme = self.vouchers[voucher_id], self.programme_of(voucher_id)
        serial = self.serials.get(programme.number, 0) + 1
        self.serials[programme.number] = serial
        number = (programme.number << 32) + serial
        amount = decision.amount_fen
        self.redemptions[number] = Redemption(
            number, voucher_id, decision.period, amount, trade.settlement_key, trade.contract_key
        )
        self.settlements[programme.terms.group, trade.settlement_key] = number
        if programme.terms.one_claim_per_contract:
            self.contracts[programme.terms.group, trade.contract_key] = number
        if programme.terms.in_trade_order:
            self.programmes[programme.number] = replace(programme, last_traded_at=trade.traded_at)
        self.vouchers[voucher_id] = replace(voucher, redeemed_fen=voucher.redeemed_fen + amount)
        self._use(voucher, decision.period, amount)
        reserved = -amount if programme.terms.funding == Funding.RESERVED_AT_ISSUE else 0
        self._move_budget(programme.number, decision.period, reserved=reserved, redeemed=amount)
        return number, decision

    def issue(self, voucher: Voucher) -> None:
        """A voucher comes into being and holds its face, where value is reserved."""
        self.vouchers[voucher.number] = voucher
        if voucher.period is not None:
            self._move_budget(voucher.number >> 32, voucher.period, reserved=voucher.face_fen)

    def end(self, voucher_id: int, state: VoucherState) -> None:
        """A voucher is cancelled or expires: what it still held returns to the budget."""
        voucher = self.vouchers[voucher_id]
        self.vouchers[voucher_id] = replace(voucher, state=state)
        if voucher.period is not None:
            self._move_budget(voucher_id >> 32, voucher.period, reserved=voucher.redeemed_fen - voucher.face_fen)

    def reject(self, number: int, *, bar_trade: bool) -> None:
        """A payment is undone: value returns to voucher, caps and budget; the trade is free again unless barred."""
        redemption = self.redemptions[number]
        voucher, programme = self.vouchers[redemption.voucher], self.programme_of(redemption.voucher)
        amount, group = redemption.amount_fen, programme.terms.group
        self.redemptions[number] = replace(redemption, state=RedemptionState.REJECTED)
        self.vouchers[voucher.number] = replace(voucher, redeemed_fen=voucher.redeemed_fen - amount)
        self._use(voucher, redemption.period, -amount)
        # A voucher that ended holds nothing any more, so what comes back goes to the budget alone.
        holds = voucher.period is not None and voucher.state in (VoucherState.LIVE, VoucherState.FROZEN)
        self._move_budget(programme.number, redemption.period, reserved=amount if holds else 0, redeemed=-amount)
        if not bar_trade:
            del self.settlements[group, redemption.settlement_key]
            if programme.terms.one_claim_per_contract:
                del self.contracts[group, redemption.contract_key]

    def write_off(self, number: int) -> None:
        """A payment becomes final."""
        redemption = self.redemptions[number]
        self.redemptions[number] = replace(redemption, state=RedemptionState.WRITTEN_OFF)
        amount = redemption.amount_fen
        self._move_budget(redemption.voucher >> 32, redemption.period, redeemed=-amount, written_off=amount)

    def recover(self, number: int, amount_fen: int) -> None:
        """Money comes back after payment: to the budget, not to caps."""
        redemption = self.redemptions[number]
        self.redemptions[number] = replace(redemption, recovered_fen=redemption.recovered_fen + amount_fen)
        self._move_budget(redemption.voucher >> 32, redemption.period, recovered=amount_fen)

    def _use(self, voucher: Voucher, period: int, amount_fen: int) -> None:
        used = self.used.setdefault((voucher.number >> 32, voucher.holder), {})
        used[period] = used.get(period, 0) + amount_fen

    def _move_budget(
        self,
        programme_number: int,
        period: int,
        *,
        reserved: int = 0,
        redeemed: int = 0,
        written_off: int = 0,
        recovered: int = 0,
    ) -> None:
        programme = self.programmes[programme_number]
        index = programme.terms.periods[period].budget
        budget = programme.budgets[index]
        moved = replace(
            budget,
            reserved_fen=budget.reserved_fen + reserved,
            redeemed_fen=budget.redeemed_fen + redeemed,
            written_off_fen=budget.written_off_fen + written_off,
            recovered_fen=budget.recovered_fen + recovered,
        )
        budgets = (*programme.budgets[:index], moved, *programme.budgets[index + 1 :])
        self.programmes[programme_number] = replace(programme, budgets=budgets)
