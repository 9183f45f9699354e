"""From broadcast to final: receipts, confirmations, reorganisations, and transactions that are stuck."""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from chain.abi import checksum_address, to_bytes
from chain.contract_error import ContractError
from chain.contracts import Contracts, refusal_of
from chain.keys import Signer
from chain.rpc import Request, RpcClient, RpcError, RpcUnavailable

from . import repository
from .broadcaster import Broadcaster
from .fees import Fees, market_fees
from .head import Head
from .lease import Lease, locked
from .models import ChainTransaction, Operation, OperationStatus, TransactionStatus
from .node_errors import NodeRefusal
from .outcome import node_error, refusal_error, result_of
from .sender import sign

_log = logging.getLogger(__name__)

_RECEIPTS_AT_ONCE = 200
_NOOP_GAS = 21_000
_UNSENDABLE = (NodeRefusal.OTHER, NodeRefusal.REVERTED)
Receipt = dict[str, Any]


class Tracker:
    """Follows the signed transactions of one key at a time."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        rpc: RpcClient,
        contracts: Contracts,
        broadcaster: Broadcaster,
        *,
        confirmations: int,
        finality_depth: int,
        stuck_after: float,
        lost_after: float,
        max_bumps: int,
    ) -> None:
        """Follow nothing yet.

        Args:
            confirmations: blocks that must hold a transaction, its own included, before its operation ends.
            finality_depth: blocks after which a transaction is not watched any more.
            stuck_after: seconds until fees are raised; each raise doubles the wait.
            lost_after: seconds until a nonce that was used by none of our transactions counts as somebody else's.
            max_bumps: raises at most.
        """
        self._sessions = sessions
        self._rpc = rpc
        self._contracts = contracts
        self._broadcaster = broadcaster
        self._confirmations = confirmations
        self._finality_depth = finality_depth
        self._stuck_after = stuck_after
        self._lost_after = lost_after
        self._max_bumps = max_bumps
        self._missing_since: dict[tuple[bytes, int], float] = {}
        self._final_up_to: dict[bytes, int] = {}

    def follow(self, lease: Lease, signer: Signer, head: Head, mined_nonces: int, *, recheck: bool) -> tuple[bool, int]:
        """Bring what is known of the key's transactions up to date.

        Args:
            mined_nonces: the key's transaction count on the chain.
            recheck: look up mined transactions again, as the chain may have changed behind them.

        Returns:
            Whether anything changed, and the number of nonces in flight.

        Raises:
            RpcError, RpcUnavailable, LeaseLost.
        """
        changed = self._recheck(lease) if recheck else False
        with self._sessions() as session:
            rows = repository.open_transactions(session, lease.address)
            waiting = repository.mined_unfinished(session, lease.address, head.number - self._confirmations + 1)
        used = [row for row in rows if row.nonce < mined_nonces]
        changed |= self._collect(lease, [*waiting, *used][:_RECEIPTS_AT_ONCE], head)
        pending = [row for row in rows if row.nonce >= mined_nonces]
        self._resend(pending)
        self._unstick(lease, signer, head, pending, mined_nonces)
        self._make_final(lease, head)
        return changed, len({row.nonce for row in rows})

    def _recheck(self, lease: Lease) -> bool:
        """Look up the receipts of mined transactions again: what lost its block goes back to the node, same bytes."""
        with self._sessions() as session:
            rows = repository.mined(session, lease.address)
        changed = False
        for start in range(0, len(rows), _RECEIPTS_AT_ONCE):
            part = rows[start : start + _RECEIPTS_AT_ONCE]
            receipts = self._receipts(part)
            moved = [row for row in part if _place(receipts.get(row.hash)) != (row.block_number, row.block_hash)]
            if moved:
                self._orphan(lease, moved)
                changed = True
        return changed

    def _orphan(self, lease: Lease, rows: Sequence[ChainTransaction]) -> None:
        with self._sessions.begin() as session:
            locked(session, lease)
            operations = repository.operations_by_id(session, {row.operation_id for row in rows})
            for detached in rows:
                row = session.get_one(ChainTransaction, detached.id)
                row.status, row.waiting_since = TransactionStatus.SIGNED, time.time()
                row.block_number = row.block_hash = row.reverted = None
                repository.set_siblings(session, row, TransactionStatus.DROPPED, TransactionStatus.SIGNED)
                repository.finish(operations[row.operation_id], OperationStatus.SENT)
                self._broadcaster.forget(row.hash)
                _log.warning("0x%s lost its block in a reorganisation; sending it again", row.hash.hex())

    def _collect(self, lease: Lease, rows: Sequence[ChainTransaction], head: Head) -> bool:
        """Take in the receipts of transactions whose nonce is used."""
        if not rows:
            return False
        receipts = self._receipts(rows)
        refusals = self._refusals(rows, receipts, head)
        by_nonce: dict[int, list[ChainTransaction]] = defaultdict(list)
        for row in rows:
            by_nonce[row.nonce].append(row)
        found = {nonce: next((row for row in many if row.hash in receipts), None) for nonce, many in by_nonce.items()}
        lost = [
            nonce
            for nonce, row in found.items()
            # What was mined once and is not now was orphaned: `_recheck` has it.
            if row is None
            and all(one.status == TransactionStatus.SIGNED for one in by_nonce[nonce])
            and self._is_lost(lease.address, nonce)
        ]
        settled = [row for row in found.values() if row is not None]
        if not settled and not lost:
            return False
        with self._sessions.begin() as session:
            locked(session, lease)
            operations = repository.operations_by_id(session, {row.operation_id for row in rows})
            for detached in settled:
                row = session.get_one(ChainTransaction, detached.id)
                self._settle(
                    session,
                    row,
                    operations[row.operation_id],
                    receipt=receipts[row.hash],
                    refusals=refusals,
                    head=head,
                )
            for nonce in lost:
                for detached in by_nonce[nonce]:
                    row = session.get_one(ChainTransaction, detached.id)
                    self._give_up_nonce(row, operations[row.operation_id])
        return True

    def _settle(
        self,
        session: Session,
        row: ChainTransaction,
        operation: Operation,
        *,
        receipt: Receipt,
        refusals: dict[bytes, ContractError | None],
        head: Head,
    ) -> None:
        row.status = TransactionStatus.MINED
        row.block_number, row.block_hash = _place(receipt)
        row.reverted = receipt["status"] != "0x1"
        self._missing_since.pop((row.signer, row.nonce), None)
        repository.set_siblings(session, row, TransactionStatus.SIGNED, TransactionStatus.DROPPED)
        assert row.block_number is not None  # noqa: S101 - a receipt has its block
        # A receipt may be there before the state of its block is; what depends on it must not be simulated yet.
        if head.number - row.block_number + 1 < self._confirmations:
            return
        result = result_of(receipt, self._contracts)
        if row.noop:
            refused = node_error("NodeRefused", "no node took the transaction; its nonce was used up without effect")
            repository.finish(operation, OperationStatus.FAILED, result=result, error=refused)
        elif not row.reverted:
            repository.finish(operation, OperationStatus.SUCCEEDED, result=result)
        elif (refusal := refusals[row.hash]) is not None:
            repository.finish(operation, OperationStatus.REFUSED, result=result, error=refusal_error(refusal))
        else:
            text = "reverted when it was mined, but would not now: the state moved, or its gas ran out"
            repository.finish(operation, OperationStatus.FAILED, result=result, error=node_error("StateMoved", text))
        _log.info("%s %s in block %d (%s)", operation.id, operation.status, row.block_number, operation.kind)

    def _refusals(
        self, rows: Sequence[ChainTransaction], receipts: dict[bytes, Receipt], head: Head
    ) -> dict[bytes, ContractError | None]:
        """Why transactions reverted that were simulated well: the call replayed on the state they left."""
        reverted = [
            row
            for row in rows
            if (receipt := receipts.get(row.hash)) is not None
            and receipt["status"] != "0x1"
            and int(receipt["blockNumber"], 16) <= head.number
        ]
        if not reverted:
            return {}
        with self._sessions() as session:
            operations = repository.operations_by_id(session, {row.operation_id for row in reverted})
        requests: list[Request] = [
            ("eth_call", (_call(row, operations[row.operation_id]), receipts[row.hash]["blockNumber"]))
            for row in reverted
        ]
        answers = self._rpc.batch(requests)
        refusals: dict[bytes, ContractError | None] = {}
        for row, answer in zip(reverted, answers, strict=True):
            refusals[row.hash] = refusal_of(answer) if isinstance(answer, RpcError) else None
        return refusals

    def _is_lost(self, address: bytes, nonce: int) -> bool:
        """Whether a used nonce has been without a receipt for so long that it is not the node that lags."""
        since = self._missing_since.setdefault((address, nonce), time.monotonic())
        return time.monotonic() - since > self._lost_after

    def _give_up_nonce(self, row: ChainTransaction, operation: Operation) -> None:
        row.status = TransactionStatus.DROPPED
        repository.finish(operation, OperationStatus.QUEUED)
        self._missing_since.pop((row.signer, row.nonce), None)
        _log.warning("nonce %d of 0x%s was used without us; %s waits anew", row.nonce, row.signer.hex(), operation.id)

    def _resend(self, pending: Sequence[ChainTransaction]) -> None:
        due = [row for row in pending if self._broadcaster.due(row.hash)]
        if not due:
            return
        with self._sessions() as session:
            raw = repository.raw_bytes(session, [row.id for row in due])
        self._broadcaster.send([(row.hash, raw[row.id]) for row in due])

    def _unstick(
        self, lease: Lease, signer: Signer, head: Head, pending: Sequence[ChainTransaction], mined_nonces: int
    ) -> None:
        """Replace the transaction that all later ones wait for, where it has waited too long."""
        first = [row for row in pending if row.nonce == mined_nonces]
        if not first:
            return
        newest = first[-1]
        refused = self._broadcaster.refusal(newest.hash)
        underpriced = refused is not None and refused.kind is NodeRefusal.UNDERPRICED
        unsendable = (
            refused is not None and refused.kind in _UNSENDABLE and time.monotonic() - refused.since > self._stuck_after
        )
        waited = time.time() - newest.waiting_since
        if not (underpriced or unsendable or waited > self._stuck_after * 2**newest.bumps):
            return
        if newest.bumps >= self._max_bumps:
            return
        with self._sessions() as session:
            operation = repository.operations_by_id(session, [newest.operation_id])[newest.operation_id]
        noop = newest.noop or unsendable
        row = sign(
            signer,
            self._contracts.chain_id,
            operation_id=operation.id,
            to=lease.address if noop else operation.to,
            data=b"" if noop else operation.data,
            gas_limit=_NOOP_GAS if noop else newest.gas_limit,
            nonce=newest.nonce,
            fees=Fees(newest.max_fee_wei, newest.tip_wei).bumped(market_fees(self._rpc, head.base_fee_wei)),
            bumps=newest.bumps + 1,
            noop=noop,
        )
        broadcast = (row.hash, row.raw)
        _log.warning(
            "nonce %d of 0x%s waits; replacing it at %d wei per gas", row.nonce, row.signer.hex(), row.max_fee_wei
        )
        with self._sessions.begin() as session:
            locked(session, lease)
            session.add(row)
        self._broadcaster.send([broadcast])

    def _make_final(self, lease: Lease, head: Head) -> None:
        up_to = head.number - self._finality_depth
        if up_to <= self._final_up_to.get(lease.address, -1):
            return
        with self._sessions.begin() as session:
            locked(session, lease)
            repository.make_final(session, lease.address, up_to)
        # Not at every block: each is a write.
        self._final_up_to[lease.address] = up_to + self._finality_depth // 4

    def _receipts(self, rows: Sequence[ChainTransaction]) -> dict[bytes, Receipt]:
        """Receipts by transaction hash, where there is one."""
        requests: list[Request] = [("eth_getTransactionReceipt", ("0x" + row.hash.hex(),)) for row in rows]
        found: dict[bytes, Receipt] = {}
        for row, answer in zip(rows, self._rpc.batch(requests), strict=True):
            if isinstance(answer, RpcError):
                raise RpcUnavailable(f"no receipts: {answer}") from answer
            if answer is not None and answer.get("blockHash") is not None:
                found[row.hash] = answer
        return found


def _place(receipt: Receipt | None) -> tuple[int | None, bytes | None]:
    if receipt is None:
        return None, None
    return int(receipt["blockNumber"], 16), to_bytes(receipt["blockHash"])


def _call(row: ChainTransaction, operation: Operation) -> dict[str, str]:
    return {
        "from": checksum_address(row.signer),
        "to": checksum_address(operation.to),
        "data": "0x" + operation.data.hex(),
        "gas": hex(row.gas_limit),
    }
