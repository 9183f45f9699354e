"""Webhooks and the event stream over HTTP: each caller gets what it may see, resumes, rotates, replays."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.types import Message

from app.auth.models import ApiKey
from app.events.models import Event
from app.events.stream import EventStream, Streams, Wanted
from app.webhooks import service as webhook_service
from tests.app.claims.scenario import until
from tests.app.conftest import RunningService
from tests.app.organisations import new_uscc, registration
from tests.app.webhooks.receiver import Receiver, receiver


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@dataclass
class Firm:
    """An organisation with a key of its own."""

    service: RunningService
    uscc: str = field(default_factory=new_uscc)

    def __post_init__(self) -> None:
        self.key = self.service.api_key("enterprise", self.uscc)

    def register(self) -> str:
        """Something that happens to it; the id of the operation."""
        outcome = self.service.settle("/v1/entities", "registrar", {"entities": [registration(self.uscc)]})
        return str(outcome["operation_id"])


@pytest.fixture(scope="module")
def firm(service: RunningService) -> Firm:
    """One that is registered already."""
    made = Firm(service)
    made.register()
    # What happened is told a moment after it can be read.
    with stream(service, made.key, 0) as told:
        assert next(told) == ": suanquan"
        assert event_of(next(told))[1] == "entity.registered"
    until(lambda: not unpublished(service))
    return made


def unpublished(service: RunningService) -> int:
    """How many events wait for their position."""
    with service.gateway.sessions() as session:
        return session.query(Event).filter(Event.position.is_(None)).count()


def subscribe(service: RunningService, who: str, hook: Receiver, *types: str) -> dict[str, Any]:
    answer = service.post("/v1/webhooks", who, {"url": hook.url, "types": list(types)})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@contextmanager
def stream(service: RunningService, who: str, position: int | None = None, types: str = "*") -> Iterator[Iterator[str]]:
    """Blocks of an event stream."""
    headers = service.headers(who) | ({} if position is None else {"Last-Event-ID": str(position)})
    with service.http.stream("GET", "/v1/events", params={"types": types}, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield blocks(answer)


def blocks(answer: httpx.Response) -> Iterator[str]:
    lines: list[str] = []
    for line in answer.iter_lines():
        if line:
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []


def event_of(block: str) -> tuple[int, str, dict[str, Any]]:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    return int(fields["id"]), fields["event"], json.loads(fields["data"])


def test_each_webhook_gets_what_it_asked_for_and_may_see_signed_with_its_secret(
    service: RunningService, hook: Receiver
) -> None:
    firm, other = Firm(service), Firm(service)
    with receiver() as of_staff, receiver() as of_other:
        mine = subscribe(service, firm.key, hook, "*")
        staff = subscribe(service, "operator", of_staff, "operation.*")
        subscribe(service, other.key, of_other, "entity.*")
        operation_id = firm.register()
        (told,) = hook.wait()
        told_staff = of_staff.wait()
        message = told.says(mine["secret"])
        assert message["type"] == "entity.registered"
        assert message["id"] == told.id
        assert message["data"]["chain"]["tx_hash"].startswith("0x")
        assert [one.says(staff["secret"])["data"]["operation_id"] for one in told_staff] == [operation_id]
        with pytest.raises(WebhookVerificationError):
            told.says(staff["secret"])
        with pytest.raises(WebhookVerificationError):
            Webhook(mine["secret"]).verify(told.body.replace("entity", "voucher"), told.headers)
        assert not of_other.received
    path = f"/v1/webhooks/{mine['webhook_id']}/deliveries/{told.id}"
    # The receiver has it a moment before the log has the receiver's answer.
    until(lambda: service.get(path, firm.key).json()["state"] == "delivered")
    seen = service.get(path, firm.key).json()
    assert seen["message"] == message
    assert [one["status"] for one in seen["log"]] == [204]


def test_secrets_are_shown_once(service: RunningService, hook: Receiver) -> None:
    made = service.post("/v1/webhooks", "finance", {"url": hook.url}, **{"Idempotency-Key": "a-hook"})
    secret = made.json()["secret"]
    assert made.headers["cache-control"] == "no-store"
    again = service.post("/v1/webhooks", "finance", {"url": hook.url}, **{"Idempotency-Key": "a-hook"})
    assert (again.status_code, again.json()["code"]) == (409, "shown_once")
    listed = service.get("/v1/webhooks", "finance")
    assert [one["webhook_id"] for one in listed.json()] == [made.json()["webhook_id"]]
    assert secret not in listed.text + again.text
    with service.gateway.sessions() as session:
        dump = session.connection().exec_driver_sql("SELECT * FROM webhooks").all()
    assert secret.removeprefix("whsec_") not in str(dump)
    path = f"/v1/webhooks/{made.json()['webhook_id']}"
    rotated = service.post(f"{path}/rotate", "finance", {"overlap_s": 60}).json()
    assert rotated["secret"] != secret
    assert rotated["previous_secret_until"] > time.time()
    removed = service.http.delete(path, headers={**service.headers("finance"), "Idempotency-Key": "gone"})
    assert removed.status_code == 204
    assert service.get(path, "finance").status_code == 404


def test_others_cannot_touch_a_webhook_nor_know_of_it(service: RunningService, hook: Receiver, firm: Firm) -> None:
    made = subscribe(service, firm.key, hook, "voucher.*")
    path = f"/v1/webhooks/{made['webhook_id']}"
    outsiders = (service.api_key("enterprise", new_uscc()), service.api_key("platform", firm.uscc), "operator")
    for who in outsiders:
        answers = [
            service.get(path, who),
            service.get(f"{path}/deliveries", who),
            service.get(f"{path}/deliveries/evt_{'0' * 32}", who),
            service.post(f"{path}/rotate", who, {}),
            service.post(f"{path}/enable", who),
            service.post(f"{path}/replay", who, {"since": 0, "until": 1}),
            service.http.delete(path, headers=service.headers(who)),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert made["webhook_id"] not in service.get("/v1/webhooks", who).text
    for answer in (service.http.get("/v1/webhooks"), service.http.post("/v1/webhooks"), service.http.get("/v1/events")):
        assert answer.status_code == 401
    assert service.get(path, firm.key).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        ({"url": "ftp://example.com/"}, "/url", "webhook_url"),
        ({"url": "https://a:b@example.com/"}, "/url", "webhook_url"),
        ({"url": "https://example.com/", "types": ["voucher.sold"]}, "/types/0", "event_type"),
        ({"url": "https://example.com/", "types": []}, "/types", "too_short"),
        ({"url": "https://example.com/", "types": ["voucher.*", "operation.*"]}, "/types/1", "staff_only"),
        ({}, "/url", "missing"),
    ],
)
def test_a_bad_webhook_is_refused_by_member_and_rule(
    service: RunningService, firm: Firm, body: dict[str, Any], pointer: str, rule: str
) -> None:
    answer = service.post("/v1/webhooks", firm.key, body)
    assert answer.status_code == 422
    assert [(error["pointer"], error["rule"]) for error in answer.json()["errors"]] == [(pointer, rule)]


def test_private_addresses_are_refused_unless_the_settings_allow_them(
    service: RunningService, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.gateway.settings, "webhooks_allow_private", False)
    for url in (hook.url, hook.url.replace("http:", "https:"), "https://[::ffff:127.0.0.1]/", "https://10.1.2.3/"):
        answer = service.post("/v1/webhooks", "regulator", {"url": url})
        assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "webhook_url")


def test_messages_are_sent_again_one_by_one_or_by_time(
    service: RunningService, hook: Receiver, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Made after what happened: a stretch of time brings it all the same.
    made = subscribe(service, firm.key, hook, "entity.*")
    path = f"/v1/webhooks/{made['webhook_id']}"
    now = int(time.time())
    stretch = {"since": now - 3600, "until": now + 3600}
    assert service.post(f"{path}/replay", firm.key, stretch).json() == {"messages": 1}
    (told,) = hook.wait()
    assert service.post(f"{path}/replay", firm.key, {"message_id": told.id}).json() == {"messages": 1}
    assert [one.id for one in hook.wait(2)] == [told.id] * 2
    page = service.get(f"{path}/deliveries", firm.key, limit=1).json()
    assert [one["message_id"] for one in page["items"]] == [told.id]
    assert service.get(f"{path}/deliveries", firm.key, after=page["next"]).json() == {"items": [], "next": None}
    assert service.get(f"{path}/deliveries", firm.key, state="dead").json()["items"] == []

    foreign = service.post(f"{path}/replay", firm.key, {"message_id": "evt_" + "0" * 32})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "message_not_found")
    for body in ({}, {"since": 1}, {"message_id": told.id, "since": 1, "until": 2}):
        assert service.post(f"{path}/replay", firm.key, body).status_code == 422
    monkeypatch.setattr(webhook_service, "MOST_REPLAYED", 0)
    too_many = service.post(f"{path}/replay", firm.key, stretch)
    assert (too_many.status_code, too_many.json()["limit"]) == (422, 0)


def test_a_tenant_has_so_many_webhooks_and_no_more(
    service: RunningService, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_service, "MOST_WEBHOOKS", 1)
    key = service.api_key("enterprise", new_uscc())
    subscribe(service, key, hook, "*")
    answer = service.post("/v1/webhooks", key, {"url": hook.url})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_a_stream_goes_on_where_it_was_left_and_shows_only_what_the_caller_may_see(service: RunningService) -> None:
    firm, other = Firm(service), Firm(service)
    with (
        stream(service, firm.key) as mine,
        stream(service, "regulator", types="entity.*,operation.succeeded") as all_of_it,
    ):
        assert next(mine) == next(all_of_it) == ": suanquan"
        other.register()
        firm.register()
        place, kind, message = event_of(next(mine))
        assert (kind, message["type"]) == ("entity.registered", "entity.registered")
        seen = [event_of(next(all_of_it)) for _ in range(4)]
    assert sorted(kind for _, kind, _ in seen) == ["entity.registered"] * 2 + ["operation.succeeded"] * 2
    positions = [position for position, _, _ in seen]
    assert positions == sorted(positions)
    assert place in positions
    # The client comes back with the second position that it saw: it gets the others, once each.
    with stream(service, "regulator", positions[1], "entity.*,operation.succeeded") as rest:
        next(rest)
        assert [event_of(next(rest)) for _ in range(2)] == seen[2:]
    # From the beginning: its own, nobody else's.
    with stream(service, firm.key, 0) as again:
        next(again)
        assert event_of(next(again)) == (place, kind, message)


def test_a_bad_stream_is_refused(service: RunningService) -> None:
    unknown = service.get("/v1/events", "operator", types="voucher.sold")
    assert (unknown.status_code, unknown.json()["errors"][0]["rule"]) == (422, "event_type")
    for value in ("-1", "x", "9" * 30):
        answer = service.http.get("/v1/events", headers={**service.headers("operator"), "Last-Event-ID": value})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_last_event_id")
    assert "operation.succeeded" in service.get("/v1/event-types", "operator").json()
    key = service.api_key("enterprise", new_uscc())
    assert "operation.succeeded" not in service.get("/v1/event-types", key).json()


def test_many_streams_hold_no_connection_of_the_database(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.events import router, stream as stream_module  # noqa: I001

    monkeypatch.setattr(stream_module, "HEARTBEAT_S", 0.3)
    monkeypatch.setattr(router, "MOST_STREAMS", 30)
    limits = httpx.Limits(max_connections=60)
    with httpx.Client(base_url=service.url, timeout=90, trust_env=False, limits=limits) as client:
        headers = service.headers("operator")

        def opens() -> httpx.Response | None:
            answer = client.send(client.build_request("GET", "/v1/events", headers=headers), stream=True)
            if answer.status_code == httpx.codes.OK:
                return answer
            answer.close()
            return None

        # Those that the test before this one left count until the service notices.
        opened = [until(opens) for _ in range(30)]
        beating = [blocks(answer) for answer in opened]
        for one in beating:
            next(one)
            assert ": still here" in next(one)
        pool = service.gateway.sessions.kw["bind"].pool
        until(lambda: pool.checkedout() < 10)  # workers and looks for all streams hold some for a moment
        assert client.get("/v1/events", headers=headers).status_code == 503
        assert service.get("/healthz").status_code == 200
        for answer in opened:
            answer.close()


def test_a_client_that_takes_nothing_is_cut_off_and_the_end_of_the_service_ends_streams(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.events import stream as stream_module

    monkeypatch.setattr(stream_module, "STALLED_AFTER_S", 0.2)
    with service.gateway.sessions() as session:
        key_id = session.scalars(select(ApiKey.id)).first()
    assert key_id is not None
    sent: list[Message] = []

    async def play(takes: int, *, ends: bool) -> Streams:
        """A client that takes so many messages; the service ends a moment later, or does not."""
        streams = Streams(service.gateway)
        never = asyncio.Event()

        async def send(message: Message) -> None:
            if len(sent) == takes:
                await never.wait()
            sent.append(message)

        async def receive() -> Message:
            await never.wait()
            return {"type": "http.disconnect"}

        answer = EventStream(streams, Wanted(key_id, None, ["*"]), 0)
        open_stream = asyncio.create_task(answer({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send))
        if ends:
            await asyncio.sleep(0.3)
            streams.end()
        async with asyncio.timeout(120):
            await open_stream
        return streams

    assert asyncio.run(play(2, ends=False)).open == 0
    assert len(sent) == 2
    sent.clear()
    assert asyncio.run(play(10**6, ends=True)).open == 0
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
