"""What a policy file holds. Its JSON Schema is made of these classes (`policy.schema.json`).

A policy is one government document; it runs as one or several programmes, each with its own budgets, periods and tiers
on chain. Dates are calendar days of China Standard Time, both ends included; amounts are in fen, rates in basis points.
Whatever a source leaves open stands under `defaults` with its reason, and where sources contradict each other under
`conflicts`, with the reading that was taken.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.policies.checks import Checks
from app.policies.conditions import ConditionError, compile_condition

NO_CAP = 2**48 - 1

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""Short name in ASCII: it stands on chain in 32 bytes."""
Fen = Annotated[int, Field(gt=0, lt=NO_CAP, description="Amount in fen (1/100 yuan).")]
Bps = Annotated[int, Field(ge=0, le=10_000, description="Share in basis points (1/10,000).")]
RegionCode = Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$", description="GB/T 2260 code; 410100 holds 4101xx.")]
Kind = Literal["compute", "data", "deployment", "investment", "project_cost"]
ComputeTypeName = Literal["general", "intelligent", "super"]


def _checked_condition(text: str) -> str:
    try:
        compile_condition(text)
    except ConditionError as error:
        raise ValueError(str(error)) from error
    return text


Condition = Annotated[
    str,
    Field(max_length=500, description="CEL expression of type bool over the fields of claimant, trade and supplier."),
    AfterValidator(_checked_condition),
]


