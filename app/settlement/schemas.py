"""Bodies of settlement."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.entities.schemas import Reason
from app.schema import Schema
from app.vouchers.schemas import MAX_AMOUNT_FEN, ChainId

BATCH = 50
"""Redemptions written off in one transaction at most."""


def _check_reference(value: str) -> str:
    if value.startswith("0x"):
        digits = value[2:]
        if len(digits) == 64 and all(c in "0123456789abcdefABCDEF" for c in digits) and int(digits, 16):
            return value
    elif 1 <= len(value) <= 31 and all("\x21" <= c <= "\x7e" for c in value):
        return value
    raise PydanticCustomError("reference", "1 to 31 printable ASCII characters, or 0x and 64 hex digits, not all zero")


Reference = Annotated[str, AfterValidator(_check_reference), Field(max_length=66, examples=["PAY-2026-0117"])]
"""A payment or recovery reference as it stands on chain: short ASCII, or 32 bytes of hex."""


def reference_bytes(value: str) -> bytes:
    """The bytes32 of a reference."""
    return bytes.fromhex(value[2:]) if value.startswith("0x") else value.encode("ascii").ljust(32, b"\0")


class NewWriteOff(Schema):
    """Redemptions to settle against one payment, all or none."""

    redemption_ids: Annotated[list[ChainId], Field(min_length=1, max_length=BATCH)]
    payment_ref: Reference


class NewRejection(Reason):
    """Why a redemption is undone.

    Attributes:
        bar_trade: The trade itself is bad and stays used; false where it may be claimed again.
    """

    bar_trade: bool


class NewRecovery(Schema):
    """Money claimed back after payment."""

    amount_fen: Annotated[int, Field(gt=0, le=MAX_AMOUNT_FEN)]
    reference: Reference


class LedgerLine(Schema):
    """What one programme owes and paid a supplier, in fen.

    Attributes:
        owed_fen: Redeemed and not yet written off.
        settled_fen: Written off.
        rejected_fen: Undone before payment.
        recovered_fen: Claimed back after payment.
        net_fen: settled − recovered.
    """

    programme_id: int
    redemptions: int
    owed_fen: int
    settled_fen: int
    rejected_fen: int
    recovered_fen: int
    net_fen: int


class SupplierLedger(Schema):
    """The reserve ledger (备用金) of a supplier."""

    uscc: str
    entity_id: str
    owed_fen: int
    settled_fen: int
    rejected_fen: int
    recovered_fen: int
    net_fen: int
    programmes: list[LedgerLine]
