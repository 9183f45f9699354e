"""Every event of a deployment up to a block, in order, straight from a node; nothing is stored."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.indexer.projector import EventReader, Occurrence
from chain.abi import AbiError, checksum_address
from chain.contracts import Contracts, decode_result, encode_call
from chain.headers import Header, headers_at
from chain.logs import LogReader, Rollback
from chain.rpc import RpcClient, RpcError

# More than any reader of blocks that can still change looks at.
_WINDOW = 128


class ChainMoved(Exception):
    """The chain was reorganised meanwhile, or has no such block: what was read may be of another chain."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block and what the contracts said in it; an AbiError stands for a log that their ABI does not hold."""

    header: Header
    events: list[Occurrence | AbiError]


def contracts_of(rpc: RpcClient, ledger: str, block: str = "latest") -> Contracts:
    """The deployment that a ledger belongs to, as the ledger says.

    Raises:
        RpcError, RpcUnavailable: the node refuses, or does not answer.
        ValueError: there is no ledger.
    """
    found = {}
    for name in ("REGISTRY", "EVIDENCE"):
        data = "0x" + encode_call("VoucherLedger", name).hex()
        answer = rpc.call("eth_call", {"to": checksum_address(ledger), "data": data}, block)
        try:
            found[name] = decode_result("VoucherLedger", name, answer)
        except AbiError as error:
            raise ValueError(f"there is no voucher ledger at {ledger}") from error
    chain_id = int(rpc.call("eth_chainId"), 16)
    return Contracts(chain_id, found["REGISTRY"], found["EVIDENCE"], ledger)


def first_block(rpc: RpcClient, contracts: Contracts, upto: int) -> int:
    """The block in which the registry, the first of the three, was created; 0 where the node keeps no old state."""
    low, high = 0, upto
    while low < high:
        middle = (low + high) // 2
        try:
            there = rpc.call("eth_getCode", contracts.registry, hex(middle)) not in ("0x", "0x0", None)
        except RpcError:
            return 0
        low, high = (low, middle) if there else (middle + 1, high)
    return low


def header_at(rpc: RpcClient, number: int) -> Header:
    """A header.

    Raises:
        ChainMoved: there is no such block.
        RpcUnavailable: the node does not answer.
    """
    (header,) = headers_at(rpc, [number])
    if header is None:
        raise ChainMoved(f"the node has no block {number}")
    return header


def blocks(rpc: RpcClient, contracts: Contracts, first: int, last: Header) -> Iterator[Block]:
    """The blocks from `first` on that hold events, then the last one whether it does or not.

    Bloom filters and parent links are checked as the indexer does, so logs that were left out are noticed.

    Raises:
        ChainMoved: the chain changed behind us.
        RpcError, RpcUnavailable, DeepReorganisation: the node is of no use, or contradicts itself.
    """
    reader = LogReader(rpc, contracts.addresses.values(), start_block=first, up_to=last.number)
    # Transfer and Locked too: no voucher may move.
    events = EventReader(contracts, unrecorded=())
    window: list[Header] = []
    while not window or window[-1].number < last.number:
        found = reader.read(window)
        if found is None or isinstance(found, Rollback):
            raise ChainMoved("the chain was reorganised during the audit; run it again")
        window = [*window, *found.headers][-_WINDOW:]
        by_number = {header.number: header for header in found.headers}
        block: Block | None = None
        for log in found.logs:
            number = log.block
            if block is None or block.header.number != number:
                if block is not None:
                    yield block
                block = Block(by_number[number], [])
            try:
                event = events.read(log, block.header.timestamp)
            except AbiError as error:
                block.events.append(error)
                continue
            if event is not None:
                block.events.append(event)
        if block is not None:
            yield block
        if not block or block.header.number != window[-1].number:
            yield Block(window[-1], [])
    if window[-1].hash != last.hash:
        raise ChainMoved(f"block {last.number} was reorganised during the audit; run it again")
