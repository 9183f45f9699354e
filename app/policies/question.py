"""What a quotation is asked about: who buys, what is bought, and what was paid before.

A member that is left out is not known, and is answered so. Null says the same, but for the members of which it says
that there is none: `settled_in_zone_on`, `leads_project`, `agreement_rate_bps`, `controller` and `platform`.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.policies.model import NO_CAP, Kind
from app.policies.terms import CHINA
from app.schema import OrganisationNumber, Region, Schema

Amount = Annotated[int, Field(ge=0, lt=NO_CAP)]
Text = Annotated[str, Field(min_length=1, max_length=64)]


def _day(value: str) -> str:
    try:
        same = date.fromisoformat(value).isoformat() == value
    except ValueError:
        same = False
    if not same:  # ISO 8601 has weeks and short forms too
        raise PydanticCustomError("day", "not a calendar day such as 2025-03-01")
    return value


def _instant(value: object) -> object:
    """Unix seconds of an ISO 8601 text; numbers pass through."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError(
            "instant", "not a time such as 2025-06-01T10:00:00+08:00, and not a number of Unix seconds"
        ) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=CHINA)).timestamp())


Day = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
"""A calendar day of China Standard Time, "2025-03-01"."""
Instant = Annotated[
    int,
    BeforeValidator(_instant),
    Field(ge=0, lt=2**32),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}]}),
]
"""ISO 8601, or Unix seconds. Without an offset it is China Standard Time, a day alone its first second."""


class Claimant(Schema):
    """An organisation that asks (申领主体).

    Attributes:
        settled_in_zone_on: Day on which it settled in the zone; null if it did not newly settle.
        leads_project: Null if it leads none.
        agreement_rate_bps: Rate of a separate agreement; null or left out where none is presented.
        controller: Who controls it; null if nobody does.
    """

    uscc: OrganisationNumber | None = None
    kind: Literal["enterprise", "research_institute", "university", "intermediary", "maker"] | None = None
    region: Region | None = None
    in_zone: bool | None = None
    revenue_prior_year_fen: Amount | None = None
    compute_spend_prior_year_fen: Amount | None = None
    settled_in_zone_on: Day | None = None
    large_model_filed: bool | None = None
    double_first_class: bool | None = None
    leads_project: Literal["national", "provincial"] | None = None
    agreement_rate_bps: Annotated[int, Field(ge=0, le=10_000)] | None = None
    controller: Text | None = None
    dishonest: bool | None = None
    tax_blacklisted: bool | None = None


class Supplier(Schema):
    """Who delivers.

    Attributes:
        region: Place of delivery.
        controller: Who controls it; null if nobody does.
        listed: Whether it is on the programme's list (入库/备案).
    """

    uscc: OrganisationNumber | None = None
    region: Region | None = None
    controller: Text | None = None
    listed: bool | None = None


class Trade(Schema):
    """What is bought.

    Attributes:
        platform: Platform that settles it, by the name that the policy gives it; null for none.
        price_fair: Whether the price at signing lies within the fair range of the market.
        paid: Whether the buyer has paid its own share.
        other_support_fen: Public support from elsewhere for the same trade.
    """

    kind: Kind | None = None
    compute_type: Literal["none", "general", "intelligent", "super"] | None = None
    domestic_chip: bool | None = None
    settled_fen: Amount | None = None
    contract_fen: Amount | None = None
    contract_id: Text | None = None
    contract_signed_on: Day | None = None
    traded_at: Instant | None = None
    platform: Text | None = None
    supplier: Supplier = Supplier()
    price_fair: bool | None = None
    paid: bool | None = None
    other_support_fen: Amount | None = None


class Used(Schema):
    """What was paid before.

    Attributes:
        entity_period_fen: To the claimant under the programme, in the period of the trade.
        entity_total_fen: The same over all periods.
        programme_period_fen: Taken by all from the budget that this period draws on.
    """

    entity_period_fen: Amount | None = None
    entity_total_fen: Amount | None = None
    programme_period_fen: Amount | None = None


NOTHING_USED = Used(entity_period_fen=0, entity_total_fen=0, programme_period_fen=0)


class Question(Schema):
    """What a quotation is asked about.

    Attributes:
        used: Left out, nothing was paid before: the quotation is for the first claim of a fresh programme.
    """

    claimant: Claimant
    trade: Trade
    used: Used | None = None


class QuestionError(ValueError):
    """A question that breaks a rule.

    Attributes:
        errors: `{"pointer": JSON pointer, "rule": name, "detail": text}` for each member.
    """

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{one['pointer']}: {one['detail']} (rule {one['rule']})" for one in errors))
        self.errors = errors


def ask(content: dict[str, Any]) -> Question:
    """The question in a decoded JSON object.

    Raises:
        QuestionError: a member is unknown or breaks a rule.
    """
    try:
        return Question.model_validate(content)
    except ValidationError as error:
        raise QuestionError(
            [
                {"pointer": "".join(f"/{part}" for part in item["loc"]), "rule": item["type"], "detail": item["msg"]}
                for item in error.errors()
            ]
        ) from error
