"""What the rules of redemption speak of: programmes, vouchers, organisations, and the answer.

Amounts are in fen, rates in basis points, times in Unix seconds, identifiers the registry's 32 bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from app.programmes.amount import FULL_BPS
from chain.enums import (
    Basis,
    ComputeType,
    EntityRoles,
    Funding,
    Limit,
    ProgrammeStatus,
    Standing,
    TradeAttributes,
    TradeKind,
    VoucherState,
)

NO_CONTROLLER = bytes(16)
NO_ATTRIBUTES = TradeAttributes(0)


class Product(NamedTuple):
    """What was bought, as far as a rate depends on it."""

    kind: TradeKind
    compute_type: ComputeType
    domestic_chip: bool


@dataclass(frozen=True, slots=True)
class Tier:
    """A class of claimant (档次), or a separate agreement with one.

    Attributes:
        rates_bps: rate by product; a product that is not there is out of scope.
        period_cap_fen: most that one claimant gets in one period; None for no cap.
        total_cap_fen: most that one claimant gets over the programme; None for no cap.
    """

    rates_bps: Mapping[Product, int]
    period_cap_fen: int | None = None
    total_cap_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time with caps of its own (资金周期).

    Attributes:
        starts_at: its first second.
        ends_at: the first second after it.
        budget: index of the budget that it draws on.
    """

    starts_at: int
    ends_at: int
    budget: int


@dataclass(frozen=True, slots=True)
class Budget:
    """Where the money of one budget stands, in fen.

    Attributes:
        amount_fen: as published.
        reserved_fen: held by vouchers that can still be used.
        redeemed_fen: redeemed and not yet written off or rejected.
        written_off_fen: written off, recoveries not deducted.
        recovered_fen: claimed back after payment.
    """

    amount_fen: int
    reserved_fen: int = 0
    redeemed_fen: int = 0
    written_off_fen: int = 0
    recovered_fen: int = 0

    @property
    def available_fen(self) -> int:
        """What can still be promised."""
        return self.amount_fen + self.recovered_fen - self.reserved_fen - self.redeemed_fen - self.written_off_fen


@dataclass(frozen=True, slots=True)
class Terms:
    """The published rules of a programme.

    Attributes:
        group: programmes of one group pay a settlement once among them.
        funding: when a voucher takes hold of budget.
        periods: in order of time, not overlapping; what lies in none of them is not subsidised.
        claims_until: last second at which anything is claimed.
        in_trade_order: claims are paid in the order in which the trades happened.
        trade_before_issue: a trade may be older than the voucher (先交易后申领).
        one_claim_per_contract: an agreement is subsidised once in the group.
        suppliers_listed: only listed suppliers count.
        platforms_listed: only listed platforms count.
        basis: what the rate applies to.
        support_ceiling_bps: most that all public support may come to, as a share of the basis.
        min_trade_fen: smallest settled amount that counts.
        required_attributes: what a trade must carry.
        contracts_from: first second at which an agreement may have been signed.
        contracts_to: last second of the same.
        regions: GB/T 2260 codes of the places of delivery in scope; empty for anywhere.
    """

    group: int
    funding: Funding
    periods: tuple[Period, ...]
    claims_until: int
    in_trade_order: bool = False
    trade_before_issue: bool = False
    one_claim_per_contract: bool = False
    suppliers_listed: bool = False
    platforms_listed: bool = False
    basis: Basis = Basis.SETTLED
    support_ceiling_bps: int = FULL_BPS
    min_trade_fen: int = 0
    required_attributes: TradeAttributes = NO_ATTRIBUTES
    contracts_from: int = 0
    contracts_to: int = 2**40 - 1
    regions: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme as it stands.

    Attributes:
        number: its number, from 1.
        terms: as published.
        status: draft, published or terminated.
        tiers: those of the terms, then the agreements made since.
        budgets: as they stand.
        suppliers: listed ones.
        platforms: listed ones.
        last_traded_at: trade time of the latest claim that was paid; counts where claims are paid in order.
    """

    number: int
    terms: Terms
    status: ProgrammeStatus
    tiers: tuple[Tier, ...]
    budgets: tuple[Budget, ...]
    suppliers: frozenset[bytes] = frozenset()
    platforms: frozenset[bytes] = frozenset()
    last_traded_at: int = 0


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher (算力券).

    Attributes:
        number: its id.
        holder: organisation that it was issued to.
        tier: index of the holder's tier.
        period: whose budget holds its value; None where nothing is held (first come).
        state: as stored; a voucher whose time is over may still be stored as live.
        issued_at: second of issue.
        valid_until: last second at which it can be used.
        face_fen: value at issue.
        redeemed_fen: used so far.
    """

    number: int
    holder: bytes
    tier: int
    period: int | None
    state: VoucherState
    issued_at: int
    valid_until: int
    face_fen: int
    redeemed_fen: int = 0


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation as the registry knows it.

    Attributes:
        roles: the parts that it may play.
        standing: as last recorded (信用状态).
        standing_until: last second at which that holds; afterwards nobody knows.
        controller: digest of the controlling group; zeros where there is none.
        frozen: by the regulator.
    """

    roles: EntityRoles
    standing: Standing = Standing.GOOD
    standing_until: int = 2**40 - 1
    controller: bytes = NO_CONTROLLER
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be known beside voucher and programme.

    Attributes:
        organisations: by id; those of the trade's buyer, supplier and platform are enough.
        used_by_period_fen: what the holder got under the programme by period, rejected claims not counted.
        used_total_fen: the same over all periods.
        settlement_used_by: redemption that used the trade's settlement key in the group; 0 for none.
        contract_used_by: the same for its contract key.
    """

    organisations: Mapping[bytes, Organisation]
    used_by_period_fen: Mapping[int, int] = field(default_factory=dict)
    used_total_fen: int = 0
    settlement_used_by: int = 0
    contract_used_by: int = 0


@dataclass(frozen=True, slots=True)
class Quote:
    """What a trade is subsidised with.

    Attributes:
        amount_fen: the subsidy.
        rate_bps: rate that was applied.
        period: index of the period in which it counts.
        limit: what cut it below ⌊basis × rate⌋; the first in the order of `Limit` where several leave the same.
    """

    amount_fen: int
    rate_bps: int
    period: int
    limit: Limit


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a trade is not subsidised.

    Attributes:
        error: name of the contract's error for it (contracts/src/libraries/Errors.sol).
        numbers: what explains it, by the names that the contract's error gives them.
    """

    error: str
    numbers: Mapping[str, object]


Decision: TypeAlias = Quote | Refusal
