"""The golden cases on chain: their programmes, parties and earlier payments, and what the contract says to each trade.

One chain for all cases. Vouchers are issued before the first trade, earlier payments are really redeemed after the
last, and then every trade is quoted by the contract. A case shares its programme with others, unless something was paid
before or vouchers reserve their face.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.policies.compiled import compiled
from app.policies.files import digest as policy_digest
from app.policies.files import shipped
from app.policies.model import ProgrammePart
from app.policies.question import Question, ask
from app.policies.terms import budget_fen, contract_terms, contract_tier, day_start, rate_places
from app.programmes.facts import NO_CONTROLLER, Organisation
from chain.claims import batch_args
from chain.contract_error import ContractError
from chain.enums import (
    NO_CAP,
    NO_PERIOD,
    EntityRoles,
    Role,
    Standing,
)
from chain.trade import Trade
from chain.typed_data import Agreement, Issue, agreement_digest, issue_digest
from tests.differential.chain_side import ChainSide, Transaction
from tests.differential.programmes import FOREVER, digest, registration

from .evidence import LATEST, anchored, stated
from .golden_cases import GoldenCase

OPENING = int(datetime(2022, 12, 1, tzinfo=UTC).timestamp())
QUOTING = LATEST
VALID_UNTIL = 2**32 - 1
MOST_FACE = 2**40 - 1
_BATCH = 12


@dataclass
class _Instance:
    """A programme on chain.

    Attributes:
        tiers: how many there are, agreements included.
        serial: of the last voucher.
        left_fen: what its budgets hold, by index, as far as vouchers take it.
    """

    number: int
    part: ProgrammePart
    tiers: int
    left_fen: dict[int, int]
    serial: int = 0

    def next_voucher(self) -> int:
        """Number of a new voucher."""
        self.serial += 1
        return (self.number << 32) + self.serial


@dataclass
class _Placed:
    """A case and its voucher; number 0 where none can be issued."""

    voucher: int
    trade: Trade


@dataclass(frozen=True)
class _Filler:
    """A payment made before: the claimant's or somebody else's."""

    voucher: int
    trade: Trade


@dataclass
class Ledger:
    """All cases on one chain."""

    chain: ChainSide
    placed: dict[str, _Placed] = field(default_factory=dict)
    _instances: dict[tuple[str, str, str], _Instance] = field(default_factory=dict)
    _entities: dict[bytes, Organisation] = field(default_factory=dict)
    _vouchers: dict[tuple[int, bytes, int], int] = field(default_factory=dict)
    _orders: list[dict[str, Any]] = field(default_factory=list)
    _setup: list[Transaction] = field(default_factory=list)
    _fillers: list[_Filler] = field(default_factory=list)
    _standings: dict[bytes, Standing] = field(default_factory=dict)

    def place(self, cases: Iterable[GoldenCase]) -> None:
        """Puts the cases on chain."""
        for case in cases:
            self._place(case)
        entities = [registration(one, organisation) for one, organisation in self._entities.items()]
        for start in range(0, len(entities), 50):
            self.chain.send((Role.REGISTRAR, "EntityRegistry", "register", [entities[start : start + 50]]))
        for start in range(0, len(self._setup), _BATCH):
            self.chain.send(*self._setup[start : start + _BATCH])
        for start in range(0, len(self._orders), 40):
            logs = self.chain.send((Role.OPERATOR, "VoucherLedger", "issueMany", [self._orders[start : start + 40]]))[0]
            self._refuse(logs, "IssueRefused")
        self.chain.now = QUOTING
        self._redeem_fillers()
        self.chain.send(
            *(
                (Role.REGISTRAR, "EntityRegistry", "setStanding", [one, bad, FOREVER])
                for one, bad in self._standings.items()
            )
        )

    def says(self, case: GoldenCase, question: Question | None = None) -> dict[str, Any] | ContractError | None:
        """What the contract pays for the case's trade, or its refusal; None where no voucher could be issued.

        Args:
            question: another one about the same claimant, with parties that are on chain.
        """
        placed = self.placed[str(case)]
        if not placed.voucher:
            return None
        trade = placed.trade if question is None else self._trade(case, question, placed.trade.buyer)
        return self.chain.quote(placed.voucher, trade, max(QUOTING, trade.traded_at))

    # Placing

    def _place(self, case: GoldenCase) -> None:
        question = ask(case.question)
        part = compiled(shipped()[case.policy]).policy.programme(case.programme)
        instance = self._instance(case, question, part)
        buyer = self._buyer(instance, question)
        trade = self._trade(case, question, buyer)
        tier = self._tier(instance, question, case, buyer)
        period = self._period(part, trade.traded_at)
        self._earlier(instance, question, case, buyer=buyer, tier=tier, period=period)
        face = MOST_FACE
        if part.funding == "reserved_at_issue":
            budget = part.periods[period].budget
            face = instance.left_fen[budget]
        # Cases that share programme, claimant and tier share the voucher: to be quoted does not use it up.
        if face and (instance.number, buyer, tier) not in self._vouchers:
            self._vouchers[instance.number, buyer, tier] = self._issue(instance, buyer, tier, period, face)
        voucher = self._vouchers.get((instance.number, buyer, tier), 0)
        self.placed[str(case)] = _Placed(voucher, trade)

    def _instance(self, case: GoldenCase, question: Question, part: ProgrammePart) -> _Instance:
        used = question.used
        fresh = used is None or not (used.entity_total_fen or used.entity_period_fen or used.programme_period_fen)
        shared = fresh and part.funding == "first_come"
        key = (case.policy, case.programme, "" if shared else case.name)
        if key not in self._instances:
            number = len(self._instances) + 1
            terms = contract_terms(
                part,
                group=number,  # or two cases of one policy would use up each other's invoices
                policy_hash=policy_digest(shipped()[case.policy]),
                policy_uri="",
                approvers=[[self.chain.reviewer.address]] * len(part.stages),
            )
            # One reviewer stands for all stages, so that an issue needs one signature.
            terms["stages"] = terms["stages"][:1]
            calls: list[Transaction] = [
                (Role.OPERATOR, "VoucherLedger", "createProgramme", [terms]),
                (Role.OPERATOR, "VoucherLedger", "publishProgramme", [number]),
            ]
            if part.scope.platforms is not None:
                platforms = [self._platform(name) for name in part.scope.platforms]
                calls.append((Role.OPERATOR, "VoucherLedger", "setPlatforms", [number, platforms, True]))
            if part.scope.suppliers == "listed":
                suppliers = [self._entity("supplier, listed", EntityRoles.SUPPLIER)]
                calls.append((Role.OPERATOR, "VoucherLedger", "setSuppliers", [number, suppliers, True]))
            self._setup += calls
            budgets = {index: budget_fen(part, index) for index in range(len(part.budgets))}
            self._instances[key] = _Instance(number, part, len(part.tiers), budgets)
        return self._instances[key]

    def _entity(self, name: str, roles: EntityRoles, controller: str | None = None) -> bytes:
        one = digest(f"{name}, {controller}")
        hand = NO_CONTROLLER if controller is None else digest(f"controller {controller}")[:16]
        self._entities[one] = Organisation(roles, controller=hand)
        return one

    def _platform(self, name: str | None) -> bytes:
        return self._entity(f"platform {name}", EntityRoles.PLATFORM)

    def _buyer(self, instance: _Instance, question: Question) -> bytes:
        claimant = question.claimant
        standing = Standing.GOOD
        if claimant.dishonest:
            standing = Standing.DISHONEST
        elif claimant.tax_blacklisted:
            standing = Standing.TAX_BLACKLISTED
        roles = EntityRoles.BUYER | EntityRoles.SUPPLIER
        buyer = self._entity(f"buyer {instance.number}, {standing.name}", roles, claimant.controller)
        if standing != Standing.GOOD:
            self._standings[buyer] = standing
        return buyer

    def _trade(self, case: GoldenCase, question: Question, buyer: bytes) -> Trade:
        trade = question.trade
        same = trade.supplier.uscc is not None and trade.supplier.uscc == question.claimant.uscc
        name = "supplier, listed" if trade.supplier.listed else "supplier"
        supplier = buyer if same else self._entity(name, EntityRoles.SUPPLIER, trade.supplier.controller)
        platforms = compiled(shipped()[case.policy]).policy.programme(case.programme).scope.platforms
        dispatched = platforms is not None and trade.platform in platforms
        return stated(trade, buyer, supplier, self._platform(trade.platform), dispatched=dispatched, mark=str(case))

    def _tier(self, instance: _Instance, question: Question, case: GoldenCase, buyer: bytes) -> int:
        """Index of the tier that the voucher is issued on: the case's, or a separate agreement made on top of it."""
        part = instance.part
        index = next((place for place, tier in enumerate(part.tiers) if tier.name == case.tier), 0)
        agreed = question.claimant.agreement_rate_bps
        if agreed is None or part.agreements is None:
            return index
        terms = contract_tier(part.tiers[index]) | {"entity": buyer, "rateBps": [0] * 40}
        for rate in part.tiers[index].rates:
            for place in rate_places(rate):
                terms["rateBps"][place] = min(agreed, part.agreements.max_rate_bps)
        return self._agree(instance, terms)

    def _agree(self, instance: _Instance, terms: dict[str, Any]) -> int:
        index = instance.tiers
        instance.tiers += 1
        agreement = Agreement(programme_id=instance.number, tier=index, terms=terms)
        approval = self._approval(agreement_digest(self.chain.contracts, agreement, stage=0, deadline=FOREVER))
        self._setup.append(
            (Role.OPERATOR, "VoucherLedger", "addAgreement", [instance.number, index, terms, [approval]])
        )
        return index

    def _period(self, part: ProgrammePart, traded_at: int) -> int:
        """The period of a trade; the first where it lies in none."""
        within = (
            index
            for index, period in enumerate(part.periods)
            if day_start(period.first) <= traded_at < day_start(period.last) + 86_400
        )
        return next(within, 0)

    def _issue(self, instance: _Instance, holder: bytes, tier: int, period: int, face_fen: int) -> int:
        reserved = instance.part.funding == "reserved_at_issue"
        if reserved:
            instance.left_fen[instance.part.periods[period].budget] -= face_fen
        voucher = instance.next_voucher()
        issue = Issue(
            voucher_id=voucher,
            entity=holder,
            tier=tier,
            period=period if reserved else NO_PERIOD,
            face_fen=min(face_fen, MOST_FACE),
            valid_until=VALID_UNTIL,
            documents=digest("documents"),
        )
        approval = self._approval(issue_digest(self.chain.contracts, issue, stage=0, deadline=FOREVER))
        self._orders.append(
            {
                "voucherId": voucher,
                "entity": holder,
                "tier": tier,
                "period": issue.period,
                "faceFen": issue.face_fen,
                "validUntil": VALID_UNTIL,
                "documents": issue.documents,
                "approvals": [approval],
            }
        )
        return voucher

    def _approval(self, subject: bytes) -> dict[str, Any]:
        reviewer = self.chain.reviewer
        return {
            "stage": 0,
            "deadline": FOREVER,
            "signer": reviewer.address,
            "signature": reviewer.sign_digest(subject),
        }

    # Earlier payments

    def _earlier(
        self, instance: _Instance, question: Question, case: GoldenCase, *, buyer: bytes, tier: int, period: int
    ) -> None:
        """Payments that make up what the case says was used: an earlier period's first, as they must come in order."""
        used = question.used
        if used is None:
            return
        of_period = used.entity_period_fen or 0
        of_others = (used.programme_period_fen or 0) - of_period
        before = (used.entity_total_fen or 0) - of_period
        if before:
            other = period - 1 if period else period + 1
            self._fill(instance, case, buyer, tier=tier, period=other, amount_fen=before, name="before")
            if instance.part.periods[other].budget == instance.part.periods[period].budget:
                of_others -= before
        if of_period:
            self._fill(instance, case, buyer, tier=tier, period=period, amount_fen=of_period, name="period")
        if of_others > 0:
            stranger = self._entity(f"stranger of {case}", EntityRoles.BUYER)
            everything = {
                "name": b"everything".ljust(32, b"\0"),
                "entity": stranger,
                "periodCapFen": NO_CAP,
                "totalCapFen": NO_CAP,
                "rateBps": [10_000] * 40,
            }
            open_tier = self._agree(instance, everything)
            self._fill(instance, case, stranger, tier=open_tier, period=period, amount_fen=of_others, name="others")

    def _fill(
        self,
        instance: _Instance,
        case: GoldenCase,
        holder: bytes,
        *,
        tier: int,
        period: int,
        amount_fen: int,
        name: str,
    ) -> None:
        """A payment of exactly so much: at rate r of ⌈amount / r⌉, whose share rounds down to the amount."""
        voucher = self._issue(instance, holder, tier, period, amount_fen)
        # The claimant's tier and an agreement pay by the rate that the table gives; a stranger all.
        rate = 10_000 if name == "others" else case.pays[0] if case.pays else 10_000
        spent = -(-amount_fen * 10_000 // rate)
        mark = f"{name} of {case}"
        model = self._trade(case, ask(case.question), holder)
        trade = Trade(
            **{
                **{name: getattr(model, name) for name in Trade.__struct_fields__},
                "trade_id": digest(f"trade {mark}"),
                "supplier": self._entity("supplier, listed", EntityRoles.SUPPLIER),
                "traded_at": day_start(instance.part.periods[period].first) + 100_000,
                "settled_fen": spent,
                "contract_fen": spent,
                "settlement_key": digest(f"invoice {mark}"),
                "contract_key": digest(f"contract {mark}"),
            }
        )
        self._fillers.append(_Filler(voucher, trade))

    def _redeem_fillers(self) -> None:
        """All earlier payments, anchored together and redeemed one after the other."""
        proofs = anchored(self.chain, [one.trade for one in self._fillers])
        claims = [
            {"voucherId": one.voucher, "trade": one.trade.to_abi(), "proof": proofs[one.trade.trade_id].to_abi()}
            for one in self._fillers
        ]
        for start in range(0, len(claims), 20):
            logs = self.chain.send(
                (Role.RELAYER, "VoucherLedger", "redeemMany", batch_args(claims[start : start + 20]))
            )[0]
            self._refuse(logs, "RedemptionRefused")

    def _refuse(self, logs: list[dict[str, Any]], name: str) -> None:
        events = [self.chain.contracts.decode_event(log) for log in logs]
        refused = [event for event in events if event is not None and event.name == name]
        assert not refused, refused
