"""From an event to rows. One handler for each event; the arithmetic is that of contracts/src, and a test compares every
figure with the contracts' views.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from chain import artifacts
from chain.abi import AbiError, EventCodec
from chain.contracts import CONTRACT_NAMES, Contracts, events
from chain.raw_log import RawLog

from .models import ChainEvent, Redemption, Voucher
from .rows import Rows
from .tables import Model

# Logs of one block; far above what a block's gas allows, so ids are unique and ascend with the chain.
_LOGS_PER_BLOCK = 2**20
# They accompany every VoucherIssued and say nothing more.
_UNRECORDED = frozenset({"Transfer", "Locked"})


@dataclass(slots=True)
class Occurrence:
    """A decoded event and its place on the chain.

    Attributes:
        id: block number × 2²⁰ + log index.
        topics: the words of the topics after the event's own.
        data: the log's.
        at: the block's timestamp, Unix seconds.
    """

    id: int
    contract: str
    name: str
    args: dict[str, Any]
    topics: bytes
    data: bytes
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


class EventReader:
    """Makes occurrences of the logs of a deployment; each event has its decoder, made once from the ABI."""

    def __init__(self, contracts: Contracts, *, unrecorded: Collection[str] = _UNRECORDED) -> None:
        """Make the decoders.

        Args:
            unrecorded: events that are passed over.
        """
        self._unrecorded = unrecorded
        self._codecs: dict[tuple[str, str], tuple[str, EventCodec]] = {
            (contracts.addresses[contract].lower(), "0x" + codec.topic.hex()): (contract, codec)
            for contract in CONTRACT_NAMES
            for codec in events(contract).values()
        }

    def read(self, log: RawLog, at: int) -> Occurrence | None:
        """The event of a log, None for one that is not recorded.

        Args:
            at: the block's timestamp, Unix seconds.

        Raises:
            AbiError: one of the contracts logged what its ABI does not hold.
        """
        found = self._codecs.get((log.address, log.topics[0])) if log.topics else None
        if found is None:
            # Some nodes write addresses in upper case too.
            found = self._codecs.get((log.address.lower(), log.topics[0].lower())) if log.topics else None
            if found is None:
                raise AbiError(f"no event {log.topics[:1]}")
        contract, codec = found
        if codec.name in self._unrecorded:
            return None
        # One topic is 0x and 64 digits.
        words = "".join([topic[2:] for topic in log.topics[1:]])
        try:
            topics, data = bytes.fromhex(words), bytes.fromhex(log.data[2:])
        except ValueError as error:
            raise AbiError(f"a log of {codec.name} is not hexadecimal") from error
        block_number, log_index = log.block, log.index
        return Occurrence(
            id=occurrence_id(block_number, log_index),
            contract=contract,
            name=codec.name,
            args=codec.decode_joined(topics, data),
            topics=topics,
            data=data,
            block_number=block_number,
            block_hash=bytes.fromhex(log.block_hash[2:]),
            tx_hash=bytes.fromhex(log.transaction_hash[2:]),
            tx_index=int(log.transaction_index, 16),
            log_index=log_index,
            at=at,
        )


@cache
def projector_version() -> str:
    """Sixteen hex digits that differ as soon as code or contracts do, so that parked events are tried again."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    for contract in CONTRACT_NAMES:
        digest.update(repr(artifacts.load(contract).abi).encode())
    return digest.hexdigest()[:16]


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
    # A WrittenOff names its redemption only.
    settled = [rows.get(Redemption, event.args["redemptionId"]) for event in events if event.name == "WrittenOff"]
    rows.preload(Voucher, [(redemption["voucher_id"],) for redemption in settled if redemption is not None])


def project(rows: Rows, event: Occurrence) -> None:
    """Applies one event, and records it.

    Raises:
        LookupError, ValueError: it does not fit what is known; the caller parks it.
    """
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
        topics=event.topics,
        data=event.data,
        **_subjects(rows, event),
    )


def _subjects(rows: Rows, event: Occurrence) -> dict[str, Any]:
    """What the event is about, for histories."""
    voucher_id = event.args.get("voucherId")
    redemption_id = event.args.get("redemptionId")
    programme_id = event.args.get("programmeId")
    if voucher_id is None and redemption_id is not None:
        redemption = rows.get(Redemption, redemption_id)
        voucher_id = None if redemption is None else redemption["voucher_id"]
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
