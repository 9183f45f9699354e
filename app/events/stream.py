"""Server-sent events: the published events as they come, from where the client left off.

A stream holds no session: it looks, lets go, and sends what it found. It reads on only when the client took that, so a
slow client costs one page of memory; one that takes nothing for a while is cut off, and resumes where it was.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from app.auth.models import ApiKey
from app.events import repository
from app.events.head import Head
from app.events.message import body_of
from app.gateway import Gateway

_log = logging.getLogger(__name__)

PAGE = 100
HEARTBEAT_S = 15.0
STALLED_AFTER_S = 30.0
"""A client that takes nothing for so long is cut off."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a stream sends: types of events, and whose."""

    key_id: str
    party: bytes | None
    patterns: Sequence[str]


class Streams:
    """The open streams of a process."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.head = Head(gateway.sessions)
        self.open = 0
        self.ended = False

    def end(self) -> None:
        """Ends all streams, soon: the service ends, and by themselves they never would."""
        self.ended = True
        self.head.close()


class EventStream(StreamingResponse):
    """The answer, counted while it lasts, cut off where the client takes nothing."""

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, wanted: Wanted, position: int) -> None:
        super().__init__(events_after(streams, wanted, position), headers={"cache-control": "no-store"})
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See starlette."""
        self._streams.open += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.open -= 1

    async def stream_response(self, send: Send) -> None:
        """See starlette; each chunk is sent within a time."""

        async def patiently(message: Message) -> None:
            async with asyncio.timeout(STALLED_AFTER_S):
                await send(message)

        try:
            await super().stream_response(patiently)
        except TimeoutError:
            _log.info("an event stream is cut off: its client took nothing for %d s", STALLED_AFTER_S)


async def events_after(streams: Streams, wanted: Wanted, position: int) -> AsyncIterator[str]:
    """The text of a stream, without end unless the caller's key is revoked or the service ends."""
    yield ": suanquan\n\n"
    while True:
        newest = await streams.head.wait_beyond(position, HEARTBEAT_S)
        if streams.ended:
            return
        page = await run_in_threadpool(_page, streams.gateway, wanted, position)
        if page is None:
            return
        for place, kind, body in page:
            yield f"id: {place}\nevent: {kind}\ndata: {body}\n\n"
            position = place
        if newest is None and not page:
            yield f"id: {position}\n: still here\n\n"
        elif newest is not None and len(page) < PAGE:
            # What lies up to there is not for this caller.
            position = max(position, newest)


def _page(gateway: Gateway, wanted: Wanted, position: int) -> list[tuple[int, str, str]] | None:
    """The next events; None once the caller's key is revoked."""
    with gateway.sessions() as session:
        session.connection(execution_options={"readonly": True})
        if _is_revoked(session, wanted.key_id):
            return None
        rows = repository.after(session, position, wanted.patterns, wanted.party, PAGE)
        return [(row.position or 0, row.type, body_of(row)) for row in rows]


def _is_revoked(session: Session, key_id: str) -> bool:
    key = session.get(ApiKey, key_id)
    return key is None or key.revoked_at is not None
