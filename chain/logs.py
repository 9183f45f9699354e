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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from .abi import to_bytes
from .headers import Header, InconsistentNode, bloom_bits, checked_headers, head_number, headers_at
from .log_ranges import FIRST_RANGE, LARGEST_RANGE, LogRanges
from .raw_log import RawLog, checked_logs, grouped
from .rpc import Request, RpcClient, RpcError

_log = logging.getLogger(__name__)

_NEAR_HEAD_AT_ONCE = 64


class DeepReorganisation(Exception):
    """The chain seems to have changed below what counts as final, or the node is far behind.

    Nothing was deleted: it may be the wrong node, or one that is still catching up. A person must look.
    """


class _ReceiptLog(msgspec.Struct, frozen=True):
    address: str
    topics: list[str]


class _Receipt(msgspec.Struct, frozen=True):
    logs: list[_ReceiptLog]


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
        largest_range: int = LARGEST_RANGE,
        up_to: int | None = None,
    ) -> None:
        """Ask nothing yet.

        Args:
            addresses: contracts whose logs are read.
            start_block: first block to read, for example the one that the contracts were deployed in.
            finality_depth: blocks on top of a block after which it counts as final.
            first_range: blocks asked for at first.
            largest_range: blocks asked for at most.
            up_to: last block to read, for a state of the past; None for all that come.
        """
        self._rpc = rpc
        self._addresses = [address.lower() for address in addresses]
        self._blooms = [bloom_bits(to_bytes(address)) for address in self._addresses]
        self._start_block = start_block
        self._finality_depth = finality_depth
        self._up_to = up_to
        self._ranges = LogRanges(
            rpc, self._addresses, self._explain, first_range=first_range, largest_range=largest_range
        )

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
        newest = head_number(self._rpc)
        head = newest if self._up_to is None else min(newest, self._up_to)
        tip = window[-1] if window else None
        if tip is not None and head < tip.number:
            return self._behind(window, head)
        first = self._start_block if tip is None else tip.number + 1
        if tip is not None and first > head:
            # Same height: nothing new, unless it is another block.
            return None if self._header(tip.number).hash == tip.hash else self._rollback(window)
        if first > head:
            return None
        final_up_to = min(head, newest - self._finality_depth)
        return self._next(window, first, head, final_up_to)

    def _next(self, window: Sequence[Header], first: int, head: int, final_up_to: int) -> Batch | Rollback:
        if first <= final_up_to:
            piece = self._ranges.take(first, final_up_to)
            headers, by_block = piece.headers, piece.logs
        else:
            headers = checked_headers(self._rpc, first, min(head, first + _NEAR_HEAD_AT_ONCE - 1))
        if window and headers[0].parent_hash != window[-1].hash:
            return self._rollback(window)
        if first > final_up_to:
            by_block = self._logs_by_hash(headers)
            self._explain(headers, by_block)
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

    def _header(self, number: int) -> Header:
        return checked_headers(self._rpc, number, number)[0]

    def _logs_by_hash(self, headers: Sequence[Header]) -> dict[int, list[RawLog]]:
        named = [header for header in headers if self._names_us(header)]
        requests: list[Request] = [
            ("eth_getLogs", ({"address": self._addresses, "blockHash": "0x" + header.hash.hex()},)) for header in named
        ]
        by_block: dict[int, list[RawLog]] = {}
        for header, answer in zip(named, self._rpc.fetch(list[RawLog], requests), strict=True):
            if isinstance(answer, RpcError):
                raise InconsistentNode(f"no logs of block {header.number}: {answer}") from answer
            if answer is None:
                raise InconsistentNode("eth_getLogs answered null")
            by_block |= grouped(checked_logs(answer), [header])
        return by_block

    def _explain(self, headers: Sequence[Header], by_block: dict[int, list[RawLog]]) -> None:
        """Make sure that every block which its bloom filter says holds logs of ours has some, or none by accident."""
        for header in headers:
            if header.number not in by_block and self._names_us(header):
                self._require_no_logs(header)

    def _names_us(self, header: Header) -> bool:
        """Whether the bloom filter says that the block may hold logs of our contracts."""
        return any(header.bloom & bits == bits for bits in self._blooms)

    def _require_no_logs(self, header: Header) -> None:
        """Make sure that a block without our logs has none although its bloom filter names us.

        A filter may name us by accident; then the receipts hold no log of ours, and all their logs together explain the
        filter. Anything else is an answer with logs left out.
        """
        (receipts,) = self._rpc.fetch(list[_Receipt], [("eth_getBlockReceipts", ("0x" + header.hash.hex(),))])
        if isinstance(receipts, RpcError):
            raise InconsistentNode(f"no receipts of block {header.number}: {receipts}") from receipts
        if receipts is None:
            raise InconsistentNode(f"block {header.number} names our contracts, but the node shows no logs of them")
        explained = 0
        for receipt in receipts:
            for log in receipt.logs:
                if log.address.lower() in self._addresses:
                    raise InconsistentNode(f"block {header.number} has logs of ours that eth_getLogs leaves out")
                explained |= bloom_bits(to_bytes(log.address))
                for topic in log.topics:
                    explained |= bloom_bits(to_bytes(topic))
        if explained != header.bloom:
            raise InconsistentNode(f"the logs of block {header.number} do not explain its bloom filter")
