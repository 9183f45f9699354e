"""Bodies of checks and holds."""

from typing import Annotated, Any, Literal

from pydantic import Field

from app.schema import Schema

CheckCode = Literal[
    "trade-real",
    "scope-match",
    "cross-region",
    "price-fair",
    "standing",
    "related-party",
    "same-trade",
    "stacking",
    "splitting",
    "paid",
    "dates",
    "plausible",
    "gap",
    "circular",
]
HoldState = Literal["open", "released", "rejected"]


class Decision(Schema):
    """Why a hold is released or rejected; kept with who decided."""

    reason: Annotated[str, Field(min_length=3, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


TableName = Literal["blacklists", "capacities", "prices"]


class NewTable(Schema):
    """A CSV file of a table that checks compare with.

    Attributes:
        preview: Say what the rows would do, and do nothing.
    """

    content: Annotated[str, Field(min_length=1, max_length=8_000_000)]
    preview: bool = False


class RowFault(Schema):
    """What is wrong in a row, counted as in a spreadsheet: the header is row 1."""

    row: int
    column: str
    detail: str


class Imported(Schema):
    """What became of a file; with errors nothing is kept, and the first 200 are told."""

    rows: int
    added: int
    changed: int
    unchanged: int
    applied: bool
    errors: list[RowFault]


class OutcomeView(Schema):
    """The outcome of one check.

    Attributes:
        outcome: answer (pass, hold, reject, reduce), code, texts in both languages, numbers.
        inputs: What it rests on; null once the evidence was erased.
    """

    check: str
    version: int
    outcome: dict[str, Any]
    inputs: dict[str, Any] | None


class RunView(Schema):
    """The checks of a claim at one moment, under one version of the rules."""

    id: int
    policy_digest: str
    programme: str
    answer: str
    made_at: int
    outcomes: list[OutcomeView]


class HoldView(Schema):
    """A claim that waits, or waited, for a person, with the findings and what they rest on.

    Attributes:
        passed_at: When it gave up its place in the order of trade time, as nobody decided on it in time.
    """

    id: str
    claim_id: str
    programme_id: int
    voucher_id: int
    evidence_id: str
    state: str
    created_at: int
    passed_at: int | None
    decided_by: str | None
    role: str | None
    reason: str | None
    decided_at: int | None
    findings: list[OutcomeView]


class HoldPage(Schema):
    """A page of holds; `next` is the cursor of the page after it."""

    items: list[HoldView]
    next: str | None


class ClaimChecks(Schema):
    """All that was checked of a claim, and what persons decided."""

    runs: list[RunView]
    holds: list[HoldView]


class AgainView(Schema):
    """One check made again.

    Attributes:
        same: Whether the rules of the day give the outcome that was kept; null where the inputs were erased.
        today: What the newest rules give on the same inputs; null where they turned the check off.
        changed: Whether that differs from what was kept.
    """

    check: str
    version: int
    todays_version: int
    same: bool | None
    today: dict[str, Any] | None
    changed: bool | None


class RerunView(Schema):
    """A run made again, with the rules of its day and with today's."""

    run_id: int
    policy_digest: str
    todays_policy_digest: str
    checks: list[AgainView]
