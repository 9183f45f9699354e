"""Bodies of programmes."""

from typing import Annotated, Any

from pydantic import Field

from app.schema import HexAddress, OrganisationNumber, Schema


class NewProgramme(Schema):
    """A programme to create as a draft: by a shipped policy's id, or by the text of a policy file.

    Attributes:
        programme: Name of the policy's programme; may be left out where it has one only.
        approvers: Addresses by stage name; left out, the gateway's reviewers, `reviewer-1` for the first stage and on.
    """

    policy: Annotated[str, Field(max_length=64)] | None = None
    policy_yaml: Annotated[str, Field(max_length=200_000)] | None = None
    programme: Annotated[str, Field(max_length=32)] | None = None
    approvers: Annotated[dict[str, list[HexAddress]], Field(default_factory=dict)]


class Listing(Schema):
    """Organisations to list or remove."""

    uscc: Annotated[list[OrganisationNumber], Field(min_length=1, max_length=200)]
    listed: bool = True


class ApproverChange(Schema):
    """An approver to name or to remove.

    Attributes:
        stage: By its name.
        account: Address that signs.
    """

    stage: Annotated[str, Field(max_length=32)]
    account: HexAddress
    approver: bool = True


class BudgetView(Schema):
    """Where a budget stands, in fen."""

    amount_fen: int
    reserved_fen: int
    redeemed_fen: int
    written_off_fen: int
    recovered_fen: int
    available_fen: int


class TierView(Schema):
    """A tier as the chain has it."""

    index: int
    name: str
    period_cap_fen: int | None
    total_cap_fen: int | None
    rate_bps: list[int]


class ProgrammeView(Schema):
    """A programme: terms as published on chain, and where its money stands.

    Attributes:
        programme: Its name in the policy file.
    """

    programme_id: int
    status: str
    policy: str | None
    version: int | None
    programme: str | None
    title: dict[str, str] | None
    policy_hash: str
    policy_uri: str
    group: int
    budgets: list[BudgetView]
    tiers: list[TierView]
    terms: dict[str, Any]


class PolicySummary(Schema):
    """A version of a policy.

    Attributes:
        digest: keccak256 of the file, as it stands on chain; the text is at `/v1/policies/{digest}`.
        programmes: Names of its programmes.
        shipped: Whether it comes with the product.
    """

    policy: str
    version: int
    title: dict[str, str]
    digest: str
    programmes: list[str]
    shipped: bool
