"""Bodies of orders."""

from typing import Annotated, Literal

from pydantic import Field

from app.policies.model import NO_CAP, Kind
from app.policies.question import Amount, Day
from app.schema import OrganisationNumber, Schema

OrderFen = Annotated[int, Field(gt=0, lt=NO_CAP)]
OrderState = Literal["granted", "refused", "incomplete"]


class NewOrder(Schema):
    """What an organisation is going to buy on a platform.

    Attributes:
        number: The platform's own number of the order.
        platform: Left out, the caller's.
        amount_fen: What it will cost as far as is known now; the voucher's face follows from it.
        contract_fen: Value of the agreement, where it differs.
        contract_signed_on: Left out, today.
        other_support_fen: Public support from elsewhere for it.
    """

    number: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
    programme_id: Annotated[int, Field(ge=1, le=65535)]
    platform: OrganisationNumber | None = None
    buyer: OrganisationNumber
    supplier: OrganisationNumber
    kind: Kind = "compute"
    compute_type: Literal["none", "general", "intelligent", "super"] = "none"
    domestic_chip: bool = False
    amount_fen: OrderFen
    contract_fen: OrderFen | None = None
    contract_signed_on: Day | None = None
    other_support_fen: Amount = 0


class ReasonView(Schema):
    """A reason with a stable code."""

    code: str
    text_zh: str
    text_en: str


class OrderView(Schema):
    """An order and what came of it.

    Attributes:
        state: granted, refused, or incomplete while officers must confirm what is `missing`.
        voucher_id, tier, face_fen: Of the voucher that is issued for it; null while it is not granted.
        issued: Whether the voucher is on chain; `voucher.issued` tells it too.
    """

    id: str
    number: str
    platform: str
    programme_id: int
    buyer: str
    state: str
    application_id: str | None
    voucher_id: int | None
    tier: str | None
    face_fen: int | None
    issued: bool
    reasons: list[ReasonView]
    missing: list[str]
    created_at: int
    decided_at: int


class OrderPage(Schema):
    """A page of orders; `next` is the cursor of the page after it."""

    items: list[OrderView]
    next: str | None
