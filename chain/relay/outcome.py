"""What an operation comes to, as JSON: events and gas of a receipt, a contract's refusal, a node's."""

from typing import Any

from chain.abi import AbiError
from chain.contract_error import ContractError
from chain.contracts import Contracts
from chain.jsonable import jsonable


def result_of(receipt: dict[str, Any], contracts: Contracts) -> dict[str, object]:
    """Transaction, block, gas, and the events of our contracts."""
    return {
        "tx_hash": receipt["transactionHash"],
        "block_number": int(receipt["blockNumber"], 16),
        "gas_used": int(receipt["gasUsed"], 16),
        "events": [found for log in receipt["logs"] if (found := _event(log, contracts)) is not None],
    }


def refusal_error(refusal: ContractError) -> dict[str, object]:
    """The contract's named error and its numbers."""
    return {"code": refusal.name, "args": jsonable(refusal.arguments), "message": refusal.message}


def node_error(code: str, message: str) -> dict[str, object]:
    """An error that no contract gave."""
    return {"code": code, "args": {}, "message": message}


def _event(log: dict[str, Any], contracts: Contracts) -> dict[str, object] | None:
    try:
        event = contracts.decode_event(log)
    except AbiError:
        # The indexer parks and reports it; the transaction succeeded all the same.
        return None
    if event is None:
        return None
    return {"contract": event.contract, "event": event.name, "args": jsonable(event.args)}
