"""Bodies of operations."""

from typing import Any

from app.schema import Schema
from chain.relay.models import GONE, ChainTransaction, Operation

FINAL = frozenset({"succeeded", *GONE})
"""States in which an operation is answered as an outcome; only a person puts back what failed."""


class OperationView(Schema):
    """An operation as callers see it.

    Attributes:
        status: queued, sent, succeeded, refused (by the contract's rules), failed (could not be put to the contract;
            an operator looks at it) or cancelled.
        result: Of a success: transaction hash, block, gas and decoded events.
        error: Of a refusal: the contract's named error with its numbers.
    """

    operation_id: str
    kind: str
    status: str
    ref: str | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    created_at: int
    updated_at: int

    @classmethod
    def of(cls, operation: Operation) -> "OperationView":
        """The view of a row."""
        return cls(
            operation_id=operation.id,
            kind=operation.kind,
            status=operation.status,
            ref=operation.ref,
            result=operation.result,
            error=operation.error,
            created_at=operation.created_at,
            updated_at=operation.updated_at,
        )


class Accepted(Schema):
    """Answer to a command that goes to the chain.

    Attributes:
        operation_id: Ask `/v1/operations/{operation_id}` what became of it.
        ref: The thing that the command made or changed, where it has an id already.
    """

    operation_id: str
    status: str
    ref: str | None = None

    @classmethod
    def of(cls, operation: Operation) -> "Accepted":
        """The answer for a row that was just added."""
        return cls(operation_id=operation.id, status=operation.status, ref=operation.ref)


class OperationPage(Schema):
    """Operations; `next` is the cursor of the page after."""

    items: list[OperationView]
    next: str | None


class SignedTransaction(Schema):
    """A transaction that was signed for an operation.

    Attributes:
        status: signed, mined, final or dropped (another one under the nonce was mined).
        max_fee_wei: Most wei per gas, or the gas price of a legacy transaction.
        bumps: Replacements before it.
        noop: An empty transfer that only uses up the nonce.
        reverted: Whether it was mined without effect.
    """

    tx_hash: str
    sender: str
    nonce: int
    status: str
    gas_limit: int
    max_fee_wei: int
    bumps: int
    noop: bool
    block_number: int | None
    reverted: bool | None

    @classmethod
    def of(cls, row: ChainTransaction) -> "SignedTransaction":
        """The view of a row."""
        return cls(
            tx_hash=f"0x{row.hash.hex()}",
            sender=f"0x{row.signer.hex()}",
            nonce=row.nonce,
            status=row.status,
            gas_limit=row.gas_limit,
            max_fee_wei=row.max_fee_wei,
            bumps=row.bumps,
            noop=row.noop,
            block_number=row.block_number,
            reverted=row.reverted,
        )


class Attempts(Schema):
    """What was done for an operation.

    Attributes:
        transactions: Under the nonce that carries it now, the oldest first.
        before: Nonces that carried it before without effect.
    """

    operation: OperationView
    signer: str
    deadline_at: int | None
    cancel_asked: bool
    transactions: list[SignedTransaction]
    before: list[dict[str, Any]]
