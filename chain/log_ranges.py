"""Logs and headers of blocks that are final, range by range: several workers fetch ahead, the caller takes in order.

How many blocks a range has follows what the node answers: it starts small, takes the node's own proposal or half where
the node refuses, and grows gently, as long as answers stay small enough to be worked on while the next ones come.
"""

import logging
import re
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from .headers import Header, InconsistentNode, checked_headers
from .raw_log import RawLog, checked_logs, grouped
from .rpc import RpcClient, RpcError, RpcUnavailable

_log = logging.getLogger(__name__)

FIRST_RANGE = 500
LARGEST_RANGE = 5_000
_GROWTH_PERCENT = 25
_WORKERS = 3
# Some ten megabytes of JSON: large enough that a transaction for each costs nothing, small enough for memory.
_LOGS_WANTED = 5_000
# Providers name the range they would answer: "Try with this block range [0x1, 0x2]."
_HINT = re.compile(r"\[\s*(0x[0-9a-fA-F]+)\s*,\s*(0x[0-9a-fA-F]+)\s*\]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A range: all its headers, which link, and the logs of each block that has any."""

    headers: list[Header]
    logs: dict[int, list[RawLog]]


class LogRanges:
    """Fetches ranges ahead of the caller."""

    def __init__(
        self,
        rpc: RpcClient,
        addresses: Sequence[str],
        explain: Callable[[Sequence[Header], dict[int, list[RawLog]]], None],
        *,
        first_range: int,
        largest_range: int,
    ) -> None:
        """Ask nothing yet.

        Args:
            addresses: contracts, in lower case.
            explain: raises if a block without logs should have some.
            first_range, largest_range: blocks asked for at first and at most.
        """
        self._rpc = rpc
        self._addresses = addresses
        self._explain = explain
        self._range = first_range
        self._largest_range = largest_range
        self._ahead: deque[tuple[int, int, Future[Piece]]] = deque()
        self._workers: ThreadPoolExecutor | None = None

    def take(self, first: int, up_to: int) -> Piece:
        """The next range, from `first` on; the ones behind it, up to block `up_to`, are fetched meanwhile.

        Raises:
            RpcUnavailable: the node does not answer, or answers nonsense; ask again.
        """
        if not self._ahead or self._ahead[0][0] != first:
            self._drop()
            self._fetch_ahead(first, up_to, 1)
        _, last, future = self._ahead.popleft()
        try:
            piece = future.result()
        except BaseException:
            self._drop()
            raise
        if last < up_to:
            self._fetch_ahead(self._ahead[-1][1] + 1 if self._ahead else last + 1, up_to, _WORKERS)
        else:
            self._drop()
        return piece

    def _fetch_ahead(self, first: int, up_to: int, at_once: int) -> None:
        self._workers = self._workers or ThreadPoolExecutor(_WORKERS, "logs")
        while first <= up_to and len(self._ahead) < at_once:
            last = min(up_to, first + self._range - 1)
            self._ahead.append((first, last, self._workers.submit(self._fetch, first, last)))
            first = last + 1

    def _drop(self) -> None:
        """Forget what was fetched ahead; idle workers end."""
        self._ahead.clear()
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)
            self._workers = None

    def _fetch(self, first: int, last: int) -> Piece:
        logs: list[RawLog] = []
        begin = first
        while begin <= last:
            answer, end = self._logs(begin, min(last, begin + self._range - 1))
            logs += answer
            begin = end + 1
        headers = checked_headers(self._rpc, first, last)
        by_block = grouped(logs, headers)
        self._explain(headers, by_block)
        return Piece(headers, by_block)

    def _logs(self, first: int, last: int) -> tuple[list[RawLog], int]:
        """Logs from `first` on, and the last block that they cover: fewer where the node cannot answer for all."""
        while True:
            wanted = {"address": self._addresses, "fromBlock": hex(first), "toBlock": hex(last)}
            (answer,) = self._rpc.fetch(list[RawLog], [("eth_getLogs", (wanted,))])
            if isinstance(answer, RpcError):
                if last == first:
                    raise RpcUnavailable(f"no logs of block {first}: {answer}") from answer
                last = _smaller(answer, first, last)
                self._range = last - first + 1
                _log.info("the node wants smaller ranges: %d blocks now", self._range)
                continue
            if answer is None:
                raise InconsistentNode("eth_getLogs answered null")
            self._adapt(last - first + 1, len(answer))
            return checked_logs(answer), last

    def _adapt(self, blocks: int, logs: int) -> None:
        if logs > _LOGS_WANTED:
            self._range = max(1, min(self._range, blocks * _LOGS_WANTED // logs))
        elif blocks >= self._range:
            self._range = min(self._largest_range, self._range + self._range * _GROWTH_PERCENT // 100 + 1)


def _smaller(error: RpcError, first: int, last: int) -> int:
    """The last block to ask for next: what the node proposes, or half."""
    hint = _HINT.search(error.message)
    if hint and first <= int(hint[2], 16) < last:
        return int(hint[2], 16)
    return first + (last - first) // 2
