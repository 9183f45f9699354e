"""What an operation comes to, as JSON: events and gas of a receipt, a contract's refusal, a node's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chain.abi import AbiError
from chain.contract_error import ContractError
from chain.contracts import Contracts, Event, decode_error
from chain.jsonable import jsonable

from .models import Operation
from .parcels import Merge, merge_of

Receipt = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What one operation of a mined transaction came to.

    Attributes:
        result: transaction, block, gas and events of this operation alone.
        refusal: why the contract refused it in a transaction that went through.
    """

    result: dict[str, object]
    refusal: ContractError | None


def outcomes(receipt: Receipt, operations: Sequence[Operation], contracts: Contracts) -> list[ItemOutcome]:
    """What each operation of a transaction that succeeded came to, in order.

    Gas of a shared transaction is divided evenly, so that the sum over operations is what was paid.

    Raises:
        AbiError: the log does not hold one part for each operation, so these contracts are not ours.
    """
    events = [found for log in receipt["logs"] if (found := _event(log, contracts)) is not None]
    count, merge = len(operations), merge_of(operations)
    if merge is None:
        return [ItemOutcome(result_of(receipt, events), None)]
    parts = _parts(events, operations, merge)
    if len(parts) != count:
        raise AbiError(f"{merge.function} of {count} logged {len(parts)} outcomes")
    share, rest = divmod(int(receipt["gasUsed"], 16), count)
    items = []
    for place, part in enumerate(parts):
        reported = next((event for event in part if event.name == merge.refused), None)
        result = result_of(receipt, part)
        result["gas_used"] = share + (rest if place == 0 else 0)
        result["shared_with"] = count - 1
        items.append(ItemOutcome(result, None if reported is None else decode_error(reported.args["reason"])))
    return items


def result_of(receipt: Receipt, events: Sequence[Event] = ()) -> dict[str, object]:
    """Transaction, block and gas, with the events that count."""
    return {
        "tx_hash": receipt["transactionHash"],
        "block_number": int(receipt["blockNumber"], 16),
        "gas_used": int(receipt["gasUsed"], 16),
        "events": [{"contract": event.contract, "event": event.name, "args": jsonable(event.args)} for event in events],
    }


def refusal_error(refusal: ContractError) -> dict[str, object]:
    """The contract's named error and its numbers."""
    return {"code": refusal.name, "args": jsonable(refusal.arguments), "message": refusal.message}


def node_error(code: str, message: str) -> dict[str, object]:
    """An error that no contract gave."""
    return {"code": code, "args": {}, "message": message}


def _parts(events: Sequence[Event], operations: Sequence[Operation], merge: Merge) -> list[list[Event]]:
    """The events of each operation: an item begins with one of the merge's events, or has one for each of its items."""
    parts: list[list[Event]] = []
    if not merge.starts:
        rest = list(events)
        for operation in operations:
            count = merge.items(operation.data)
            part, rest = rest[:count], rest[count:]
            parts.append(part)
        return parts if not rest else []
    for event in events:
        if event.name in merge.starts:
            parts.append([])
        if parts:
            parts[-1].append(event)
    return parts


def _event(log: dict[str, Any], contracts: Contracts) -> Event | None:
    try:
        return contracts.decode_event(log)
    except AbiError:
        # The indexer parks and reports it; the transaction succeeded all the same.
        return None
