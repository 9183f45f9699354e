"""Polled filters: eth_newFilter, eth_newBlockFilter and what they have seen."""

import secrets
import threading
import time
from dataclasses import dataclass

from .errors import LIMIT_EXCEEDED, SERVER_ERROR, NodeError
from .params import LogFilter

_MAX_FILTERS = 256
_IDLE_SECONDS = 300.0


@dataclass(slots=True)
class Filter:
    """One filter. `wanted` is None for a block filter; `seen` is the newest block already reported."""

    wanted: LogFilter | None
    seen: int
    polled_at: float


class Filters:
    """Filters by id; one that nobody polls for five minutes is forgotten, as on geth."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, Filter] = {}

    def install(self, wanted: LogFilter | None, head: int) -> str:
        """Add a filter that reports what comes after block `head`; returns its id.

        Raises:
            NodeError: too many are installed.
        """
        now = time.monotonic()
        with self._lock:
            for filter_id in [key for key, one in self._by_id.items() if now - one.polled_at > _IDLE_SECONDS]:
                del self._by_id[filter_id]
            if len(self._by_id) >= _MAX_FILTERS:
                raise NodeError(LIMIT_EXCEEDED, f"too many filters, at most {_MAX_FILTERS}")
            filter_id = hex(secrets.randbits(128) | 1 << 127)
            self._by_id[filter_id] = Filter(wanted, head, now)
            return filter_id

    def get(self, filter_id: object) -> Filter:
        """The filter with an id.

        Raises:
            NodeError: there is none.
        """
        with self._lock:
            found = self._by_id.get(filter_id) if isinstance(filter_id, str) else None
            if found is None:
                raise NodeError(SERVER_ERROR, "filter not found")
            found.polled_at = time.monotonic()
            return found

    def advance(self, found: Filter, head: int) -> tuple[int, int]:
        """The blocks (first, last) not reported yet, which from now on count as reported."""
        with self._lock:
            first, found.seen = found.seen + 1, max(head, found.seen)
            return first, found.seen

    def uninstall(self, filter_id: object) -> bool:
        """Remove a filter; False where there is none."""
        with self._lock:
            return isinstance(filter_id, str) and self._by_id.pop(filter_id, None) is not None
