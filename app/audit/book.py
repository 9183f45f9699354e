"""What the events say so far: organisations, programmes, vouchers, redemptions, streams of evidence.

Everything is in the terms of `app.programmes.facts`, so that the rules of redemption decide on it as it stands.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from app.policies.model import ProgrammePart
from app.programmes.facts import Budget, Organisation, Programme, Terms, Tier, Voucher
from chain.enums import ProgrammeStatus, RedemptionState
from chain.evidence import NO_HEAD


@dataclass(slots=True)
class Registered:
    """What of an organisation no rule of redemption looks at.

    Attributes:
        account: 20 bytes.
        proposed: key that is proposed, by purpose.
        evidence_key: of a platform, 20 bytes.
    """

    number: int
    kind: int
    region: int
    account: bytes
    proposed: dict[int, bytes] = field(default_factory=dict)
    evidence_key: bytes | None = None


@dataclass(slots=True)
class Account:
    """A programme as it stands.

    Attributes:
        agreements: organisation by index of its tier.
        approvers: accounts by stage.
        redemptions: serial of the latest.
        part: what the policy's text says; None where there is no text.
    """

    number: int
    terms: Terms
    group: int
    challenge_seconds: int
    budgets: list[Budget]
    tiers: tuple[Tier, ...]
    approvers: list[set[bytes]]
    part: ProgrammePart | None
    status: ProgrammeStatus = ProgrammeStatus.DRAFT
    suppliers: frozenset[bytes] = frozenset()
    platforms: frozenset[bytes] = frozenset()
    agreements: dict[int, bytes] = field(default_factory=dict)
    last_traded_at: int = 0
    redemptions: int = 0

    def as_facts(self) -> Programme:
        """As the rules of redemption speak of it."""
        return Programme(
            self.number,
            self.terms,
            self.status,
            self.tiers,
            tuple(self.budgets),
            self.suppliers,
            self.platforms,
            self.last_traded_at,
        )

    def budget_of(self, period: int) -> int:
        """Index of the budget that a period draws on."""
        return self.terms.periods[period].budget


@dataclass(slots=True)
class Redemption:
    """A redemption as it stands; `counted` is what the sums hold of it."""

    number: int
    voucher: int
    period: int
    amount_fen: int
    settlement_key: bytes
    contract_key: bytes
    redeemed_at: int
    state: RedemptionState = RedemptionState.PROVISIONAL
    recovered_fen: int = 0
    written_off_at: int = 0
    barred: bool = False
    counted: tuple[RedemptionState, int] | None = None


@dataclass(slots=True)
class Stream:
    """A platform's anchored batches: how many, the sequence that must come next, the latest head."""

    batches: int = 0
    next_sequence: int = 1
    head: bytes = NO_HEAD


class Book:
    """All of it, by id or number. `used` is what an organisation got under a programme, by period."""

    def __init__(self) -> None:
        self.organisations: dict[bytes, Organisation] = {}
        self.registered: dict[bytes, Registered] = {}
        self.holder_of_account: dict[bytes, bytes] = {}
        self.officers: set[tuple[bytes, bytes]] = set()
        self.programmes: dict[int, Account] = {}
        self.vouchers: dict[int, Voucher] = {}
        self.written_off_fen: dict[int, int] = {}
        self.redemptions: dict[int, Redemption] = {}
        self.used: defaultdict[tuple[int, bytes], dict[int, int]] = defaultdict(dict)
        self.settlements: dict[tuple[int, bytes], int] = {}
        self.contracts: dict[tuple[int, bytes], int] = {}
        self.streams: defaultdict[bytes, Stream] = defaultdict(Stream)
        # Issued in this transaction, and not yet announced as an ERC-721 token.
        self.unannounced: dict[int, bytes] = {}
        # Touched since the invariants were last looked at.
        self.touched_vouchers: set[int] = set()
        self.touched_redemptions: set[int] = set()
        self.touched_budgets: set[tuple[int, int]] = set()

    def move_budget(
        self,
        account: Account,
        period: int,
        *,
        reserved: int = 0,
        redeemed: int = 0,
        written_off: int = 0,
        recovered: int = 0,
    ) -> None:
        """Add to the budget that a period draws on, in fen."""
        index = account.terms.periods[period].budget
        b = account.budgets[index]
        account.budgets[index] = Budget(
            b.amount_fen,
            b.reserved_fen + reserved,
            b.redeemed_fen + redeemed,
            b.written_off_fen + written_off,
            b.recovered_fen + recovered,
        )
        self.touched_budgets.add((account.number, index))

    def use(self, programme: int, holder: bytes, period: int, fen: int) -> int:
        """Add to what a holder got in a period; what it comes to."""
        by_period = self.used[programme, holder]
        by_period[period] = used_fen = by_period.get(period, 0) + fen
        return used_fen
