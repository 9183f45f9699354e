"""How a command that goes to the chain is answered."""

from fastapi import Response

from app.operations.schemas import Accepted
from chain.relay.models import Operation


def accepted(response: Response, operation: Operation) -> Accepted:
    """The body of a 202, whose Location says where the outcome will be."""
    response.headers["location"] = f"/v1/operations/{operation.id}"
    return Accepted.of(operation)
