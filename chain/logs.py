"""Reads the logs of contracts in order, without gaps, and notices when the chain changed behind the reader.

    headers ─► do they link to what was read? ─no─► Rollback to the common ancestor
       │yes
       ├─ blocks that can still change: logs by block hash
       └─ older blocks: logs by range, whose size follows what the node can answer
             └─► every block whose bloom filter names a contract must have logs of it ─► Batch

The reader keeps no position: the caller passes the headers that it has stored, so that a crash or a failed commit on
its side cannot make the two disagree.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from .abi import to_bytes
from .headers import Header, bloom_bits, head_number, headers_at
from .rpc import Request, RpcClient, RpcError, RpcUnavailable

_log = logging.getLogger(__name__)

FIRST_RANGE = 500
_LARGEST_RANGE = 5_000
_GROWTH_PERCENT = 25
_NEAR_HEAD_AT_ONCE = 64
# Providers name the range they would answer: "Try with this block range [0x1, 0x2]."
_HINT = re.compile(r"\[\s*(0x[0-9a-fA-F]+)\s*,\s*(0x[0-9a-fA-F]+)\s*\]")

RawLog: TypeAlias = dict[str, Any]


class InconsistentNode(RpcUnavailable):
    """The node's answers contradict each other, as while it reorganises or lags; asking again may help."""


class DeepReorganisation(Exception):
    """The chain seems to have changed below what counts as final, or the node is far behind.

    Nothing was deleted: it may be the wrong node, or one that is still catching up. A person must look.
    """


@dataclass(frozen=True, slots=True)
class Batch:
    """The next blocks, all of them, and the contracts' logs in them, in order, as the node sent them.

    `final_up_to` is the newest block that no reorganisation is expected to touch any more.
    """

    headers: list[Header]
    logs: list[RawLog]
    head: int
    final_up_to: int


@dataclass(frozen=True, slots=True)
class Rollback:
    """Blocks above `ancestor` are not on the chain any more; None: none of those read is."""

    ancestor: Header | None


