"""From receipts to outcomes: what a mined transaction means for each operation that it carried."""

import logging
import time
from collections.abc import Mapping, Sequence

from chain.abi import AbiError, checksum_address, to_bytes
from chain.contract_error import ContractError
from chain.contracts import refusal_of
from chain.rpc import Request, RpcClient, RpcError, RpcUnavailable
from chain.sql import reading

from . import repository
from .equipment import Equipment
from .head import Head
from .lease import Lease, locked
from .models import ChainTransaction, Operation, OperationStatus, TransactionStatus
from .outcome import ItemOutcome, Receipt, node_error, outcomes, refusal_error, result_of
from .parcels import is_repeatable, parcel

_log = logging.getLogger(__name__)

_ATTEMPTS = 3
_MOVED = node_error("StateMoved", "reverted when it was mined, but would not now: the state moved, or its gas ran out")
_SHARED = node_error("SharedTransaction", "the transaction that it shared with others came to nothing")
_CANCELLED = node_error("Cancelled", "given up before it took effect")
_OVERDUE = node_error("DeadlinePassed", "did not take effect before its deadline")
_FOREIGN = node_error("NonceUsedElsewhere", "its nonce was used by a transaction that is not ours")

UNSENDABLE = "NodeRefused"
"""Code of an error where no node took the transaction."""


class Settler:
    """Writes down what receipts say."""

    def __init__(self, equipment: Equipment, *, confirmations: int) -> None:
        """Settle nothing yet.

        Args:
            confirmations: blocks that must hold a transaction, its own included, before its operations end.
        """
        self._sessions = equipment.sessions
        self._rpc = equipment.rpc
        self._contracts = equipment.contracts
        self._confirmations = confirmations

    def settle(
        self, lease: Lease, mined: Sequence[ChainTransaction], receipts: Mapping[bytes, Receipt], head: Head
    ) -> None:
        """Take in the receipts of transactions, of each nonce at most one."""
        if not mined:
            return
        refusals = self._refusals(mined, receipts, head)
        with self._sessions.begin() as session:
            locked(session, lease)
            nonces = [row.nonce for row in mined]
            members = repository.carried(session, lease.address, nonces, lock=True)
            by_hash = {row.hash: row for row in repository.siblings(session, lease.address, nonces)}
            for row in by_hash.values():
                if row.status == TransactionStatus.SIGNED and row.hash not in receipts:
                    row.status = TransactionStatus.DROPPED
            for row in (by_hash[one.hash] for one in mined):
                receipt = receipts[row.hash]
                row.status = TransactionStatus.MINED
                row.block_number, row.block_hash = place_of(receipt)
                row.reverted = receipt["status"] != "0x1"
                # A receipt may be there before the state of its block is; what depends on it must not be simulated yet.
                if head.number - int(receipt["blockNumber"], 16) + 1 >= self._confirmations:
                    sent = [one for one in members.get(row.nonce, ()) if one.status == OperationStatus.SENT]
                    self._end(row, sent, receipt, refusals.get(row.hash))

    def give_up(self, lease: Lease, nonces: Sequence[int]) -> None:
        """Queue anew what nonces carried that were used by transactions which are not ours."""
        if not nonces:
            return
        with self._sessions.begin() as session:
            locked(session, lease)
            for row in repository.siblings(session, lease.address, nonces):
                row.status = TransactionStatus.DROPPED
            for members in repository.carried(session, lease.address, nonces, lock=True).values():
                for operation in members:
                    _log.warning(
                        "nonce %d of 0x%s was used without us; %s waits anew",
                        operation.nonce,
                        lease.address.hex(),
                        operation.id,
                    )
                    _again(operation, _FOREIGN, None)

    def _end(
        self, row: ChainTransaction, members: list[Operation], receipt: Receipt, refusal: ContractError | None
    ) -> None:
        """End the operations of a transaction that has its confirmations."""
        if not members:
            return
        if row.noop:
            _undone(members, receipt)
        elif row.reverted:
            _reverted(members, receipt, refusal)
        else:
            try:
                found = outcomes(receipt, members, self._contracts)
            except AbiError as error:
                for operation in members:
                    text = node_error("UnreadableLog", str(error))
                    repository.finish(operation, OperationStatus.FAILED, result=result_of(receipt), error=text)
            else:
                for operation, outcome in zip(members, found, strict=True):
                    _carried_out(operation, outcome)
        for operation in members:
            reason = "" if operation.error is None else f": {operation.error['message']}"
            _log.info(
                "%s %s in block %d (%s)%s", operation.id, operation.status, row.block_number, operation.kind, reason
            )

    def _refusals(
        self, mined: Sequence[ChainTransaction], receipts: Mapping[bytes, Receipt], head: Head
    ) -> dict[bytes, ContractError]:
        """Why transactions reverted that were simulated well: the call replayed on the state they left."""
        reverted = [
            row
            for row in mined
            if not row.noop
            and receipts[row.hash]["status"] != "0x1"
            and int(receipts[row.hash]["blockNumber"], 16) <= head.number
        ]
        if not reverted:
            return {}
        with reading(self._sessions) as session:
            members = repository.carried(session, reverted[0].signer, [row.nonce for row in reverted])
        requests: list[Request] = []
        asked = [row for row in reverted if row.nonce in members]
        for row in asked:
            call = parcel(members[row.nonce])
            fields = {
                "from": checksum_address(row.signer),
                "to": checksum_address(call.to),
                "data": "0x" + call.data.hex(),
                "gas": hex(row.gas_limit),
            }
            requests.append(("eth_call", (fields, receipts[row.hash]["blockNumber"])))
        found = {}
        for row, answer in zip(asked, self._rpc.batch(requests), strict=True):
            refusal = refusal_of(answer) if isinstance(answer, RpcError) else None
            if refusal is not None:
                found[row.hash] = refusal
        return found


