"""How a request meets the database: a command is one transaction, committed before its answer leaves; a query reads.

Commands (POST, PUT, DELETE) use `CommandRoute`; their session is `CommandSession`. Queries use `QuerySession`.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Annotated, Any, cast

from fastapi import Depends, Query, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.auth.roles import Role
from app.auth.service import Principal, authenticate, demand
from app.clock import now
from app.deployment import Deployment
from app.errors import ApiError, Invalid
from app.gateway import Gateway
from app.idempotency.service import keep, key_of, request_digest, reserve
from app.indexer.projected import OWN, choose
from app.operations.service import DEADLINE
from app.operations.waiting import await_outcome
from chain.sql import reading

log = logging.getLogger(__name__)

DEADLINE_HEADER = "operation-deadline"
LOST_RACES = frozenset({"23505", "40001", "40P01"})
"""Of PostgreSQL: a key that another transaction took since it was looked for, a serialization failure, a deadlock.
SQLite, with one writer, has none of them."""
TRIES = 3
"""Of one command, all told."""


def gateway_of(request: Request) -> Gateway:
    """The running gateway."""
    return cast(Gateway, request.app.state.gateway)


class CommandRoute(APIRoute):
    """Runs a command in one transaction: authenticate, reserve the idempotency key, act, keep the answer, commit."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        act = super().get_route_handler()

        async def handle(request: Request) -> Response:
            gateway = gateway_of(request)
            body = await read_body(request, gateway.settings.max_body_bytes)
            key = key_of(request)

            async def carry_out() -> Response:
                session = gateway.sessions()
                try:
                    principal = await run_in_threadpool(authenticate, session, request)
                    request.state.session, request.state.principal = session, principal
                    session.info[DEADLINE] = _deadline(request)
                    if key is None:
                        response = await act(request)
                    else:
                        digest = request_digest(request, body)
                        replay = await run_in_threadpool(reserve, session, principal.key_id, key, digest)
                        response = replay or await act(request)
                        if replay is None:
                            await run_in_threadpool(keep, session, principal.key_id, key, response)
                    await run_in_threadpool(session.commit)
                finally:
                    await run_in_threadpool(session.close)
                return response

            async with gateway.command_gate:
                response = await _until_no_race_is_lost(carry_out)
            return await await_outcome(request, response, gateway)

        return handle


async def _until_no_race_is_lost(carry_out: Callable[[], Awaitable[Response]]) -> Response:
    """Carries a command out, and again where another took what it was about to take: then it meets what that did."""
    for _ in range(TRIES - 1):
        try:
            return await carry_out()
        except DBAPIError as error:
            code = getattr(error.orig, "sqlstate", None)
            if code not in LOST_RACES:
                raise
            log.info("a command lost a race and is carried out again: %s", code)  # what the error tells may be secret
    return await carry_out()


def preparing(prepare: Callable[[Gateway, bytes], Any], *roles: Role) -> type[CommandRoute]:
    """A route for commands with large bodies: the body is made ready before the transaction begins, so that it does not
    keep others from writing. `Prepared` is what came of it.

    Args:
        prepare: Reads the body; may refuse it.
        roles: Callers of any other are refused before.
    """

    class PreparingRoute(CommandRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            act = super().get_route_handler()

            async def handle(request: Request) -> Response:
                gateway = gateway_of(request)
                body = await read_body(request, gateway.settings.max_body_bytes)
                await run_in_threadpool(_admit, gateway, request, roles)
                request.state.prepared = await run_in_threadpool(prepare, gateway, body)
                return await act(request)

            return handle

    return PreparingRoute


def _admit(gateway: Gateway, request: Request, roles: Sequence[Role]) -> None:
    with reading(gateway.sessions) as session:
        demand(authenticate(session, request), *roles)


class BoundedRoute(APIRoute):
    """Runs a query that has a body, and may have no key: the body is refused once it is known to be too large."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        act = super().get_route_handler()

        async def handle(request: Request) -> Response:
            await read_body(request, gateway_of(request).settings.max_body_bytes)
            return await act(request)

        return handle


def _deadline(request: Request) -> int | None:
    """The Unix second from which what the command sends to the chain shall not take effect any more.

    Raises:
        Invalid: The header is no second in the future.
    """
    text = request.headers.get(DEADLINE_HEADER)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) <= now():
        raise Invalid(f"header/{DEADLINE_HEADER}", "future", "must be Unix seconds in the future")
    return int(text)


async def read_body(request: Request, limit: int) -> bytes:
    """The body, refused with 413 as soon as it is known to be too large."""
    size = 0
    chunks = []
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise ApiError(413, "body_too_large", f"The body may have at most {limit} bytes.", limit_bytes=limit)
        chunks.append(chunk)
    body = b"".join(chunks)
    request._body = body  # where Request.body() looks first: the stream can be read once only
    return body


def _command_session(request: Request) -> Session:
    return cast(Session, request.state.session)


def _query_session(
    request: Request,
    deployment: Annotated[
        int, Query(ge=1, description="Number of the deployment whose projection is read, from /v1/deployments.")
    ] = OWN,
) -> Iterator[Session]:
    with gateway_of(request).sessions() as session:
        # All statements see one moment, as they do on SQLite: what a report adds up belongs to one block.
        whole = {"isolation_level": "REPEATABLE READ"} if session.get_bind().dialect.name == "postgresql" else {}
        session.connection(execution_options={"readonly": True, **whole})
        if deployment != OWN:
            if session.get(Deployment, deployment) is None:
                raise Invalid("query/deployment", "known_deployment", f"there is no deployment {deployment}")
            choose(session, deployment)
        yield session


def _prepared(request: Request) -> Any:
    return request.state.prepared


Prepared = Depends(_prepared)
"""What a `preparing` route made of the body."""
CommandSession = Annotated[Session, Depends(_command_session)]
"""The session of a command; never committed in a service."""
QuerySession = Annotated[Session, Depends(_query_session, scope="function", max_concurrency=8)]
"""A session to read with. Fewer at once than connections, so that none waits while it holds a thread."""
TheGateway = Annotated[Gateway, Depends(gateway_of)]


def _caller(request: Request) -> Principal:
    return cast(Principal, request.state.principal)


Caller = Annotated[Principal, Depends(_caller)]
"""Who sent a command."""


def _reader(request: Request, session: QuerySession) -> Principal:
    return authenticate(session, request)


Reader = Annotated[Principal, Depends(_reader)]
"""Who sent a query."""


def only(*roles: Role) -> Callable[[Principal], None]:
    """A dependency of a command that refuses callers without one of the roles."""

    def check(principal: Caller) -> None:
        demand(principal, *roles)

    return check
