"""Block headers, and the bloom filter by which a header tells that logs were left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec
from eth_hash.auto import keccak

from .abi import to_bytes
from .rpc import RpcClient, RpcError, RpcUnavailable

# A batch of headers is a few hundred kilobytes at most, below every node's limit of requests.
_HEADERS_AT_ONCE = 200


class InconsistentNode(RpcUnavailable):
    """The node's answers contradict each other, as while it reorganises or lags; asking again may help."""


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


class _Block(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The members of a block that a header needs, as a node sends them."""

    number: str
    hash: str
    parent_hash: str
    timestamp: str
    logs_bloom: str

    def header(self) -> Header:
        return Header(
            number=int(self.number, 16),
            hash=to_bytes(self.hash),
            parent_hash=to_bytes(self.parent_hash),
            timestamp=int(self.timestamp, 16),
            bloom=int(self.logs_bloom, 16),
        )


def head_number(rpc: RpcClient) -> int:
    """Number of the newest block.

    Raises:
        RpcError, RpcUnavailable: the node refused, or answered something else.
    """
    (answer,) = rpc.fetch(str, [("eth_blockNumber", ())])
    if isinstance(answer, RpcError):
        raise answer
    try:
        return int(answer or "", 16)
    except ValueError as error:
        raise InconsistentNode("the node answered no block number") from error


def headers_at(rpc: RpcClient, numbers: Sequence[int]) -> list[Header | None]:
    """Headers by number, None where the node has no such block.

    Raises:
        RpcUnavailable: the node did not answer, or answered for another block.
    """
    found: list[Header | None] = []
    for start in range(0, len(numbers), _HEADERS_AT_ONCE):
        part = numbers[start : start + _HEADERS_AT_ONCE]
        answers = rpc.fetch(_Block, [("eth_getBlockByNumber", (hex(number), False)) for number in part])
        for number, answer in zip(part, answers, strict=True):
            if isinstance(answer, RpcError):
                raise RpcUnavailable(f"no header {number}: {answer}") from answer
            try:
                header = None if answer is None else answer.header()
            except ValueError as error:
                raise InconsistentNode(f"header {number} is not hexadecimal") from error
            if header is not None and header.number != number:
                raise RpcUnavailable(f"asked for header {number}, got {header.number}")
            found.append(header)
    return found


def checked_headers(rpc: RpcClient, first: int, last: int) -> list[Header]:
    """All headers from block `first` to `last`.

    Raises:
        InconsistentNode: one is missing, or does not follow the one before.
        RpcUnavailable: the node did not answer, or answered for another block.
    """
    found = headers_at(rpc, range(first, last + 1))
    headers = [header for header in found if header is not None]
    if len(headers) != len(found):
        raise InconsistentNode(f"headers between {first} and {last} are missing")
    for parent, child in pairwise(headers):
        if child.parent_hash != parent.hash:
            raise InconsistentNode(f"header {child.number} does not follow {parent.number}")
    return headers
