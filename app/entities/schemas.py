"""Bodies of organisations."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from app.policies.question import Claimant
from app.schema import HexAddress, OrganisationNumber, Region, Schema, UnixSeconds

Kind = Literal["enterprise", "research_institute", "university", "intermediary", "maker", "platform", "supplier"]
RoleName = Literal["buyer", "supplier", "platform"]
StandingName = Literal["good", "dishonest", "tax_blacklisted"]
FROM_REGISTRY = frozenset({"uscc", "kind", "region", "controller", "dishonest", "tax_blacklisted"})
"""Members of a claimant that no officer states beside the registry and the blacklists."""
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewEntity(Schema):
    """An organisation to register.

    Attributes:
        roles: Parts that it may play.
        controller: Name or number of the controlling group; empty where there is none.
        standing_until: Unix seconds until which the standing holds.
        account: Its own account; left out, the gateway keeps one for it.
        evidence_key: A platform's own signing key; left out, the gateway keeps one for it.
    """

    uscc: OrganisationNumber
    name: Text
    kind: Kind
    roles: Annotated[list[RoleName], Field(min_length=1, max_length=3)]
    region: Region
    controller: Annotated[str, Field(max_length=64)] = ""
    standing: StandingName = "good"
    standing_until: UnixSeconds
    account: HexAddress | None = None
    evidence_key: HexAddress | None = None


class NewEntities(Schema):
    """Organisations to register in one transaction."""

    entities: Annotated[list[NewEntity], Field(min_length=1, max_length=100)]


class RowError(Schema):
    """What is wrong in a file: row as a spreadsheet counts, from 1, and the column's field."""

    row: int
    column: str
    rule: str
    detail: str


class ImportView(Schema):
    """What an import did, or would do.

    Attributes:
        rows: Rows below the first that are not empty.
        new: Organisations that are registered by it.
        unchanged: Those that are registered already, and alike.
        errors: The first 1,000 of `error_count`.
        operations: Calls of the registry, a hundred organisations each.
    """

    dry: bool
    rows: int
    new: int
    unchanged: int
    error_count: int
    errors: list[RowError]
    operations: list[str]


class NewStanding(Schema):
    """A standing to record."""

    standing: StandingName
    until: UnixSeconds


class NewFacts(Schema):
    """What an officer confirmed of an organisation, in place of what was confirmed before: members of a quotation's
    claimant, such as `in_zone` or `revenue_prior_year_fen`, beside those that registry and blacklists give."""

    facts: Claimant

    @field_validator("facts")
    @classmethod
    def _not_from_registry(cls, facts: Claimant) -> Claimant:
        if stated := sorted(facts.model_fields_set & FROM_REGISTRY):
            raise PydanticCustomError("from_registry", "{name} is the registry's to say", {"name": stated[0]})
        return facts


class FactsView(Schema):
    """What was confirmed of an organisation, by which API key and when."""

    uscc: str
    facts: dict[str, Any]
    confirmed_by: str
    confirmed_at: int


class Reason(Schema):
    """Why something is done; it goes on chain, so at most 31 ASCII characters."""

    reason: Annotated[str, Field(min_length=1, max_length=31, pattern=r"^[\x20-\x7e]+$")]


class KeyChange(Schema):
    """A key to propose or confirm. `custodial`, of an evidence key: the gateway keeps it."""

    purpose: Literal["account", "evidence"]
    key: HexAddress
    custodial: bool = False


class EntityView(Schema):
    """An organisation: what is known off chain, and what the registry on chain says now."""

    uscc: str
    entity_id: str
    name: str
    kind: str
    region: str
    controller: str
    registered: bool
    account: str | None
    roles: list[str]
    standing: str | None
    standing_until: int | None
    frozen: bool | None
    evidence_key: str | None


class EntityPage(Schema):
    """A page of organisations; `next` is the cursor of the page after it."""

    items: list[EntityView]
    next: str | None