class Part(BaseModel):
    """A part of a policy file; unknown members are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Bilingual(Part):
    """A text in Chinese and English."""

    zh: str
    en: str


FileType = Literal["pdf", "png", "jpeg", "ofd", "xlsx", "docx"]


class DocumentPart(Bilingual):
    """What reviewers may ask for.

    Attributes:
        types: Files that are taken for it, told by their content.
    """

    types: tuple[FileType, ...] = Field(default=("pdf", "png", "jpeg"), min_length=1)


class Source(Part):
    """A quotation, and the members that it gives."""

    quote: str
    gives: tuple[str, ...] = Field(min_length=1)


class Default(Part):
    """A choice that the sources leave open: the member, what was chosen, and why."""

    field: str
    chosen: Bilingual
    why: Bilingual


class Conflict(Part):
    """Two sources that contradict each other: what was taken, and what the other says."""

    field: str
    taken: Bilingual
    other: Bilingual
    why: Bilingual


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
    """A period (资金周期) and the budget that it draws on."""

    budget: int = Field(ge=0)


class BudgetPart(Part):
    """A budget. Null: the sources state none, so none binds."""

    amount_fen: Fen | None


class StagePart(Part):
    """A stage of review (审核).

    Attributes:
        required: Approvals that it needs, from distinct approvers.
        approvers: Role of those who may approve.
        documents: Documents that an application must carry for it, by their names in `documents` of the policy.
        days: Working days within which it is decided; null where nothing is stated.
        clarification_stops_clock: Whether days on which an answer of the applicant is awaited do not count.
        publicity_days: Calendar days of publicity (公示) after its decision, 0 for none.
    """

    name: Name
    title: Bilingual
    required: int = Field(ge=1, le=20)
    approvers: Literal["reviewer", "expert"] = "reviewer"
    documents: tuple[Name, ...] = ()
    days: Annotated[int, Field(ge=1, le=365)] | None = None
    clarification_stops_clock: bool = True
    publicity_days: Annotated[int, Field(ge=0, le=60)] = 0


class RatePart(Part):
    """A rate and what it is for.

    Attributes:
        compute_types: Of compute; left out, all. Says nothing about other kinds.
        domestic_chip: Left out, for either.
    """

    kind: Kind
    compute_types: tuple[ComputeTypeName, ...] = ("general", "intelligent", "super")
    domestic_chip: bool | None = None
    rate_bps: Bps


class Rule(Part):
    """A condition with the reason that is given where it does not hold (`eligible`) or holds (`excluded`)."""

    code: Name
    when: Condition
    text: Bilingual


class TierPart(Part):
    """A class of claimant (档次). A cap that is null does not bind.

    Attributes:
        when: Who belongs to it.
        rates: Rate by product; a product that is not there is out of scope.
        period_cap_fen: Most that one organisation gets in one period.
        total_cap_fen: Most that one organisation gets over the whole programme.
    """

    name: Name
    title: Bilingual
    when: Condition
    rates: tuple[RatePart, ...] = Field(min_length=1)
    period_cap_fen: Fen | None = None
    total_cap_fen: Fen | None = None


class Window(Part):
    """Dates beside the periods: when agreements are signed, and the last day of claims."""

    contracts: Days
    claims_until: date


class Scope(Part):
    """What counts, and where.

    Attributes:
        regions: Places of delivery; empty for anywhere.
        platforms: Names by which a question calls the platforms that count; null for any platform or none.
        suppliers: Whether only listed suppliers count (入库/备案).
        dispatch: Whether only compute under the city's unified dispatch counts; then the platforms are its.
        excluded_items: What an order may not be for, told to the check scope-match.
    """

    regions: tuple[RegionCode, ...] = ()
    platforms: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] | None = None
    suppliers: Literal["any", "listed"] = "any"
    dispatch: bool = False
    excluded_items: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _dispatch_names_platforms(self) -> "Scope":
        if self.dispatch and not self.platforms:
            raise ValueError("dispatch: name the platforms of the unified dispatch in `platforms`")
        return self


class Rounds(Part):
    """How a programme that pays in order of trade time goes: in rounds, each for the trades of one calendar day.

    A round begins once its day and `delay_days` more are over; till then its claims wait, so that each has had the same
    time to be handed in. Then they are presented in order of trade time, behind those of all days before, until the
    budget is used up; the last is paid in part.

    Late evidence: a claim that comes after its round began is presented at once. It is paid if no later trade was paid
    yet and money is left; else the contract refuses it (VoucherLedger_OutOfOrder), and its invoice may still be used
    under another programme of the group.

    Overdue claims: a claim that a reviewer holds, or whose evidence is not anchored, keeps later trades waiting for
    `hold_days` and then gives up its place: the round goes on. It is not lost; released later it is late evidence.

    Attributes:
        delay_days: Calendar days after the day of the trade.
        hold_days: Working days from the hold, or from the claim where its evidence is not anchored.
    """

    delay_days: Annotated[int, Field(ge=0, le=366)] = 0
    hold_days: Annotated[int, Field(ge=1, le=365)] = 10


class Agreements(Part):
    """Separate agreements with single organisations, whose rate takes the place of the tier's. Caps stay the tier's.

    Attributes:
        max_rate_bps: Highest rate that may be agreed.
    """

    max_rate_bps: Bps = 10_000


class Example(Part):
    """A worked example; the engine computes its answer."""

    title: Bilingual
    claimant: dict[str, Any]
    trade: dict[str, Any]
    used: dict[str, int] | None = None


class ProgrammePart(Part):
    """One programme (项目) of the policy: a budget of its own, and terms of its own on chain.

    Attributes:
        mode: apply (申领后交易), automatic (免申即享: a platform's order is enough), instant (即领即享: issued when
            applied for), after_trade (先交易后申领). What automatic and instant issue is decided by the rules alone, on
            facts that officers confirmed; where they do not tell, an instant application waits for a reviewer.
        funding: When a voucher takes hold of budget: all of its face at issue, or each claim as it comes.
        order: trade_time (按交易发生时间先后顺序兑付) or none.
        rounds: Where `order` is trade_time: when claims are presented, and what becomes of late ones; left out, on the
            day after the trade.
        basis: What the rate applies to. Rent incurred and the amount settled are the settled amount of the evidence.
        support_ceiling_bps: Most that all public support together may come to, as a share of the basis.
        price_fair: Whether the price at signing must lie within the fair range of the market.
        buyer_paid: Whether the buyer must have paid its own share.
        one_claim_per_contract: Whether an agreement is subsidised once.
        challenge_seconds: How long a redemption can be challenged before it may be written off.
        min_trade_fen: Smallest settled amount that counts.
        eligible: All must hold, whatever the tier.
        excluded: None may hold.
        agreements: Null where the policy knows no separate agreements.
        appeal_days: Days within which a rejection can be appealed, once; 0 for never. Where the source states none,
            those of the Administrative Reconsideration Law (行政复议法, 2023) article 20: 自知道…之日起六十日内.
        checks: Fraud checks (app/policies/README.md).
    """

    name: Name
    title: Bilingual
    mode: Literal["apply", "automatic", "instant", "after_trade"]
    funding: Literal["reserved_at_issue", "first_come"]
    order: Literal["trade_time", "none"] = "none"
    rounds: Rounds | None = None
    basis: Literal["settled", "rent_incurred", "contract_value"]
    support_ceiling_bps: Annotated[int, Field(gt=0, le=10_000)] = 10_000
    price_fair: bool = False
    buyer_paid: bool = False
    one_claim_per_contract: bool = False
    challenge_seconds: Annotated[int, Field(ge=0, lt=2**32)] = 0
    min_trade_fen: Annotated[int, Field(ge=0, lt=2**40)] = 0
    scope: Scope
    window: Window
    budgets: tuple[BudgetPart, ...] = Field(min_length=1, max_length=24)
    periods: tuple[PeriodPart, ...] = Field(min_length=1, max_length=24)
    eligible: tuple[Rule, ...] = ()
    excluded: tuple[Rule, ...] = ()
    tiers: tuple[TierPart, ...] = Field(min_length=1, max_length=200)
    agreements: Agreements | None = None
    appeal_days: Annotated[int, Field(ge=0, le=180)] = 60
    stages: tuple[StagePart, ...] = Field(min_length=1, max_length=20)
    checks: Checks = Checks()
    examples: tuple[Example, ...] = Field(min_length=1)

    @property
    def trade_rounds(self) -> Rounds | None:
        """The rounds of a programme that pays in order of trade time; None for others."""
        return self.rounds or Rounds() if self.order == "trade_time" else None

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of trade that some tier has a rate for."""
        return frozenset(rate.kind for tier in self.tiers for rate in tier.rates)

    @model_validator(mode="after")
    def _consistent(self) -> "ProgrammePart":
        for index, period in enumerate(self.periods):
            if period.budget >= len(self.budgets):
                raise ValueError(f"periods.{index}.budget: there is no budget {period.budget}")
            if index and period.first <= self.periods[index - 1].last:
                raise ValueError(f"periods.{index}.from: begins before the period before it ended")
        if self.rounds is not None and self.order != "trade_time":
            raise ValueError("rounds: belong to `order: trade_time`")
        if self.mode in ("automatic", "instant"):
            only = self.stages[0]
            if len(self.stages) > 1 or only.required > 1 or only.publicity_days:
                raise ValueError(f"stages: mode {self.mode} has one stage with one approval and no publicity")
            if self.mode == "automatic" and only.documents:
                raise ValueError("stages: mode automatic demands no documents, as nobody applies")
        if self.basis == "contract_value" and not self.one_claim_per_contract:
            raise ValueError("basis: contract_value demands one_claim_per_contract, or a contract would be paid twice")
        for place, names in (
            ("stages", [stage.name for stage in self.stages]),
            ("eligible and excluded", [rule.code for rule in self.eligible + self.excluded]),
        ):
            if twice := _twice(names):
                raise ValueError(f"{place}: {twice} stands there twice")
        return self


