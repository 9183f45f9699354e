"""Puts contract calls into the outbox, and tells what became of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.errors import NotFound
from app.gateway import Gateway
from chain.contracts import ContractName, encode_call
from chain.relay.models import Operation
from chain.relay.outbox import enqueue, get_operation


def submit(
    session: Session,
    gateway: Gateway,
    *,
    kind: str,
    signer: str,
    contract: ContractName,
    function: str,
    args: Sequence[Any] | Mapping[str, Any],
    ref: str | None = None,
    gas_limit: int | None = None,
) -> Operation:
    """Adds a contract call to the outbox, in the transaction of the request: once that commits, the relay will see the
    call through to an effect on chain or to a final refusal.

    Args:
        kind: What it is, in snake_case, for lists and logs.
        signer: Name of the key that sends it, for example `relayer`.
        ref: What it is for: the id of an application, a claim, a batch.
        gas_limit: Gas to give it; estimated by default.
    """
    to = bytes.fromhex(gateway.contracts.addresses[contract].removeprefix("0x"))
    data = encode_call(contract, function, args)
    return enqueue(session, kind=kind, signer=signer, to=to, data=data, ref=ref, gas_limit=gas_limit)


def find(session: Session, operation_id: str) -> Operation:
    """An operation by its id.

    Raises:
        NotFound: There is none.
    """
    operation = get_operation(session, operation_id)
    if operation is None:
        raise NotFound("operation", operation_id)
    return operation
