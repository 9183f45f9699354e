"""Policy files: what they hold, and the contract terms that they mean.

A file is read strictly. Dates are calendar days of China Standard Time, both ends included; money is in fen, rates in
basis points. `keccak256` of the file's bytes stands on chain, so that nobody can change a policy on the quiet.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from eth_hash.auto import keccak
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chain.enums import Basis, ComputeType, Funding, TradeAttributes, TradeKind

FOLDER = Path(__file__).resolve().parent.parent / "policies"
CHINA = timezone(timedelta(hours=8), "CST")
NO_CAP = 2**48 - 1
RATES = 40

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Fen = Annotated[int, Field(gt=0, lt=NO_CAP)]
Bps = Annotated[int, Field(ge=0, le=10_000)]
RegionCode = Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$")]


class PolicyError(Exception):
    """A policy file that cannot be used; the text says which member and why."""


class Part(BaseModel):
    """A part of a policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Bilingual(Part):
    """A text in Chinese and English."""

    zh: str
    en: str


class Source(Part):
    """A quotation, and the members that it gives."""

    quote: str
    gives: str


class Default(Part):
    """A choice that the sources leave open."""

    field: str
    why: str


class Days(Part):
    """A stretch of calendar days, both included."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> "Days":
        if self.last < self.first:
            raise ValueError("`to` lies before `from`")
        return self


class PeriodPart(Days):
    """A period and the budget that it draws on."""

    budget: int = Field(ge=0)


class BudgetPart(Part):
    """A budget."""

    amount_fen: Fen


class StagePart(Part):
    """A stage of review: how many approvals, which documents."""

    name: Name
    title: Bilingual
    required: int = Field(ge=1, le=20)
    documents: tuple[Name, ...]


class RatePart(Part):
    """A rate and what it is for. `domestic_chip` left out: for either."""

    kind: Literal["compute", "data", "deployment", "investment", "project_cost"]
    compute_types: tuple[Literal["none", "general", "intelligent", "super"], ...]
    domestic_chip: bool | None = None
    rate_bps: Bps


class TierPart(Part):
    """A class of claimant. A cap left out does not bind."""

    name: Name
    title: Bilingual
    rates: tuple[RatePart, ...] = Field(min_length=1)
    period_cap_fen: Fen | None = None
    total_cap_fen: Fen | None = None

    def rate_table(self) -> list[int]:
        """Rates in basis points by kind × 8 + compute type × 2 + domestic, as Rules.rateIndex in Solidity."""
        table = [0] * RATES
        for rate in self.rates:
            for compute_type in rate.compute_types:
                place = TradeKind[rate.kind.upper()] * 8 + ComputeType[compute_type.upper()] * 2
                for domestic in (False, True):
                    if rate.domestic_chip in (None, domestic):
                        table[place + domestic] = rate.rate_bps
        return table


class Policy(Part):
    """A policy file."""

    policy: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,63}$")]
    version: int = Field(ge=1)
    title: Bilingual
    sources: tuple[Source, ...]
    defaults: tuple[Default, ...]
    group: int = Field(gt=0, lt=2**32)
    funding: Literal["reserved_at_issue", "first_come"]
    mode: Literal["apply", "instant", "after_trade"]
    in_trade_order: bool
    one_claim_per_contract: bool
    basis: Literal["settled", "contract"]
    support_ceiling_bps: Bps
    challenge_seconds: int = Field(ge=0, lt=2**32)
    min_trade_fen: int = Field(ge=0, lt=2**40)
    platforms_listed: bool
    suppliers_listed: bool
    required_attributes: tuple[Literal["domestic_chip", "buyer_paid", "unified_dispatch"], ...]
    regions: tuple[RegionCode, ...]
    contracts: Days
    claims_until: date
    budgets: tuple[BudgetPart, ...] = Field(min_length=1)
    periods: tuple[PeriodPart, ...] = Field(min_length=1, max_length=24)
    stages: tuple[StagePart, ...] = Field(min_length=1)
    tiers: tuple[TierPart, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "Policy":
        for index, period in enumerate(self.periods):
            if period.budget >= len(self.budgets):
                raise ValueError(f"periods.{index}.budget: there is no budget {period.budget}")
            if index and period.first <= self.periods[index - 1].last:
                raise ValueError(f"periods.{index}.from: begins before the period before it ended")
        if len({tier.name for tier in self.tiers}) != len(self.tiers):
            raise ValueError("tiers: two have one name")
        return self

    def terms(self, policy_hash: bytes, policy_uri: str, approvers: Sequence[Sequence[str]]) -> dict[str, Any]:
        """The contract's ProgrammeTerms.

        Args:
            policy_hash: keccak256 of the file, 32 bytes.
            approvers: Addresses by stage.
        """
        attributes = TradeAttributes(0)
        for name in self.required_attributes:
            attributes |= TradeAttributes[name.upper()]
        return {
            "policyHash": policy_hash,
            "policyURI": policy_uri,
            "group": self.group,
            "funding": Funding[self.funding.upper()],
            "inTradeOrder": self.in_trade_order,
            "tradeBeforeIssue": self.mode == "after_trade",
            "oneClaimPerContract": self.one_claim_per_contract,
            "suppliersListed": self.suppliers_listed,
            "platformsListed": self.platforms_listed,
            "basis": Basis[self.basis.upper()],
            "supportCeilingBps": self.support_ceiling_bps,
            "challengeSeconds": self.challenge_seconds,
            "minTradeFen": self.min_trade_fen,
            "requiredAttributes": int(attributes),
            "contractsFrom": day_start(self.contracts.first),
            "contractsTo": day_end(self.contracts.last) - 1,
            "claimsUntil": day_end(self.claims_until) - 1,
            "regions": [int(region) for region in self.regions],
            "budgetsFen": [budget.amount_fen for budget in self.budgets],
            "periods": [
                {"startsAt": day_start(p.first), "endsAt": day_end(p.last), "budget": p.budget} for p in self.periods
            ],
            "tiers": [
                {
                    "name": tier.name.encode().ljust(32, b"\0"),
                    "entity": bytes(32),
                    "periodCapFen": NO_CAP if tier.period_cap_fen is None else tier.period_cap_fen,
                    "totalCapFen": NO_CAP if tier.total_cap_fen is None else tier.total_cap_fen,
                    "rateBps": tier.rate_table(),
                }
                for tier in self.tiers
            ],
            "stages": [
                {"name": stage.name.encode().ljust(32, b"\0"), "required": stage.required, "approvers": list(accounts)}
                for stage, accounts in zip(self.stages, approvers, strict=True)
            ],
        }


def day_start(day: date) -> int:
    """First Unix second of a calendar day in China."""
    return int(datetime.combine(day, time(), CHINA).timestamp())


def day_end(day: date) -> int:
    """First Unix second after a calendar day in China."""
    return day_start(day + timedelta(days=1))


def parse(content: bytes) -> Policy:
    """Reads a policy file.

    Raises:
        PolicyError: It is not YAML or breaks a rule; the text names the members.
    """
    try:
        return Policy.model_validate(yaml.safe_load(content))
    except yaml.YAMLError as error:
        raise PolicyError(f"not YAML: {error}") from error
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
        raise PolicyError("; ".join(lines)) from error


@cache
def shipped() -> dict[str, bytes]:
    """The policy files that come with the product, by policy id."""
    return {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.yaml"))}


def digest(content: bytes) -> bytes:
    """What stands on chain for a file: keccak256 of its bytes."""
    return keccak(content)