class LogReader:
    """Reads what follows the caller's position."""

    def __init__(
        self,
        rpc: RpcClient,
        addresses: Iterable[str],
        *,
        start_block: int = 0,
        finality_depth: int = 64,
        first_range: int = FIRST_RANGE,
        largest_range: int = _LARGEST_RANGE,
    ) -> None:
        """Ask nothing yet.

        Args:
            addresses: contracts whose logs are read.
            start_block: first block to read, for example the one that the contracts were deployed in.
            finality_depth: blocks on top of a block after which it counts as final.
            first_range: blocks asked for at first.
            largest_range: blocks asked for at most.
        """
        self._rpc = rpc
        self._addresses = [address.lower() for address in addresses]
        self._blooms = [bloom_bits(to_bytes(address)) for address in self._addresses]
        self._start_block = start_block
        self._finality_depth = finality_depth
        self._range = first_range
        self._largest_range = largest_range

    def read(self, window: Sequence[Header]) -> Batch | Rollback | None:
        """The next blocks after the newest header of `window`.

        Args:
            window: headers that were read and can still change, in order and without a gap; the newest one always
                among them. Empty before the first read.

        Returns:
            The next blocks, what to take back before there can be any, or None: there is nothing new.

        Raises:
            DeepReorganisation: the window is not on this chain, or the node is behind what is final.
            RpcUnavailable: the node does not answer, or answers nonsense; ask again.
        """
        head = head_number(self._rpc)
        tip = window[-1] if window else None
        if tip is not None and head < tip.number:
            return self._behind(window, head)
        first = self._start_block if tip is None else tip.number + 1
        if tip is not None and first > head:
            # Same height: nothing new, unless it is another block.
            return None if self._header(tip.number).hash == tip.hash else self._rollback(window)
        if first > head:
            return None
        final_up_to = head - self._finality_depth
        return self._next(window, first, head, final_up_to)

    def _next(self, window: Sequence[Header], first: int, head: int, final_up_to: int) -> Batch | Rollback:
        historic = first <= final_up_to
        last = min(final_up_to, first + self._range - 1) if historic else min(head, first + _NEAR_HEAD_AT_ONCE - 1)
        if historic:
            answer, last = self._logs_of_range(first, last)
        headers = self._headers(first, last)
        if window and headers[0].parent_hash != window[-1].hash:
            return self._rollback(window)
        for parent, child in pairwise(headers):
            if child.parent_hash != parent.hash:
                raise InconsistentNode(f"header {child.number} does not follow {parent.number}")
        by_block = _grouped(answer, headers) if historic else self._logs_by_hash(headers)
        for header in headers:
            if header.number not in by_block and self._names_us(header):
                self._require_no_logs(header)
        logs = [log for header in headers for log in by_block.get(header.number, ())]
        return Batch(headers, logs, head, final_up_to)

    def _behind(self, window: Sequence[Header], head: int) -> Rollback | None:
        """What a head below ours means: a node that lags, or a chain that became shorter."""
        if head < window[0].number:
            raise DeepReorganisation(
                f"the node is at block {head}, below block {window[0].number}, which is final here"
            )
        ours = window[head - window[0].number]
        if self._header(head).hash == ours.hash:
            _log.warning("the node is at block %d, we have read %d: it lags", head, window[-1].number)
            return None
        return self._rollback(window)

    def _rollback(self, window: Sequence[Header]) -> Rollback:
        """The newest header of the window that is still on the chain."""
        current = headers_at(self._rpc, [header.number for header in window])
        for ours, theirs in zip(reversed(window), reversed(current), strict=True):
            if theirs is not None and theirs.hash == ours.hash:
                return Rollback(ours)
        if window[0].number == self._start_block > 0:
            # All that was ever read is in the window: what matters is whether the block before it is the same.
            (before,) = headers_at(self._rpc, [self._start_block - 1])
            if before is not None and before.hash == window[0].parent_hash:
                return Rollback(None)
        raise DeepReorganisation(
            f"none of blocks {window[0].number} to {window[-1].number} is on the node's chain; it may be another chain"
        )

    def _headers(self, first: int, last: int) -> list[Header]:
        found = headers_at(self._rpc, range(first, last + 1))
        headers = [header for header in found if header is not None]
        if len(headers) != len(found):
            raise InconsistentNode(f"headers between {first} and {last} are missing")
        return headers

    def _header(self, number: int) -> Header:
        return self._headers(number, number)[0]

    def _logs_of_range(self, first: int, last: int) -> tuple[list[RawLog], int]:
        """Logs from `first` on, and the last block that they cover: fewer where the node cannot answer for all."""
        while True:
            wanted = {"address": self._addresses, "fromBlock": hex(first), "toBlock": hex(last)}
            try:
                answer = self._rpc.call("eth_getLogs", wanted)
            except RpcError as error:
                if last == first:
                    raise RpcUnavailable(f"no logs of block {first}: {error}") from error
                last = _smaller(error, first, last)
                self._range = last - first + 1
                _log.info("the node wants smaller ranges: %d blocks now", self._range)
                continue
            if last - first + 1 >= self._range:
                self._range = min(self._largest_range, self._range + self._range * _GROWTH_PERCENT // 100 + 1)
            return _checked(answer), last

    def _logs_by_hash(self, headers: Sequence[Header]) -> dict[int, list[RawLog]]:
        named = [header for header in headers if self._names_us(header)]
        requests: list[Request] = [
            ("eth_getLogs", ({"address": self._addresses, "blockHash": "0x" + header.hash.hex()},)) for header in named
        ]
        by_block: dict[int, list[RawLog]] = {}
        for header, answer in zip(named, self._rpc.batch(requests), strict=True):
            if isinstance(answer, RpcError):
                raise InconsistentNode(f"no logs of block {header.number}: {answer}") from answer
            by_block |= _grouped(_checked(answer), [header])
        return by_block

    def _names_us(self, header: Header) -> bool:
        """Whether the bloom filter says that the block may hold logs of our contracts."""
        return any(header.bloom & bits == bits for bits in self._blooms)

    def _require_no_logs(self, header: Header) -> None:
        """Make sure that a block without our logs has none although its bloom filter names us.

        A filter may name us by accident; then the receipts hold no log of ours, and all their logs together explain the
        filter. Anything else is an answer with logs left out.
        """
        receipts = self._rpc.call("eth_getBlockReceipts", "0x" + header.hash.hex())
        if receipts is None:
            raise InconsistentNode(f"block {header.number} names our contracts, but the node shows no logs of them")
        explained = 0
        for receipt in receipts:
            for log in receipt["logs"]:
                if log["address"].lower() in self._addresses:
                    raise InconsistentNode(f"block {header.number} has logs of ours that eth_getLogs leaves out")
                explained |= bloom_bits(to_bytes(log["address"]))
                for topic in log["topics"]:
                    explained |= bloom_bits(to_bytes(topic))
        if explained != header.bloom:
            raise InconsistentNode(f"the logs of block {header.number} do not explain its bloom filter")


def _checked(answer: Any) -> list[RawLog]:
    if not isinstance(answer, list):
        raise InconsistentNode("eth_getLogs answered something else than a list")
    if any(log.get("removed") for log in answer):
        # Belongs to a block that is not on the chain any more, whatever the question was.
        raise InconsistentNode("the node answered with removed logs")
    return answer


def _grouped(logs: Sequence[RawLog], headers: Sequence[Header]) -> dict[int, list[RawLog]]:
    """Logs by block, in order; all must stand in the blocks of the headers."""
    hashes = {header.number: header.hash for header in headers}
    grouped: dict[int, list[RawLog]] = defaultdict(list)
    for log in logs:
        number = int(log["blockNumber"], 16)
        if hashes.get(number) != to_bytes(log["blockHash"]):
            raise InconsistentNode(f"a log of block {number} names another block than its header")
        grouped[number].append(log)
    for many in grouped.values():
        many.sort(key=lambda log: int(log["logIndex"], 16))
    return dict(grouped)


def _smaller(error: RpcError, first: int, last: int) -> int:
    """The last block to ask for next: what the node proposes, or half."""
    hint = _HINT.search(error.message)
    if hint and first <= int(hint[2], 16) < last:
        return int(hint[2], 16)
    return first + (last - first) // 2
