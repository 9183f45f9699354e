"""Bodies of vouchers and redemptions."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import Field

from app.schema import OrganisationNumber, Region, Schema, UnixSeconds

MAX_AMOUNT_FEN = 2**40 - 1
"""Largest amount of one voucher or redemption on chain, in fen."""

ChainId = Annotated[int, Field(gt=0, lt=2**48)]
"""Number of a voucher or redemption: programmeId × 2³² + serial, exact in JSON."""
PathId = Annotated[int, Path(gt=0, lt=2**48)]
Amount64 = Annotated[int, Field(ge=0, lt=2**63)]


class HistoryItem(Schema):
    """One event of a voucher on chain, with the transaction that anyone can look up."""

    event: str
    tx_hash: str
    block_number: int
    log_index: int
    occurred_at: int | None
    args: dict[str, Any]


class VoucherView(Schema):
    """A voucher as the chain has it.

    Attributes:
        status: issued, partly_redeemed, fully_redeemed, frozen, expired or cancelled; what it is at this moment.
        period: Period whose budget holds the face; null in first-come programmes.
        remaining_fen: Face less redeemed; nothing once it ended.
    """

    voucher_id: int
    programme_id: int
    entity_id: str
    uscc: str | None
    tier: int
    tier_name: str | None
    period: int | None
    status: str
    face_fen: int
    redeemed_fen: int
    written_off_fen: int
    remaining_fen: int
    issued_at: int
    valid_until: int


class VoucherDetail(VoucherView):
    """A voucher with everything that happened to it, oldest first."""

    history: list[HistoryItem]


class VoucherPage(Schema):
    """A page of vouchers; `next` is the cursor of the page after it."""

    items: list[VoucherView]
    next: str | None


class PublicVoucher(Schema):
    """What anybody may know of a voucher: that it exists and whether it can be used; no party, no trade."""

    voucher_id: int
    programme_id: int
    status: str
    face_fen: int
    redeemed_fen: int
    valid_until: int
    chain_id: int
    ledger: str


class RedemptionView(Schema):
    """A redemption as the chain has it.

    Attributes:
        state: provisional, written_off or rejected.
        limit: What cut the subsidy below share × rate: none, support_ceiling, voucher_face, period_cap, total_cap
            or budget.
    """

    redemption_id: int
    voucher_id: int
    programme_id: int
    period: int
    state: str
    amount_fen: int
    recovered_fen: int
    rate_bps: int
    limit: str
    settled_fen: int
    traded_at: int
    buyer_id: str
    buyer_uscc: str | None
    supplier_id: str
    supplier_uscc: str | None
    platform_id: str
    region: str
    settlement_key: str
    leaf: str
    evidence_id: str | None
    payment_ref: str | None
    redeemed_at: int
    written_off_at: int | None
    tx_hash: str


class RedemptionPage(Schema):
    """A page of redemptions; `next` is the cursor of the page after it."""

    items: list[RedemptionView]
    next: str | None


class TradeSketch(Schema):
    """A trade that is not in evidence yet, as far as the rules look at it.

    Attributes:
        buyer: Left out, the holder of the voucher.
    """

    platform: OrganisationNumber
    buyer: OrganisationNumber | None = None
    supplier: OrganisationNumber
    kind: Annotated[str, Field(pattern=r"^(compute|data|deployment|investment|project_cost)$")] = "compute"
    compute_type: Annotated[str, Field(pattern=r"^(none|general|intelligent|super)$")] = "none"
    domestic_chip: bool = False
    buyer_paid: bool = False
    unified_dispatch: bool = False
    region: Region
    traded_at: UnixSeconds
    contract_signed_at: UnixSeconds
    settled_fen: Amount64
    contract_fen: Amount64
    other_support_fen: Amount64 = 0


class ClaimQuoteRequest(Schema):
    """What to quote: either evidence or a sketch of a trade."""

    evidence_id: Annotated[str, Field(pattern=r"^ev_[0-9a-f]{32}$")] | None = None
    trade: TradeSketch | None = None


class Refusal(Schema):
    """Why the contract would refuse: its named error, with the numbers."""

    code: str
    args: dict[str, Any]
    message: str


class ClaimQuoteView(Schema):
    """What the contract would pay now.

    A refusal is an answer to the question, so it comes with 200: `payable` is false and `refused` says why.
    """

    voucher_id: int
    payable: bool
    amount_fen: int
    rate_bps: int | None
    period: int | None
    limit: str | None
    refused: Refusal | None
