"""From an event to rows. One handler for each event; the arithmetic is that of contracts/src, and a test compares every
figure with the contracts' views.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from chain.contracts import Event
from chain.jsonable import jsonable

from .models import ChainEvent, Redemption, Voucher
from .rows import Model, Rows

# Logs of one block; far above what a block's gas allows, so ids are unique and ascend with the chain.
_LOGS_PER_BLOCK = 2**20
# They accompany every VoucherIssued and say nothing more.
_UNRECORDED = frozenset({"Transfer", "Locked"})


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A decoded event and its place on the chain.

    Attributes:
        id: block number × 2²⁰ + log index.
        at: the block's timestamp, Unix seconds.
    """

    id: int
    contract: str
    name: str
    args: dict[str, Any]
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    tx_index: int
    log_index: int
    at: int


Handler: TypeAlias = Callable[[Rows, Occurrence], None]
_HANDLERS: dict[str, Handler] = {}


def handles(name: str) -> Callable[[Handler], Handler]:
    """Registers the handler of an event; names are unique over the three contracts."""

    def register(handler: Handler) -> Handler:
        assert name not in _HANDLERS, name  # noqa: S101 - a mistake of ours
        _HANDLERS[name] = handler
        return handler

    return register


def occurrence_id(block_number: int, log_index: int) -> int:
    """Ascending id of a log, the same after a rebuild."""
    return block_number * _LOGS_PER_BLOCK + log_index


def occurrence(event: Event, at: int) -> Occurrence:
    """A mined event with its block's timestamp."""
    place = (event.block_number, event.block_hash, event.tx_hash, event.tx_index, event.log_index)
    match place:
        case (int(block_number), bytes(block_hash), bytes(tx_hash), int(tx_index), int(log_index)):
            return Occurrence(
                id=occurrence_id(block_number, log_index),
                contract=event.contract,
                name=event.name,
                args=event.args,
                block_number=block_number,
                block_hash=block_hash,
                tx_hash=tx_hash,
                tx_index=tx_index,
                log_index=log_index,
                at=at,
            )
    raise ValueError(f"{event.name} stands in no block")


def preload(rows: Rows, events: Sequence[Occurrence]) -> None:
    """Read in few queries what the handlers of a batch will ask for."""
    wanted: dict[Model, list[tuple[Any, ...]]] = {}
    for event in events:
        voucher_id = event.args.get("voucherId")
        if voucher_id is not None and event.name != "VoucherIssued":
            wanted.setdefault(Voucher, []).append((voucher_id,))
        redemption_id = event.args.get("redemptionId")
        if redemption_id is not None and event.name != "Redeemed":
            wanted.setdefault(Redemption, []).append((redemption_id,))
    for model, keys in wanted.items():
        rows.preload(model, keys)


def project(rows: Rows, event: Occurrence) -> None:
    """Applies one event, and records it.

    Raises:
        LookupError, ValueError: it does not fit what is known; the caller parks it.
    """
    if event.name in _UNRECORDED:
        return
    handler = _HANDLERS.get(event.name)
    if handler is not None:
        handler(rows, event)
    rows.append(
        ChainEvent,
        id=event.id,
        block_number=event.block_number,
        block_hash=event.block_hash,
        tx_hash=event.tx_hash,
        tx_index=event.tx_index,
        log_index=event.log_index,
        contract=event.contract,
        event=event.name,
        args=jsonable(event.args),
        **_subjects(rows, event),
    )


def _subjects(rows: Rows, event: Occurrence) -> dict[str, Any]:
    """What the event is about, for histories."""
    voucher_id = event.args.get("voucherId")
    redemption_id = event.args.get("redemptionId")
    programme_id = event.args.get("programmeId")
    if programme_id is None and voucher_id is not None:
        programme_id = programme_of(voucher_id)
    return {
        "voucher_id": voucher_id,
        "redemption_id": redemption_id,
        "programme_id": programme_id,
        "entity_id": _entity(rows, event, voucher_id),
    }


def _entity(rows: Rows, event: Occurrence, voucher_id: int | None) -> bytes | None:
    if event.contract == "EntityRegistry":
        found = event.args.get("id")
    else:
        named = (event.args.get(name) for name in ("entity", "platform", "supplier"))
        found = next((value for value in named if value is not None), None)
    if found is None and voucher_id is not None:
        voucher = rows.get(Voucher, voucher_id)
        found = None if voucher is None else voucher["entity_id"]
    return found


def programme_of(numbered_id: int) -> int:
    """Programme of a voucher or redemption id, which is programme × 2³² + serial."""
    return numbered_id >> 32
