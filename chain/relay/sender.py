"""From the outbox to the node: merge, simulate, give a nonce, sign, persist, broadcast; in this order."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from chain.keys import Signer
from chain.rpc import RpcError
from chain.sql import reading

from . import repository
from .equipment import Equipment
from .head import Head
from .lease import Lease, locked
from .models import Operation, OperationStatus
from .parcels import Parcel, parcels
from .signing import sign
from .simulation import Ending

_log = logging.getLogger(__name__)

# State moves between simulation and mining, gas is refunded only at the end, and a call that catches the failure of
# inner ones must not run short inside them: a third on top covers a refund of a fifth and 63/64 for each call.
GAS_RESERVE_PERCENT = 35
_GAS_RESERVE = 20_000
# Rows with their call data, looked at in one round.
_QUEUE_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class _Ready:
    parcel: Parcel
    gas_limit: int


class QueueMoved(Exception):
    """Somebody else gave out a nonce or took an operation back meanwhile; nothing was written."""


class Sender:
    """Turns queued operations into broadcast transactions."""

    def __init__(self, equipment: Equipment, *, merged_at_most: int) -> None:
        self._sessions = equipment.sessions
        self._rpc = equipment.rpc
        self._contracts = equipment.contracts
        self._broadcaster = equipment.broadcaster
        self._simulation = equipment.simulation
        self._fees = equipment.fees
        self._merged_at_most = merged_at_most

    def send(self, lease: Lease, name: str, signer: Signer, head: Head, *, room: int, mined_nonces: int) -> bool:
        """Send the key's next operations.

        Args:
            room: transactions that may be added to those in flight.
            mined_nonces: the key's transaction count on the chain.

        Returns:
            Whether anything changed.

        Raises:
            RpcError, RpcUnavailable, LeaseLost, QueueMoved.
        """
        with reading(self._sessions) as session:
            # Before the simulation: what ended by now is in the state that it sees.
            oldest = repository.oldest_unfinished(session, room + 1)
            operations = repository.queued(session, name, min(room * self._merged_at_most, _QUEUE_AT_ONCE))
            known = repository.next_nonce(session, lease.address)
        if not operations:
            return False
        found = parcels(operations, most=self._merged_at_most, gas_most=head.gas_limit // 2, room=room)
        ready, ended, split = self._simulate(signer, list(found), oldest, head)
        if ended or split:
            self._end(lease, ended, split)
        if ready:
            self._sign_and_send(lease, signer, ready, head, self._next_nonce(signer, known, mined_nonces))
        return bool(ready or ended or split)

    def _simulate(
        self, signer: Signer, found: list[Parcel], oldest: list[int], head: Head
    ) -> tuple[list[_Ready], dict[str, Ending], list[Operation]]:
        """What to send, what to end, and what to send one by one from now on: the first call that cannot be sent yet
        holds up those behind it."""
        ready: list[_Ready] = []
        ended: dict[str, Ending] = {}
        unfinished = set(oldest)
        for parcel, answer in zip(found, self._simulation.gas(signer.address, found), strict=True):
            if not isinstance(answer, RpcError):
                gas = answer if parcel.gas_limit is not None else _with_reserve(answer, head)
                ready.append(_Ready(parcel, gas))
                continue
            if len(parcel.operations) > 1:
                return ready, ended, list(parcel.operations)
            (operation,) = parcel.operations
            end = None if ready else self._simulation.ending(operation, answer, unfinished)
            if end is None:
                break
            ended[operation.id] = end
            unfinished.discard(operation.seq)
        return ready, ended, []

    def _end(self, lease: Lease, ended: dict[str, Ending], split: list[Operation]) -> None:
        with self._sessions.begin() as session:
            locked(session, lease)
            for operation in repository.lock_queued(session, ended):
                status, error = ended[operation.id]
                repository.finish(operation, status, error=error)
                self._simulation.forget([operation])
                _log.info("%s %s (%s): %s", operation.id, status, operation.kind, error["message"])
            for operation in repository.lock_queued(session, [one.id for one in split]):
                operation.alone = True

    def _sign_and_send(self, lease: Lease, signer: Signer, ready: Sequence[_Ready], head: Head, first: int) -> None:
        fees = self._fees.market(self._rpc, head.base_fee_wei)
        rows = [
            sign(
                signer,
                self._contracts.chain_id,
                to=one.parcel.to,
                data=one.parcel.data,
                gas_limit=one.gas_limit,
                nonce=first + index,
                fees=fees,
            )
            for index, one in enumerate(ready)
        ]
        broadcast = [(row.hash, row.raw) for row in rows]
        carried = {
            operation.id: (first + index, place)
            for index, one in enumerate(ready)
            for place, operation in enumerate(one.parcel.operations)
        }
        with self._sessions.begin() as session:
            state = locked(session, lease)
            if state.next_nonce is not None and state.next_nonce > first:
                raise QueueMoved(f"next nonce is {state.next_nonce}, not {first}")
            state.next_nonce = first + len(rows)
            operations = repository.lock_queued(session, carried)
            if len(operations) != len(carried):
                raise QueueMoved("operations were cancelled meanwhile")
            for operation in operations:
                repository.finish(operation, OperationStatus.SENT)
                operation.sender = lease.address
                operation.nonce, operation.place = carried[operation.id]
            session.add_all(rows)
        self._broadcaster.send(broadcast)

    def _next_nonce(self, signer: Signer, known: int | None, mined_nonces: int) -> int:
        if known is not None:
            # The chain is ahead only where the key was used without us.
            return max(known, mined_nonces)
        return int(self._rpc.call("eth_getTransactionCount", signer.address, "pending"), 16)


def _with_reserve(needed: int, head: Head) -> int:
    return max(needed, min(head.gas_limit, needed * (100 + GAS_RESERVE_PERCENT) // 100 + _GAS_RESERVE))
