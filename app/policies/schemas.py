"""Bodies of quotations."""

from typing import Annotated

from pydantic import Field

from app.policies.question import Question
from app.schema import Schema


class QuoteRequest(Question):
    """What to quote.

    Attributes:
        policy: Id of a shipped policy, the digest that a published one has on chain, or "all" for the best of the
            shipped ones (就高).
    """

    policy: Annotated[str, Field(max_length=66, examples=["zhengzhou-htz"])]


class ReasonView(Schema):
    """A reason; `code` is stable. Codes `unknown.<field>` name what is not known."""

    code: str
    text_zh: str
    text_en: str


class QuotationView(Schema):
    """What a trade is subsidised with.

    Attributes:
        eligible: False if a rule refuses; null if that hangs on what is not known.
        tier: Name of the tier that counts.
        subsidy_fen: 0 where nothing is paid; null where it is not known.
        limited_by: support_ceiling, period_cap, total_cap or budget, if one cut the subsidy.
    """

    policy: str
    version: int | None
    eligible: bool | None
    tier: str | None
    rate_bps: int | None
    subsidy_fen: int | None
    limited_by: str | None
    reasons: list[ReasonView]


class BestView(QuotationView):
    """The best of all policies, and what the others give, best first."""

    runners_up: list[QuotationView]
