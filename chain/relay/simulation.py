"""Asks the node what a call would come to before it costs gas, and for how long a refusal must stand to be believed.

The state that a call meets may still be made by operations that were accepted before it. A refusal is final once none
of these is unfinished, or once it has stood for so long that what holds them up is not a matter of moments.
"""

import time
from collections.abc import Iterable, Sequence

from chain.abi import checksum_address
from chain.contracts import refusal_of
from chain.rpc import Request, RpcClient, RpcError

from .models import Operation, OperationStatus
from .outcome import node_error, refusal_error
from .parcels import Parcel

Ending = tuple[OperationStatus, dict[str, object]]


class Simulation:
    """The questions of one relay; it remembers since when each operation was refused."""

    def __init__(self, rpc: RpcClient, *, tag: str, patience: float) -> None:
        """Ask nothing yet.

        Args:
            tag: block that calls are simulated on.
            patience: seconds that a refusal must stand while operations before it are unfinished.
        """
        self._rpc = rpc
        self._tag = tag
        self._patience = patience
        self._refused_since: dict[str, float] = {}

    def gas(self, sender: str, parcels: Sequence[Parcel]) -> list[int | RpcError]:
        """Gas that each call would need now, or what the node says against it. One that brings its gas is not asked
        about: as a whole it cannot be refused.

        Raises:
            RpcError, RpcUnavailable: the node is of no use now.
        """
        asked = [one for one in parcels if one.gas_limit is None]
        requests: list[Request] = [("eth_estimateGas", (_call(sender, one), self._tag)) for one in asked]
        answers = iter(self._rpc.batch(requests))
        found: list[int | RpcError] = []
        for one in parcels:
            answer = one.gas_limit if one.gas_limit is not None else next(answers)
            if not isinstance(answer, RpcError):
                self.forget(one.operations)
            found.append(int(answer, 16) if isinstance(answer, str) else answer)
        return found

    def objection(self, sender: str, parcel: Parcel) -> RpcError | None:
        """What the node says against a call on the newest block; None if nothing."""
        if parcel.gas_limit is not None:
            return None
        try:
            self._rpc.call("eth_call", _call(sender, parcel), "latest")
        except RpcError as error:
            return error
        return None

    def ending(self, operation: Operation, error: RpcError, unfinished: Iterable[int]) -> Ending | None:
        """How an operation ends that the node objects to; None while it may be otherwise in a moment.

        Args:
            unfinished: sequence numbers of operations that could still change the state that it meets.
        """
        since = self._refused_since.setdefault(operation.id, time.monotonic())
        stands = time.monotonic() - since > self._patience
        refusal = refusal_of(error)
        if refusal is not None:
            alone = all(seq >= operation.seq for seq in unfinished)
            return (OperationStatus.REFUSED, refusal_error(refusal)) if alone or stands else None
        # Not a revert: the node may have a bad moment; after so long it is the operation.
        return (OperationStatus.FAILED, node_error("NodeRefused", error.message)) if stands else None

    def forget(self, operations: Iterable[Operation]) -> None:
        """Drop what is remembered of operations."""
        for operation in operations:
            self._refused_since.pop(operation.id, None)


def _call(sender: str, parcel: Parcel) -> dict[str, str]:
    return {"from": sender, "to": checksum_address(parcel.to), "data": "0x" + parcel.data.hex()}
