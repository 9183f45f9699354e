"""Asks the node what a call would come to before it costs gas, and for how long a refusal must stand to be believed.

To find what a call needs, a node runs it a dozen times (`eth_estimateGas`). So a call that is like an earlier one, of
the same function and length, is first run once with what that one needed (`eth_call`); only where this does not go
through is the node asked for the figure or for its reason.

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

_Kind = tuple[bytes, bytes, int]
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
        self._needed: dict[_Kind, int] = {}

    def gas(self, sender: str, parcels: Sequence[Parcel]) -> list[int | RpcError]:
        """Gas with which each call goes through now, or what the node says against it. One that brings its gas is not
        asked about: as a whole it cannot be refused.

        Raises:
            RpcError, RpcUnavailable: the node is of no use now.
        """
        found: dict[int, int | RpcError] = {
            place: one.gas_limit for place, one in enumerate(parcels) if one.gas_limit is not None
        }
        asked = [place for place in range(len(parcels)) if place not in found]
        first = {_kind(parcels[place]): place for place in reversed(asked)}
        self._estimate(sender, parcels, [place for kind, place in first.items() if kind not in self._needed], found)
        self._try(sender, parcels, [place for place in asked if place not in found], found)
        self._estimate(sender, parcels, [place for place in asked if place not in found], found)
        for place, one in enumerate(parcels):
            if not isinstance(found[place], RpcError):
                self.forget(one.operations)
        return [found[place] for place in range(len(parcels))]

    def _try(
        self, sender: str, parcels: Sequence[Parcel], places: Sequence[int], found: dict[int, int | RpcError]
    ) -> None:
        """Run calls with what others of their kind needed; those that do not go through are left out of `found`."""
        known = [(place, gas) for place in places if (gas := self._needed.get(_kind(parcels[place]))) is not None]
        if not known:
            return
        requests: list[Request] = [
            ("eth_call", ({**_call(sender, parcels[place]), "gas": hex(gas)}, self._tag)) for place, gas in known
        ]
        for (place, gas), answer in zip(known, self._rpc.batch(requests), strict=True):
            if not isinstance(answer, RpcError):
                found[place] = gas

    def _estimate(
        self, sender: str, parcels: Sequence[Parcel], places: Sequence[int], found: dict[int, int | RpcError]
    ) -> None:
        """Ask what calls need."""
        if not places:
            return
        requests: list[Request] = [("eth_estimateGas", (_call(sender, parcels[place]), self._tag)) for place in places]
        for place, answer in zip(places, self._rpc.batch(requests), strict=True):
            if isinstance(answer, RpcError):
                found[place] = answer
                continue
            found[place] = gas = int(answer, 16)
            kind = _kind(parcels[place])
            # Only ever more: a first redemption needs more than later ones, and the limit is not what is paid.
            self._needed[kind] = max(gas, self._needed.get(kind, 0))

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


def _kind(parcel: Parcel) -> _Kind:
    return parcel.to, parcel.data[:4], len(parcel.data)


def _call(sender: str, parcel: Parcel) -> dict[str, str]:
    return {"from": sender, "to": checksum_address(parcel.to), "data": "0x" + parcel.data.hex()}