class Policy(Part):
    """A policy file.

    Attributes:
        version: Grows with every change; a programme keeps the version that it was made of.
        group: Programmes of one group pay one invoice once among them (就高不重复).
        documents: What reviewers may ask for, by name.
    """

    policy: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,63}$")]
    version: int = Field(ge=1)
    title: Bilingual
    summary: Bilingual
    group: int = Field(gt=0, lt=2**32)
    sources: tuple[Source, ...]
    defaults: tuple[Default, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    documents: dict[Name, DocumentPart] = Field(default_factory=dict)
    programmes: tuple[ProgrammePart, ...] = Field(min_length=1, max_length=20)

    def programme(self, name: str) -> ProgrammePart:
        """A programme of the policy by its name; KeyError where there is none."""
        for part in self.programmes:
            if part.name == name:
                return part
        raise KeyError(name)

    @model_validator(mode="after")
    def _consistent(self) -> "Policy":
        for place, names in (
            ("programmes", [part.name for part in self.programmes]),
            ("tiers of all programmes", [tier.name for part in self.programmes for tier in part.tiers]),
        ):
            if twice := _twice(names):
                raise ValueError(f"{place}: {twice} stands there twice")
        for path, name in self._demanded_documents():
            if name not in self.documents:
                raise ValueError(f"{path}: {name} is not among the policy's `documents`")
        return self

    def _demanded_documents(self) -> Iterator[tuple[str, str]]:
        for part in self.programmes:
            for stage in part.stages:
                for name in stage.documents:
                    yield f"programmes.{part.name}.stages.{stage.name}.documents", name


def _twice(names: list[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)
