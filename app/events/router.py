"""`/v1/events`: the stream of events, and `/v1/event-types`."""

import re
from typing import Annotated, cast

from fastapi import APIRouter, Header, Query, Request

from app.errors import ApiError, Invalid
from app.events import repository
from app.events.catalogue import STAFF_PREFIXES, TYPES, is_pattern
from app.events.reading import party_of
from app.events.stream import EventStream, Streams, Wanted
from app.route import QuerySession, Reader, TheGateway

router = APIRouter(prefix="/v1", tags=["events"])
MOST_STREAMS = 200
"""Streams of one process at once; each is a connection."""
_POSITION = re.compile(r"\d{1,18}")


@router.get("/events", response_class=EventStream, status_code=200)
def stream_events(
    *,
    request: Request,
    session: QuerySession,
    gateway: TheGateway,
    caller: Reader,
    types: Annotated[str, Query(max_length=1000, examples=["voucher.*,evidence.anchored"])] = "*",
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """Server-sent events: what happens from now on, or from behind `Last-Event-ID`; `0` is the beginning.

    The id of an event is its position, which ascends without end and is the same on every gateway; its data is the
    message that webhooks get. Comments come every 15 s while nothing happens.
    """
    patterns = [one.strip() for one in types.split(",")]
    for pattern in patterns:
        if not is_pattern(pattern):
            raise Invalid("query/types", "event_type", f"no event has the type {pattern!r}; see /v1/event-types")
    if last_event_id is not None and not _POSITION.fullmatch(last_event_id):
        raise ApiError(400, "bad_last_event_id", "Last-Event-ID is the id of an event that this stream sent, or 0.")
    streams = cast(Streams, request.app.state.streams)
    if streams.open >= MOST_STREAMS:
        raise ApiError(503, "too_many_streams", "This gateway has as many streams as it may; try again later.")
    position = repository.head(session) if last_event_id is None else int(last_event_id)
    return EventStream(streams, Wanted(caller.key_id, party_of(gateway, caller), patterns), position)


@router.get("/event-types")
def event_types(caller: Reader) -> list[str]:
    """The types of events that the caller may see."""
    return sorted(kind for kind in TYPES if caller.is_staff or not kind.startswith(STAFF_PREFIXES))
