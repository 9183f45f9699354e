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
ONLY_RECEIPTS = "only receipts"
"""In `Session.info` of a transaction that only stores evidence: of the workers, the anchorer alone has to do with it at
once, and there are very many."""
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

    Args:
        but: What stands in `Session.info` where a commit is not counted.

    Attributes:
        latest: Number of the latest commit.
    """

    def __init__(self, sessions: sessionmaker[Session], *, but: str = "") -> None:
        self._but = but
        self._numbers = itertools.count(1)
        self.latest = 0
        event.listen(sessions, "after_commit", self._committed)

    def stepping(self, step: Callable[[], bool], idle_s: float = IDLE_S) -> Callable[[threading.Event], None]:
        """A loop over a step.

        Args:
            step: Does one piece of work; returns whether there may be more at once.
            idle_s: Rest in seconds, at least, after a step that found nothing.
        """

        def run(stop: threading.Event) -> None:
            while not stop.is_set():
                seen = self.latest
                if not step():
                    self.rest(stop, seen, idle_s)

        return run

    def rest(self, stop: threading.Event, seen: int, idle_s: float = IDLE_S) -> None:
        """Sleeps until something beyond the commit `seen` was committed, for half a second at most."""
        until = time.monotonic() + UNTOLD_S
        while not stop.wait(idle_s) and self.latest == seen and time.monotonic() < until:
            pass

    def _committed(self, session: Session) -> None:
        if self._but not in session.info:
            self.latest = next(self._numbers)