def receipts_of(rpc: RpcClient, rows: Sequence[ChainTransaction]) -> dict[bytes, Receipt]:
    """Receipts by transaction hash, where there is one.

    Raises:
        RpcError, RpcUnavailable: the node does not say.
    """
    requests: list[Request] = [("eth_getTransactionReceipt", ("0x" + row.hash.hex(),)) for row in rows]
    found: dict[bytes, Receipt] = {}
    for row, answer in zip(rows, rpc.batch(requests), strict=True):
        if isinstance(answer, RpcError):
            raise RpcUnavailable(f"no receipts: {answer}") from answer
        if answer is not None and answer.get("blockHash") is not None:
            found[row.hash] = answer
    return found


def place_of(receipt: Receipt | None) -> tuple[int | None, bytes | None]:
    """Number and hash of the block that a receipt names."""
    if receipt is None:
        return None, None
    return int(receipt["blockNumber"], 16), to_bytes(receipt["blockHash"])


def expire(operation: Operation) -> None:
    """End a queued operation whose deadline passed."""
    repository.finish(operation, OperationStatus.CANCELLED, error=_OVERDUE)
    _log.info("%s %s (%s): %s", operation.id, operation.status, operation.kind, _OVERDUE["message"])


def cancel_now(operation: Operation) -> None:
    """End an operation that is certain to have no effect."""
    repository.finish(operation, OperationStatus.CANCELLED, result=operation.result, error=_CANCELLED)


def _carried_out(operation: Operation, outcome: ItemOutcome) -> None:
    refusal = outcome.refusal
    if refusal is None:
        repository.finish(operation, OperationStatus.SUCCEEDED, result=outcome.result)
    elif refusal.data:
        error = refusal_error(refusal)
        repository.finish(operation, OperationStatus.REFUSED, result=outcome.result, error=error)
    else:
        # An item without a reason ran out of gas; alone it is simulated, and gets what it needs.
        _again(operation, refusal_error(refusal), str(outcome.result["tx_hash"]))


def _reverted(members: list[Operation], receipt: Receipt, refusal: ContractError | None) -> None:
    tx_hash = str(receipt["transactionHash"])
    for operation in members:
        if len(members) > 1:
            _again(operation, _SHARED if refusal is None else refusal_error(refusal), tx_hash)
        elif refusal is not None:
            error = refusal_error(refusal)
            repository.finish(operation, OperationStatus.REFUSED, result=result_of(receipt), error=error)
        elif is_repeatable(operation) and len(operation.attempts) < _ATTEMPTS:
            _again(operation, _MOVED, tx_hash)
        else:
            repository.finish(operation, OperationStatus.FAILED, result=result_of(receipt), error=_MOVED)


def _undone(members: list[Operation], receipt: Receipt) -> None:
    """A no-op was mined in place of the call."""
    result = result_of(receipt)
    for operation in members:
        error = operation.error
        if len(members) > 1:
            _again(operation, _SHARED if error is None else error, str(receipt["transactionHash"]))
        elif operation.cancel_asked:
            repository.finish(operation, OperationStatus.CANCELLED, result=result, error=_CANCELLED)
        elif _is_overdue(operation):
            repository.finish(operation, OperationStatus.CANCELLED, result=result, error=_OVERDUE)
        elif error is not None and error["code"] != UNSENDABLE:
            repository.finish(operation, OperationStatus.REFUSED, result=result, error=error)
        else:
            text = node_error(UNSENDABLE, "no node took the transaction; its nonce was used up without effect")
            repository.finish(operation, OperationStatus.FAILED, result=result, error=error or text)


def _again(operation: Operation, error: dict[str, object], tx_hash: str | None) -> None:
    """Queue an operation anew, unless nobody wants it any more."""
    if operation.cancel_asked:
        repository.finish(operation, OperationStatus.CANCELLED, error=_CANCELLED)
    elif _is_overdue(operation):
        repository.finish(operation, OperationStatus.CANCELLED, error=_OVERDUE)
    else:
        repository.put_back(operation, error, tx_hash)


def _is_overdue(operation: Operation) -> bool:
    return operation.deadline_at is not None and operation.deadline_at <= time.time()
