"""Bodies of claims."""

from typing import Annotated, Any

from pydantic import Field

from app.schema import Schema
from app.vouchers.schemas import ChainId

MAX_ITEMS = 1_000


class NewClaim(Schema):
    """A voucher to use for a trade in evidence."""

    voucher_id: ChainId
    evidence_id: Annotated[str, Field(pattern=r"^ev_[0-9a-f]{32}$")]


class NewClaims(Schema):
    """Claims to take, all or none."""

    items: Annotated[list[NewClaim], Field(min_length=1, max_length=MAX_ITEMS)]


class ClaimView(Schema):
    """A claim and what became of it.

    Attributes:
        state: waiting, presented (in a transaction), redeemed, refused (by the contract), rejected (by a finance
            officer after redemption), or held (for a person).
        code: Name of the contract's error where it was refused; `detail` its numbers.
    """

    id: str
    voucher_id: int
    programme_id: int
    evidence_id: str
    traded_at: int
    state: str
    operation_id: str | None
    redemption_id: int | None
    code: str | None
    detail: dict[str, Any] | None
    created_at: int
    updated_at: int


class ClaimPage(Schema):
    """A page of claims; `next` is the cursor of the page after it."""

    items: list[ClaimView]
    next: str | None


class RoundView(Schema):
    """A round: the claims on the trades of one day of China Standard Time.

    Attributes:
        state: collecting (it has not begun), running (claims wait, are in a transaction or before a person) or done.
        redeemed, paid_fen: Redemptions that stand, and what they come to.
        in_part: Of these, how many were cut as the budget was used up.
    """

    day: str
    begins_at: int
    state: str
    waiting: int
    presented: int
    held: int
    redeemed: int
    refused: int
    rejected: int
    in_part: int
    paid_fen: int


class RoundPage(Schema):
    """A page of rounds, by day; `next` is the cursor of the page after it."""

    items: list[RoundView]
    next: str | None


class TakenClaims(Schema):
    """Claims in the order of the request; one that was made before stands as it is."""

    items: list[ClaimView]
