"""Threads that work beside the requests: relay, indexer, anchorer, claims. Each survives what its step raises."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

IDLE_S = 0.1
BACKOFF_MAX_S = 10.0


class Worker:
    """Calls a step again and again on a thread of its own.

    Args:
        step: Does one piece of work; returns whether there may be more at once.
    """

    def __init__(self, name: str, step: Callable[[], bool]) -> None:
        self._step = step
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the step in hand."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        backoff = IDLE_S
        while not self._stop.is_set():
            try:
                busy = self._step()
            except Exception:
                # Nothing is lost: a step is one transaction, and the next one begins where the database says.
                log.exception("%s failed; trying again in %.1f s", self._thread.name, backoff)
                self._stop.wait(backoff)
                backoff = min(backoff * 2, BACKOFF_MAX_S)
                continue
            backoff = IDLE_S
            if not busy:
                self._stop.wait(IDLE_S)
