"""API keys that were seen within the last second, so that very many small posts do not each ask the database.

A key that is revoked meanwhile passes here and no further: the transaction that stores asks again (`still_valid`).
"""

import hmac
import time
from collections import OrderedDict

from fastapi import Request
from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool

from app.auth.service import Principal, authenticate, presented

SECONDS = 1.0
KEYS = 10_000


class RecentKeys:
    """Remembers the callers of requests."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._seen: OrderedDict[str, tuple[float, bytes, Principal]] = OrderedDict()

    async def caller(self, request: Request) -> Principal:
        """Who sent the request.

        Raises:
            ApiError: 401 as `authenticate`.
        """
        key_id, digest = presented(request)
        seen_at, secret, principal = self._seen.get(key_id, (0.0, b"", None))
        if principal is not None and time.monotonic() < seen_at + SECONDS and hmac.compare_digest(secret, digest):
            return principal
        principal = await run_in_threadpool(self._look_up, request)
        self._seen[key_id] = (time.monotonic(), digest, principal)
        self._seen.move_to_end(key_id)
        if len(self._seen) > KEYS:
            self._seen.popitem(last=False)
        return principal

    def _look_up(self, request: Request) -> Principal:
        with self._sessions() as session:
            session.connection(execution_options={"readonly": True})
            return authenticate(session, request)
