"""From the outbox to the node: simulate, give a nonce, sign, persist, broadcast; in this order, one key at a time."""

import logging
import time
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak
from sqlalchemy.orm import Session, sessionmaker

from chain.abi import checksum_address
from chain.contracts import Contracts, refusal_of
from chain.keys import Signer
from chain.rpc import Request, RpcClient, RpcError

from . import repository
from .broadcaster import Broadcaster
from .fees import Fees, market_fees
from .head import Head
from .lease import Lease, locked
from .models import ChainTransaction, Operation, OperationStatus, TransactionStatus
from .outcome import node_error, refusal_error

_log = logging.getLogger(__name__)

# State moves between simulation and mining, gas is refunded only at the end, and a batch that catches the failure of
# its items must not run short inside one of them: a third on top covers a refund of a fifth and 63/64 for each call.
GAS_RESERVE_PERCENT = 35
_GAS_RESERVE = 20_000
# A node that refuses to simulate, but not by a revert, may have a bad moment; after so long it is the operation.
_UNSENDABLE_AFTER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Ready:
    operation: Operation
    gas_limit: int


class NonceMoved(Exception):
    """The key's next nonce is not the one that was signed with; nothing was written."""


class Sender:
    """Turns queued operations into broadcast transactions."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        rpc: RpcClient,
        contracts: Contracts,
        broadcaster: Broadcaster,
        *,
        simulate_at: str = "pending",
    ) -> None:
        self._sessions = sessions
        self._rpc = rpc
        self._contracts = contracts
        self._broadcaster = broadcaster
        self._simulate_at = simulate_at
        self._troubled: dict[str, float] = {}

    def send(self, lease: Lease, name: str, signer: Signer, head: Head, *, room: int, mined_nonces: int) -> bool:
        """Send the key's next operations.

        Args:
            room: transactions that may be added to those in flight.
            mined_nonces: the key's transaction count on the chain.

        Returns:
            Whether anything changed.

        Raises:
            RpcError, RpcUnavailable, LeaseLost.
        """
        with self._sessions() as session:
            # Before the simulation: what ended by now is in the state that it sees.
            oldest = repository.oldest_unfinished(session, room + 1)
            operations = repository.queued(session, name, room)
        if not operations:
            return False
        ready, refused = self._simulate(signer, operations, oldest, head)
        if refused:
            self._refuse(lease, refused)
        if ready:
            self._sign_and_send(lease, signer, ready, head, mined_nonces)
        return bool(ready or refused)

    def _simulate(
        self, signer: Signer, operations: list[Operation], oldest: list[int], head: Head
    ) -> tuple[list[_Ready], dict[str, tuple[OperationStatus, dict[str, object]]]]:
        """Which operations to send, and which to end: the first that cannot be sent yet holds up those behind it."""
        asked = [operation for operation in operations if operation.gas_limit is None]
        told = self._rpc.batch([self._question(signer, operation) for operation in asked])
        by_id = {operation.id: answer for operation, answer in zip(asked, told, strict=True)}
        ready: list[_Ready] = []
        ended: dict[str, tuple[OperationStatus, dict[str, object]]] = {}
        ended_seqs: set[int] = set()
        for operation in operations:
            # One that brings its gas limit is not simulated: as a whole it cannot be refused.
            answer = by_id.get(operation.id)
            if not isinstance(answer, RpcError):
                self._troubled.pop(operation.id, None)
                ready.append(_Ready(operation, _gas_limit(operation, answer, head)))
                continue
            # A refusal is final only where nothing unfinished could still change the state that it rests on.
            alone = all(seq >= operation.seq or seq in ended_seqs for seq in oldest)
            end = self._end(operation, answer) if alone and not ready else None
            if end is None:
                break
            ended[operation.id] = end
            ended_seqs.add(operation.seq)
        return ready, ended

    def _question(self, signer: Signer, operation: Operation) -> Request:
        call: dict[str, str] = {
            "from": signer.address,
            "to": checksum_address(operation.to),
            "data": "0x" + operation.data.hex(),
        }
        return ("eth_estimateGas", (call, self._simulate_at))

    def _end(self, operation: Operation, answer: RpcError) -> tuple[OperationStatus, dict[str, object]] | None:
        """How an operation ends that the node would not simulate; None if it may yet."""
        refusal = refusal_of(answer)
        if refusal is not None:
            return OperationStatus.REFUSED, refusal_error(refusal)
        since = self._troubled.setdefault(operation.id, time.monotonic())
        if time.monotonic() - since < _UNSENDABLE_AFTER_SECONDS:
            return None
        return OperationStatus.FAILED, node_error("NodeRefused", answer.message)

    def _refuse(self, lease: Lease, ended: dict[str, tuple[OperationStatus, dict[str, object]]]) -> None:
        with self._sessions.begin() as session:
            locked(session, lease)
            for operation in repository.operations_by_id(session, ended).values():
                status, error = ended[operation.id]
                repository.finish(operation, status, error=error)
                _log.info("%s %s (%s): %s", operation.id, status, operation.kind, error["message"])

    def _sign_and_send(self, lease: Lease, signer: Signer, ready: list[_Ready], head: Head, mined_nonces: int) -> None:
        fees = market_fees(self._rpc, head.base_fee_wei)
        first = self._next_nonce(lease, signer, mined_nonces)
        rows = [
            sign(
                signer,
                self._contracts.chain_id,
                operation_id=one.operation.id,
                to=one.operation.to,
                data=one.operation.data,
                gas_limit=one.gas_limit,
                nonce=first + index,
                fees=fees,
            )
            for index, one in enumerate(ready)
        ]
        broadcast = [(row.hash, row.raw) for row in rows]
        with self._sessions.begin() as session:
            state = locked(session, lease)
            if state.next_nonce is not None and state.next_nonce > first:
                raise NonceMoved(f"next nonce is {state.next_nonce}, not {first}")
            state.next_nonce = first + len(rows)
            for operation in repository.operations_by_id(session, [row.operation_id for row in rows]).values():
                repository.finish(operation, OperationStatus.SENT)
            session.add_all(rows)
        self._broadcaster.send(broadcast)

    def _next_nonce(self, lease: Lease, signer: Signer, mined_nonces: int) -> int:
        with self._sessions.begin() as session:
            known = locked(session, lease).next_nonce
        if known is not None:
            # The chain is ahead only where the key was used without us.
            return max(known, mined_nonces)
        return int(self._rpc.call("eth_getTransactionCount", signer.address, "pending"), 16)


def sign(
    signer: Signer,
    chain_id: int,
    *,
    operation_id: str,
    to: bytes,
    data: bytes,
    gas_limit: int,
    nonce: int,
    fees: Fees,
    bumps: int = 0,
    noop: bool = False,
) -> ChainTransaction:
    """A signed transaction, not yet in any session."""
    fields: dict[str, Any] = {
        "chainId": chain_id,
        "nonce": nonce,
        "to": checksum_address(to),
        "value": 0,
        "data": data,
        "gas": gas_limit,
        **fees.fields(),
    }
    raw = signer.sign_transaction(fields)
    return ChainTransaction(
        operation_id=operation_id,
        signer=bytes.fromhex(signer.address.removeprefix("0x")),
        nonce=nonce,
        hash=keccak(raw),
        raw=raw,
        gas_limit=gas_limit,
        max_fee_wei=fees.max_fee_wei,
        tip_wei=fees.tip_wei,
        bumps=bumps,
        noop=noop,
        status=TransactionStatus.SIGNED,
        waiting_since=time.time(),
    )


def _gas_limit(operation: Operation, answer: str | None, head: Head) -> int:
    if operation.gas_limit is not None:
        return operation.gas_limit
    needed = int(str(answer), 16)
    return max(needed, min(head.gas_limit, needed * (100 + GAS_RESERVE_PERCENT) // 100 + _GAS_RESERVE))
