"""What one transaction carries: a single call, or several calls that the contract takes together.

A long queue is merged through the contract's own batch forms. `redeemMany` and `issueMany` skip an item that they
refuse and report it, so each operation still has an outcome of its own; `writeOff` takes a list whole or not at all,
so what came to nothing together is sent again one by one. Only calls that have no effect a second time are merged: a
trade is used once, a voucher issued once, a redemption written off once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from chain.claims import batch_args
from chain.contracts import decode_call, encode_call, functions

from .models import Operation

# A queue with fewer calls in a row goes out one by one: each is then simulated, and costs nothing if refused.
MERGED_FROM = 4
_BATCH_GAS = 200_000
# geth's pool takes no transaction above 128 KiB; the rest is for its other fields and the offsets.
_BATCH_BYTES = 120_000
_WORD = 32


@dataclass(frozen=True, slots=True)
class Merge:
    """How calls of a function of the ledger become one.

    Attributes:
        function: the batch form.
        starts: events that begin an item's part of the log, one each; empty where each item has one event a redemption.
        refused: of these, the one that reports a refusal, with the revert data as its `reason`.
        item_gas: more gas than one item can use.
        items: number of items in one call.
        alike: calls with the same value can share a transaction.
        merged: call data of several calls together.
    """

    function: str
    starts: tuple[str, ...]
    refused: str | None
    item_gas: int
    items: Callable[[bytes], int]
    alike: Callable[[bytes], object]
    merged: Callable[[Sequence[bytes]], bytes]

    @property
    def skips(self) -> bool:
        """Whether the contract refuses items one by one, so that the batch as a whole cannot be refused."""
        return self.refused is not None


def _claims(calls: Sequence[bytes]) -> bytes:
    claims = [decode_call("VoucherLedger", call)[1]["claim"] for call in calls]
    return encode_call("VoucherLedger", "redeemMany", batch_args(claims))


def _orders(calls: Sequence[bytes]) -> bytes:
    """Puts the only argument of each call, a dynamic struct, into an array. An encoded struct counts its offsets from
    its own beginning (Solidity ABI, "Use of Dynamic Types"), so it is moved as it is."""
    items = [call[4 + _WORD :] for call in calls]
    offset, offsets = _WORD * len(items), []
    for item in items:
        offsets.append(_word(offset))
        offset += len(item)
    selector = functions("VoucherLedger")["issueMany"].selector
    return b"".join((selector, _word(_WORD), _word(len(items)), *offsets, *items))


def _write_offs(calls: Sequence[bytes]) -> bytes:
    arguments = [decode_call("VoucherLedger", call)[1] for call in calls]
    redemptions = [redemption for one in arguments for redemption in one["redemptions"]]
    return encode_call("VoucherLedger", "writeOff", {**arguments[0], "redemptions": redemptions})


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")


def _one(_call: bytes) -> int:
    return 1


def _any(_call: bytes) -> None:
    return None


MERGES = {
    functions("VoucherLedger")[single].selector: merge
    for single, merge in {
        # Two to three times what one with proofs 20 deep, or with five approvals, costs.
        "redeem": Merge(
            "redeemMany", ("Redeemed", "RedemptionRefused"), "RedemptionRefused", 400_000, _one, _any, _claims,
        ),
        "issue": Merge(
            "issueMany", ("VoucherIssued", "IssueRefused"), "IssueRefused", 500_000, _one, _any, _orders,
        ),
        "writeOff": Merge(
            "writeOff",
            (),
            None,
            100_000,
            lambda call: len(decode_call("VoucherLedger", call)[1]["redemptions"]),
            lambda call: decode_call("VoucherLedger", call)[1]["paymentRef"],
            _write_offs,
        ),
    }.items()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parcel:
    """Operations for one transaction, in order, and its call.

    Attributes:
        gas_limit: gas to give it unsimulated; None where it is simulated first.
    """

    operations: tuple[Operation, ...]
    to: bytes
    data: bytes
    gas_limit: int | None


def merge_of(operations: Sequence[Operation]) -> Merge | None:
    """How operations of one transaction were merged; None for a single one."""
    return MERGES[operations[0].data[:4]] if len(operations) > 1 else None


def parcel(operations: Sequence[Operation]) -> Parcel:
    """The call that carries these operations; always the same for the same ones."""
    first, merge = operations[0], merge_of(operations)
    if merge is None:
        return Parcel((first,), first.to, first.data, first.gas_limit)
    gas = _BATCH_GAS + merge.item_gas * len(operations) if merge.skips else None
    return Parcel(tuple(operations), first.to, merge.merged([one.data for one in operations]), gas)


def parcels(operations: Sequence[Operation], *, most: int, gas_most: int, room: int) -> Iterator[Parcel]:
    """Divides a queue into transactions and keeps its order.

    Args:
        most: items of one transaction at most; 1 merges nothing.
        gas_most: gas of one merged transaction at most.
        room: transactions at most.
    """
    for _, group in groupby(operations, key=_kin):
        run = list(group)
        merge = MERGES.get(run[0].data[:4])
        together = merge is not None and len(run) >= MERGED_FROM and not run[0].alone
        while run and room > 0:
            taken = 1
            if together and merge is not None:
                fits = min(most, (gas_most - _BATCH_GAS) // merge.item_gas)
                items, size = merge.items(run[0].data), len(run[0].data)
                while taken < len(run):
                    items, size = items + merge.items(run[taken].data), size + len(run[taken].data)
                    if items > fits or size > _BATCH_BYTES:
                        break
                    taken += 1
            yield parcel(run[:taken])
            run, room = run[taken:], room - 1


def is_repeatable(operation: Operation) -> bool:
    """Whether the contract lets the call have its effect once at most, so that a second nonce may carry it while the
    first could still come back in a reorganisation."""
    return operation.data[:4] in MERGES


def _kin(operation: Operation) -> object:
    """Operations in a row with the same value can be merged; each that cannot has a value of its own."""
    if operation.alone or operation.gas_limit is not None or not is_repeatable(operation):
        return operation.id
    selector = operation.data[:4]
    return selector, MERGES[selector].alike(operation.data)
