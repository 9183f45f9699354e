"""What is answered about applications."""

from typing import Any

from app.schema import Schema


class StageProgress(Schema):
    """How far a stage is.

    Attributes:
        approvals: Addresses that approved.
        approvers: Addresses that may approve.
    """

    index: int
    name: str
    title: dict[str, str] | None
    required: int
    approvals: list[str]
    approvers: list[str]


class ApplicationView(Schema):
    """An application and how far it is.

    Attributes:
        state: submitted, under_review, clarification (an answer of the applicant is awaited), publicity, approved,
            rejected, appealed, withdrawn, issued or refused (by the contract).
        stage: Index of the stage that it waits in; the number of stages when all approved.
        voucher_id: Number that the voucher has, or would have.
        publicity_until: Unix seconds until which it is on public display.
        appeal_until: Unix seconds until which the rejection can be appealed.
    """

    id: str
    programme_id: int
    uscc: str
    entity_id: str
    tier: str
    face_fen: int
    voucher_id: int
    valid_until: int
    period: int | None
    documents: list[dict[str, Any]]
    documents_digest: str
    facts: dict[str, Any]
    state: str
    stage: int
    stages: list[StageProgress]
    reason_code: str | None
    reason: str | None
    publicity_until: int | None
    appeal_until: int | None
    operation_id: str | None
    error: dict[str, Any] | None
    created_at: int
    updated_at: int


class StepView(Schema):
    """What was done: `state` and `stage` are those after it; `actor` is empty for the service itself."""

    at: int
    action: str
    before: str | None
    state: str
    stage: int
    actor: str
    role: str
    signer: str | None
    note: str | None


class ExchangeView(Schema):
    """A question (clarification), an objection or an appeal; `outcome` is null while it is open."""

    kind: str
    number: int
    stage: int
    text: str
    raised_by: str
    raised_at: int
    outcome: str | None
    reply: str | None
    replied_by: str | None
    replied_at: int | None


class StageTime(Schema):
    """Time spent in a stage, in seconds.

    Attributes:
        due_at: Until when the stage under review is to be decided; null where the policy names no days, and while the
            clock stands still.
    """

    index: int
    review_s: int
    clarification_s: int
    publicity_s: int
    due_at: int | None
    overdue: bool


class MayAct(Schema):
    """Who may do what now: a role, and the addresses where only they may."""

    action: str
    role: str
    addresses: list[str] | None


class ApplicationDetail(ApplicationView):
    """An application with its whole history.

    Attributes:
        progress: Stage n of m: `{"stage": n, "stages": m}`, counted from 1.
        finding: What the rules of the policy say of the applicant: `admits` for the tier applied for, `tiers` that fit,
            `refusals`, what is `missing`, and which facts are `stated` by the applicant alone. Binds no reviewer.
    """

    progress: dict[str, int]
    finding: dict[str, Any] | None
    may_act: list[MayAct]
    times: list[StageTime]
    history: list[StepView]
    exchanges: list[ExchangeView]


class ApplicationPage(Schema):
    """A page of applications; `next` is the cursor of the page after it."""

    items: list[ApplicationView]
    next: str | None


class ApprovalData(Schema):
    """What a reviewer signs outside, for `eth_signTypedData_v4`.

    Attributes:
        digest: The 32 bytes that the signature is over, to compare.
    """

    typed_data: dict[str, Any]
    digest: str


class ManifestFile(Schema):
    """What the `documents` digest of a voucher commits to, for `suanquan documents`."""

    chain_id: int
    ledger: str
    voucher_id: int
    digest: str
    manifest: dict[str, Any]


class Displayed(Schema):
    """An application on public display. Of makers, who are natural persons, the name is cut and the number left out."""

    application_id: str
    programme_id: int
    organisation: str
    uscc: str | None
    tier: str
    face_fen: int
    until: int


class FormDocument(Schema):
    """A document that a stage demands."""

    name: str
    title: dict[str, str]
    types: list[str]


class FormStage(Schema):
    """A stage of review.

    Attributes:
        days: Working days within which it is decided.
    """

    name: str
    title: dict[str, str]
    required: int
    approvers: str
    days: int | None
    clarification_stops_clock: bool
    publicity_days: int
    documents: list[FormDocument]


class Form(Schema):
    """What an application to a programme holds.

    Attributes:
        facts: JSON Schema of the facts that the programme's conditions ask for. What is not stated is not known.
        reasons: Codes of rejection with their texts.
    """

    programme_id: int
    open: bool
    opens_at: int
    claims_until: int
    tiers: list[dict[str, Any]]
    facts: dict[str, Any]
    stages: list[FormStage]
    appeal_days: int
    reasons: dict[str, dict[str, str]]


class Spent(Schema):
    """Time that applications spent in something, in seconds; of those that were in it."""

    applications: int
    mean_s: int
    longest_s: int


class StageReport(Schema):
    """A stage over all applications of a programme."""

    index: int
    name: str
    waiting: int
    overdue: int
    review: Spent
    clarification: Spent
    publicity: Spent


class ProgressReport(Schema):
    """Approval progress of a programme."""

    programme_id: int
    at: int
    applications: int
    states: dict[str, int]
    stages: list[StageReport]
