"""Threads that work beside the requests: relay, indexer, anchorer, claims. Each survives what it raises."""

import itertools
import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

log = logging.getLogger(__name__)

IDLE_S = 0.1
UNTOLD_S = 0.5
"""After how long an idle worker looks though nothing was committed here: time passes, and other processes commit."""
SECOND_S = 1.0
BACKOFF_MAX_S = 10.0


class Worker:
    """Runs a loop on a thread of its own, and again if it fails.

    Args:
        run: Works until the event is set.
    """

    def __init__(self, name: str, run: Callable[[threading.Event], None]) -> None:
        self._run = run
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_running, name=name, daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the piece of work in hand."""
        self._stop.set()
        self._thread.join()

    def _keep_running(self) -> None:
        backoff = IDLE_S
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._run(self._stop)
            except Exception:
                if time.monotonic() - began > BACKOFF_MAX_S:
                    backoff = IDLE_S  # it worked for a while: a new trouble, not the old one
                # Nothing is lost: all work is done in transactions, and the next one begins where the database says.
                log.exception("%s failed; trying again in %.1f s", self._thread.name, backoff)
                self._stop.wait(backoff)
                backoff = min(backoff * 2, BACKOFF_MAX_S)


def every_second(step: Callable[[], None]) -> Callable[[threading.Event], None]:
    """A loop over a step that does all there is."""

    def run(stop: threading.Event) -> None:
        while not stop.is_set():
            step()
            stop.wait(SECOND_S)

    return run


class Commits:
    """Numbers what sessions commit, so that an idle worker need not ask the database whether there is work.

    Attributes:
        latest: Number of the latest commit.
    """

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._numbers = itertools.count(1)
        self.latest = 0
        event.listen(sessions, "after_commit", self._committed)

    def stepping(self, step: Callable[[], bool]) -> Callable[[threading.Event], None]:
        """A loop over a step.

        Args:
            step: Does one piece of work; returns whether there may be more at once.
        """

        def run(stop: threading.Event) -> None:
            while not stop.is_set():
                seen = self.latest
                if not step():
                    self.rest(stop, seen)

        return run

    def rest(self, stop: threading.Event, seen: int) -> None:
        """Sleeps until something beyond the commit `seen` was committed, for half a second at most."""
        until = time.monotonic() + UNTOLD_S
        while not stop.wait(IDLE_S) and self.latest == seen and time.monotonic() < until:
            pass

    def _committed(self, _session: Session) -> None:
        self.latest = next(self._numbers)
