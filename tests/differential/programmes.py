"""Random organisations, programmes and vouchers, and the same as the contract takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

from eth_hash.auto import keccak

from app.programmes.facts import NO_CONTROLLER, Budget, Organisation, Period, Product, Programme, Terms, Tier, Voucher
from chain.contracts import Contracts
from chain.enums import (
    NO_CAP,
    NO_PERIOD,
    Basis,
    ComputeType,
    EntityKind,
    EntityRoles,
    Funding,
    ProgrammeStatus,
    Standing,
    TradeAttributes,
    TradeKind,
    VoucherState,
)
from chain.keys import LocalSigner, derive
from chain.typed_data import Agreement, Issue, agreement_digest, issue_digest

DAY = 86_400
FOREVER = 2**40 - 1
FACE_END = 2**40
PRODUCTS = [Product(*one) for one in product(TradeKind, ComputeType, (False, True))]
PROVINCES = (410000, 310000, 520000)
CITIES = (410100, 410200, 310100, 520100)
DISTRICTS = (410122, 410184, 310115, 520103)
_NO_KEY = "0x" + "00" * 20


def digest(text: str) -> bytes:
    """Some 32 bytes that belong to a text."""
    return keccak(text.encode())


@dataclass(frozen=True)
class Cast:
    """Organisations by the part that they are meant for; the sick can play none, and stay so."""

    organisations: dict[bytes, Organisation]
    buyers: tuple[bytes, ...]
    suppliers: tuple[bytes, ...]
    platforms: tuple[bytes, ...]
    sick: tuple[bytes, ...]
    nobody: bytes

    @property
    def sound(self) -> tuple[bytes, ...]:
        """Those whose standing and freedom may change."""
        return tuple(one for one in self.organisations if one not in self.sick)


def cast(now: int) -> Cast:
    """Ten organisations, some related, about to lapse, or in several parts; and the sick, three for each part."""
    buyer, supplier, platform = EntityRoles.BUYER, EntityRoles.SUPPLIER, EntityRoles.PLATFORM
    one_hand, other_hand = digest("controller 1")[:16], digest("controller 2")[:16]
    soon = now + 20 * DAY
    members = {
        "buyer 1": Organisation(buyer),
        "buyer 2": Organisation(buyer, controller=one_hand),
        "buyer 3": Organisation(buyer, standing_until=now + 400 * DAY, controller=other_hand),
        "buyer lapsing": Organisation(buyer, standing_until=soon),
        "buyer and supplier": Organisation(buyer | supplier),
        "everything": Organisation(buyer | supplier | platform),
        "supplier 1": Organisation(supplier),
        "supplier 2": Organisation(supplier, controller=one_hand),
        "platform 1": Organisation(platform),
        "platform 2": Organisation(platform, standing_until=soon),
    }
    sick = {
        name: organisation
        for role in EntityRoles
        for name, organisation in (
            (f"lapsed {role.name}", Organisation(role, standing_until=now)),
            (f"excluded {role.name}", Organisation(role, Standing.DISHONEST)),
            (f"blacklisted {role.name}", Organisation(role, Standing.TAX_BLACKLISTED, now + 200 * DAY)),
            (f"frozen {role.name}", Organisation(role, frozen=True)),
        )
    }
    ids = {name: digest(name) for name in members | sick}
    return Cast(
        organisations={ids[name]: organisation for name, organisation in (members | sick).items()},
        buyers=tuple(ids[name] for name in members if name.startswith("buyer") or name == "everything"),
        suppliers=tuple(ids[name] for name in ("supplier 1", "supplier 2", "buyer and supplier", "everything")),
        platforms=tuple(ids[name] for name in ("platform 1", "platform 2", "everything")),
        sick=tuple(ids[name] for name in sick),
        nobody=digest("nobody"),
    )


def platform_key(platform: bytes) -> LocalSigner:
    """The key that a platform signs evidence with."""
    return derive(platform, "evidence")


def registration(entity: bytes, organisation: Organisation) -> dict[str, Any]:
    """The organisation as EntityRegistry.register takes it."""
    platform = EntityRoles.PLATFORM in organisation.roles
    return {
        "id": entity,
        "account": "0x" + entity.hex()[:40],
        "kind": EntityKind.ENTERPRISE,
        "roles": organisation.roles,
        "region": 410100,
        "standing": organisation.standing,
        "standingUntil": organisation.standing_until,
        "controller": organisation.controller or NO_CONTROLLER,
        "evidenceKey": platform_key(entity).address if platform else _NO_KEY,
        "custodial": False,
    }


def random_programme(random: Random, number: int, members: Cast, now: int) -> Programme:
    """A programme that runs now, most of its rules drawn."""
    funding = random.choice(list(Funding))
    basis = random.choices(list(Basis), (3, 1))[0]
    budgets = random.randint(1, 2)
    listed = random.random() < 0.5
    terms = Terms(
        group=random.randint(1, 3),
        funding=funding,
        periods=tuple(_periods(random, budgets, now)),
        claims_until=now + random.randint(5, 400) * DAY + random.randrange(DAY),
        in_trade_order=random.random() < 0.4,
        trade_before_issue=random.random() < 0.6,
        one_claim_per_contract=basis == Basis.CONTRACT or random.random() < 0.3,
        suppliers_listed=listed,
        platforms_listed=random.random() < 0.5,
        basis=basis,
        support_ceiling_bps=random.choice([10_000, 10_000, 5_000, random.randint(1, 9_999)]),
        min_trade_fen=random.choice([0, 1, random.randint(2, 1_000_000)]),
        required_attributes=TradeAttributes(random.choice([0, 0, 2, 6, random.randint(1, 15)])),
        contracts_from=random.choice([0, now - random.randint(50, 400) * DAY]),
        contracts_to=random.choice([FOREVER, now + random.randint(1, 200) * DAY]),
        regions=frozenset(random.sample(PROVINCES + CITIES + DISTRICTS, random.choice([0, 0, 1, 2, 4]))),
    )
    return Programme(
        number=number,
        terms=terms,
        status=ProgrammeStatus.PUBLISHED,
        tiers=tuple(random_tier(random) for _ in range(random.randint(1, 3))),
        budgets=tuple(Budget(_money(random, *random.choice([(5, 7), (8, 12), (9, 12)]))) for _ in range(budgets)),
        suppliers=frozenset(random.sample(members.suppliers, random.randint(1, 3))) if listed else frozenset(),
        platforms=frozenset(random.sample(members.platforms, random.randint(1, 3))),
    )


def _periods(random: Random, budgets: int, now: int) -> list[Period]:
    """Two to four periods, sometimes with days between them; one of them is running."""
    at = now - random.randint(30, 300) * DAY
    found = []
    for _ in range(random.randint(2, 4)):
        end = at + random.randint(20, 200) * DAY
        found.append(Period(at, end, random.randrange(budgets)))
        at = end + random.choice([0, 0, random.randint(1, 10) * DAY])
    return found


def random_tier(random: Random) -> Tier:
    """Rates for some products, most of them for compute, and caps or none."""
    kinds = random.choice([(TradeKind.COMPUTE,), (TradeKind.COMPUTE, TradeKind.DATA), tuple(TradeKind)])
    rates = {
        one: random.choice([3_000, 4_000, 1_500, 10_000, random.randint(1, 9_999)])
        for one in PRODUCTS
        if one.kind in kinds and random.random() < 0.8
    }
    rates[Product(TradeKind.COMPUTE, ComputeType.INTELLIGENT, domestic_chip=True)] = random.randint(1, 10_000)
    return Tier(
        rates_bps=rates,
        period_cap_fen=random.choice([None, _money(random, 5, 9)]),
        total_cap_fen=random.choice([None, _money(random, 5, 10)]),
    )


def random_voucher(
    random: Random, programme: Programme, serial: int, holder: bytes, tiers: Sequence[int], now: int
) -> Voucher | None:
    """A voucher that can be issued now; None where the budget holds none."""
    period = None
    most = FACE_END - 1
    if programme.terms.funding == Funding.RESERVED_AT_ISSUE:
        period = random.randrange(len(programme.terms.periods))
        most = min(most, programme.budgets[programme.terms.periods[period].budget].available_fen)
        if most <= 0:
            return None
    # Often much, so that caps and budgets are met as well as faces.
    face = random.choice([_money(random, 4, 8), _money(random, 8, 12)])
    return Voucher(
        number=(programme.number << 32) + serial,
        holder=holder,
        tier=random.choice(tiers),
        period=period,
        state=VoucherState.LIVE,
        issued_at=now,
        valid_until=now + random.randint(1, 150) * DAY + random.randrange(DAY),
        face_fen=min(face, most),
    )


def _money(random: Random, low: int, high: int) -> int:
    """Fen of a random size, 10**low to 10**high."""
    return int(10 ** random.uniform(low, high))


def contract_tier(tier: Tier, entity: bytes = bytes(32)) -> dict[str, Any]:
    """The tier as the contract takes it: rates by kind × 8 + compute type × 2 + domestic chip."""
    rates = [0] * 40
    for (kind, compute_type, domestic_chip), rate in tier.rates_bps.items():
        rates[kind * 8 + compute_type * 2 + domestic_chip] = rate
    return {
        "name": b"tier".ljust(32, b"\0"),
        "entity": entity,
        "periodCapFen": NO_CAP if tier.period_cap_fen is None else tier.period_cap_fen,
        "totalCapFen": NO_CAP if tier.total_cap_fen is None else tier.total_cap_fen,
        "rateBps": rates,
    }


def contract_terms(programme: Programme, approver: str) -> dict[str, Any]:
    """The programme as VoucherLedger.createProgramme takes it; no challenge window, one stage of one approval."""
    terms = programme.terms
    return {
        "policyHash": digest("policy"),
        "policyURI": "",
        "group": terms.group,
        "funding": terms.funding,
        "inTradeOrder": terms.in_trade_order,
        "tradeBeforeIssue": terms.trade_before_issue,
        "oneClaimPerContract": terms.one_claim_per_contract,
        "suppliersListed": terms.suppliers_listed,
        "platformsListed": terms.platforms_listed,
        "basis": terms.basis,
        "supportCeilingBps": terms.support_ceiling_bps,
        "challengeSeconds": 0,
        "minTradeFen": terms.min_trade_fen,
        "requiredAttributes": int(terms.required_attributes),
        "contractsFrom": terms.contracts_from,
        "contractsTo": terms.contracts_to,
        "claimsUntil": terms.claims_until,
        "regions": sorted(terms.regions),
        "budgetsFen": [budget.amount_fen for budget in programme.budgets],
        "periods": [{"startsAt": one.starts_at, "endsAt": one.ends_at, "budget": one.budget} for one in terms.periods],
        "tiers": [contract_tier(tier) for tier in programme.tiers],
        "stages": [{"name": b"review".ljust(32, b"\0"), "required": 1, "approvers": [approver]}],
    }


def issue_order(voucher: Voucher, contracts: Contracts, reviewer: LocalSigner) -> dict[str, Any]:
    """The approved order to issue a voucher."""
    period = NO_PERIOD if voucher.period is None else voucher.period
    issue = Issue(
        voucher_id=voucher.number,
        entity=voucher.holder,
        tier=voucher.tier,
        period=period,
        face_fen=voucher.face_fen,
        valid_until=voucher.valid_until,
        documents=digest("documents"),
    )
    return {
        "voucherId": voucher.number,
        "entity": voucher.holder,
        "tier": voucher.tier,
        "period": period,
        "faceFen": voucher.face_fen,
        "validUntil": voucher.valid_until,
        "documents": issue.documents,
        "approvals": [_approval(reviewer, issue_digest(contracts, issue, stage=0, deadline=FOREVER))],
    }


def agreement_call(
    programme: Programme, tier: Tier, entity: bytes, contracts: Contracts, reviewer: LocalSigner
) -> list[Any]:
    """Arguments of addAgreement: the next tier, for one organisation."""
    index = len(programme.tiers)
    terms = contract_tier(tier, entity)
    agreement = Agreement(programme_id=programme.number, tier=index, terms=terms)
    approval = _approval(reviewer, agreement_digest(contracts, agreement, stage=0, deadline=FOREVER))
    return [programme.number, index, terms, [approval]]


def _approval(reviewer: LocalSigner, subject: bytes) -> dict[str, Any]:
    return {"stage": 0, "deadline": FOREVER, "signer": reviewer.address, "signature": reviewer.sign_digest(subject)}
