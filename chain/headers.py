"""Block headers, and the bloom filter by which a header tells that logs were left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from .abi import to_bytes
from .rpc import RpcClient, RpcError, RpcUnavailable

# A batch of headers is a few hundred kilobytes at most, below every node's limit of requests.
_HEADERS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Header:
    """What following a chain needs of a block: `timestamp` in Unix seconds, `bloom` the 2,048 bits as a number."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    bloom: int = 0


def bloom_bits(value: bytes) -> int:
    """The three bits that an address or topic sets in a block's bloom filter (Yellow Paper, 4.3.1)."""
    digest = keccak(value)
    bits = 0
    for position in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[position : position + 2], "big") & 2047)
    return bits


def parse_header(block: dict[str, Any]) -> Header:
    """A header from a block as a node sends it."""
    return Header(
        number=int(block["number"], 16),
        hash=to_bytes(block["hash"]),
        parent_hash=to_bytes(block["parentHash"]),
        timestamp=int(block["timestamp"], 16),
        bloom=int(block["logsBloom"], 16),
    )


def head_number(rpc: RpcClient) -> int:
    """Number of the newest block."""
    return int(rpc.call("eth_blockNumber"), 16)


def headers_at(rpc: RpcClient, numbers: Sequence[int]) -> list[Header | None]:
    """Headers by number, None where the node has no such block.

    Raises:
        RpcUnavailable: the node did not answer, or answered for another block.
    """
    found: list[Header | None] = []
    for start in range(0, len(numbers), _HEADERS_AT_ONCE):
        part = numbers[start : start + _HEADERS_AT_ONCE]
        answers = rpc.batch([("eth_getBlockByNumber", (hex(number), False)) for number in part])
        for number, answer in zip(part, answers, strict=True):
            if isinstance(answer, RpcError):
                raise RpcUnavailable(f"no header {number}: {answer}") from answer
            header = None if answer is None else parse_header(answer)
            if header is not None and header.number != number:
                raise RpcUnavailable(f"asked for header {number}, got {header.number}")
            found.append(header)
    return found
