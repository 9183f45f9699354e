"""Bodies of operations."""

from typing import Any

from app.schema import Schema
from chain.relay.models import Operation

FINAL = frozenset({"succeeded", "refused", "failed"})
"""States that do not change any more."""


class OperationView(Schema):
    """An operation as callers see it.

    Attributes:
        status: queued, sent, succeeded, refused (by the contract's rules) or failed.
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
