"""The newest position, looked up once for all streams of a process."""

import asyncio
import contextlib

from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool

from app.events import repository

POLL_S = 0.2


class Head:
    """Follows the newest position while somebody waits for it; a waiting stream costs the database nothing.

    A failed look ends the waits with the database's error, and the streams with it: their clients come back.
    """

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._position = 0
        self._look: asyncio.Task[int] | None = None
        self._closed = False

    async def wait_beyond(self, position: int, seconds: float) -> int | None:
        """The newest position once it is beyond another; None if it is not within the time, or the service ends."""
        if self._position > position:
            return self._position
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._position <= position and not self._closed:
                    await self._next_look()
        return self._position if self._position > position else None

    def close(self) -> None:
        """End all waits, soon."""
        self._closed = True

    async def _next_look(self) -> None:
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._look_soon())
        # Shielded: who gives up waiting must not take the look away from the others.
        self._position = max(self._position, await asyncio.shield(self._look))

    async def _look_soon(self) -> int:
        await asyncio.sleep(POLL_S)
        return await run_in_threadpool(self._newest)

    def _newest(self) -> int:
        with self._sessions() as session:
            session.connection(execution_options={"readonly": True})
            return repository.head(session)
