"""The way of a submission through the gateway: admitted, checked, stored.

- Admitted: the caller is known, is a platform, and within its limits.
- Checked: each record alone, in a process beside this one where there are many (`checkers`).
- Stored: while one transaction is on its way, those that come wait; the next takes them all (group commit). So a
  thousand small posts a second need not a thousand flushes to disk, and none is answered before its own is done.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from app.auth.recent import RecentKeys
from app.auth.roles import Role
from app.auth.service import demand
from app.clock import now
from app.errors import ApiError
from app.evidence.body import read
from app.evidence.checkers import Checkers
from app.evidence.checking import Job
from app.evidence.limits import PostLimits
from app.evidence.service import Post, examine, take_all
from app.gateway import Gateway
from app.idempotency.service import key_of, request_digest
from app.route import read_body
from app.workers import ONLY_RECEIPTS

log = logging.getLogger(__name__)

GROUP_POSTS = 500
GROUP_RECORDS = 10_000
"""What one transaction takes at most, beyond its first submission: bounds how long others wait for it."""
LARGE_BODY = 64 * 1024
"""Bytes from which reading a body is left to a thread."""


class Intake:
    """Takes the submissions of all platforms. Belongs to one event loop."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._callers = RecentKeys(gateway.sessions)
        self._limits = PostLimits(gateway.settings)
        self._checkers = Checkers()
        self._waiting: deque[tuple[Post, asyncio.Future[Response]]] = deque()
        self._storing: asyncio.Task[None] | None = None

    async def take(self, request: Request) -> Response:
        """The answer to a posted submission.

        Raises:
            ApiError: It is refused; nothing of it is kept.
        """
        caller = await self._callers.caller(request)
        demand(caller, Role.PLATFORM)
        self._limits.demand("posts", caller.key_id)
        limit = self._gateway.settings.max_body_bytes
        body = await read_body(request, limit)
        key = key_of(request)
        headers = request.headers
        arguments = body, headers.get("content-type", ""), headers.get("content-encoding", ""), limit
        large = len(body) > LARGE_BODY or "content-encoding" in headers
        posted = await run_in_threadpool(read, *arguments) if large else read(*arguments)
        envelope = posted.envelope
        if caller.subject != envelope.platform:
            raise ApiError(403, "other_platform", "Your key posts for another platform.", platform=caller.subject)
        self._limits.demand("records", caller.key_id, len(posted.records))
        idempotency = None
        if key is not None:
            idempotency = key, await run_in_threadpool(request_digest, request, body)
        checks = await self._checkers.check(
            Job(
                platform=envelope.platform,
                custody=envelope.signature is None,
                key=self._gateway.jurisdiction_key,
                now=now(),
                records=[bytes(record) for record in posted.records],
            )
        )
        return await self._store(examine(self._gateway, caller, envelope, checks, idempotency))

    async def close(self) -> None:
        """Ends the checking processes."""
        await self._checkers.close()

    async def _store(self, post: Post) -> Response:
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting.append((post, answer))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_all())
        return await answer

    async def _store_all(self) -> None:
        """Stores group after group until none waits."""
        while self._waiting:
            async with self._gateway.command_gate:
                group = self._next_group()
                await self._store_group(group)

    def _next_group(self) -> list[tuple[Post, asyncio.Future[Response]]]:
        group = [self._waiting.popleft()]
        records = 0
        while self._waiting and len(group) < GROUP_POSTS:
            records += len(self._waiting[0][0].checks.good)
            if records > GROUP_RECORDS:
                break
            group.append(self._waiting.popleft())
        return group

    async def _store_group(self, group: Sequence[tuple[Post, asyncio.Future[Response]]]) -> None:
        try:
            answers = await run_in_threadpool(self._commit, [post for post, _ in group])
        except Exception as error:
            if len(group) > 1:
                # One of them is at fault: each alone, so that the others do not suffer for it.
                log.exception("%d submissions could not be stored together", len(group))
                for one in group:
                    await self._store_group([one])
            elif not group[0][1].done():
                group[0][1].set_exception(error)
            return
        for (_, waiting), answer in zip(group, answers, strict=True):
            if not waiting.done():  # its client may have gone
                waiting.set_result(answer)

    def _commit(self, posts: Sequence[Post]) -> list[Response]:
        with self._gateway.sessions.begin() as session:
            session.info[ONLY_RECEIPTS] = True
            return take_all(session, self._gateway, posts)
