"""Wakes a waiting thread when there is something to do, so that it need not poll fast."""

import threading
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from .outbox import ENQUEUED


class Wakeup:
    """A bell. Rings that come while the thread is busy are not lost."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """Wake the thread, or keep it from falling asleep next."""
        self._rung.set()

    def wait(self, seconds: float) -> None:
        """Sleep until rung, or for so long."""
        self._rung.wait(seconds)
        self._rung.clear()

    def ring_after_enqueue(self, sessions: sessionmaker[Session]) -> None:
        """Ring whenever one of these sessions commits with an operation in it."""

        def committed(session: Session) -> None:
            if session.info.pop(ENQUEUED, False):
                self.ring()

        def rolled_back(session: Session, *_: Any) -> None:
            session.info.pop(ENQUEUED, None)

        event.listen(sessions, "after_commit", committed)
        event.listen(sessions, "after_rollback", rolled_back)
