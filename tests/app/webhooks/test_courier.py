"""Messages are posted until they are taken, whoever dies, answers badly or does not answer. On both databases."""

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from app.auth.roles import Role
from app.auth.service import create_key
from app.events.recorder import record
from app.webhooks import courier as courier_module
from app.webhooks import repository
from app.webhooks.courier import Courier
from app.webhooks.models import DEAD, DELIVERED, PENDING, Attempt, Delivery, Webhook
from app.webhooks.post import post
from app.webhooks.service import rotate
from app.webhooks.signing import secret_of
from app.workers import Worker
from tests.app.webhooks.courier_process import SEED, settings
from tests.app.webhooks.receiver import HANG, Receiver, receiver
from tests.database import database_url, make

__all__ = ["database_url", "make"]
HOOK = "wh_" + "0" * 32


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def subscribe(make: sessionmaker[Session], url: str, events: int) -> list[str]:
    """A webhook with so many messages to post; their ids."""
    with make.begin() as session:
        key_id = create_key(session, Role.OPERATOR).split("_")[1]
        session.flush()
        session.add(
            Webhook(
                id=HOOK,
                key_id=key_id,
                role="operator",
                subject="",
                url=url,
                description="",
                types=["*"],
                secret_version=1,
                created_at=0,
            )
        )
        rows = [record(session, "signer.balance_low", {"number": number}) for number in range(events)]
        session.flush()
        repository.add_deliveries(session, [repository.fresh(HOOK, row.id, int(time.time())) for row in rows])
        return [row.uid for row in rows]


@contextmanager
def couriers(make: sessionmaker[Session], count: int = 1, **options: Any) -> Iterator[None]:
    workers = [Worker(f"courier {number}", Courier(make, settings(**options), SEED).run) for number in range(count)]
    for worker in workers:
        worker.start()
    yield
    for worker in workers:
        worker.stop()


def states(make: sessionmaker[Session]) -> list[str]:
    with make() as session:
        return [row.state for row in session.query(Delivery).order_by(Delivery.id)]


def until_no_pending(make: sessionmaker[Session]) -> None:
    deadline = time.monotonic() + 120
    while PENDING in states(make):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_message_is_tried_until_it_is_taken_and_the_log_tells_each_try(
    make: sessionmaker[Session], hook: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (uid,) = subscribe(make, hook.url, 1)
    hook.script = [500, 302, HANG]
    hook.answer = "忙".encode() * 1000 + b"\0"
    with couriers(make, timeout_s=2.0):
        until_no_pending(make)
    assert [one.id for one in hook.received] == [uid] * 4
    assert len({one.body for one in hook.received}) == 1
    with make() as session:
        log = session.query(Attempt).order_by(Attempt.id).all()
    assert [one.status for one in log] == [500, 302, None, 204]
    assert "ReadTimeout" in (log[2].error or "")
    assert len((log[0].body or "").encode()) <= 1026
    secret = secret_of(SEED, HOOK, 1)
    hook.received[-1].says(secret)
    assert secret.removeprefix("whsec_") not in caplog.text
    assert hook.received[0].headers["webhook-signature"] not in caplog.text


def test_two_couriers_on_one_database_post_each_message_once(make: sessionmaker[Session], hook: Receiver) -> None:
    uids = subscribe(make, hook.url, 60)
    with couriers(make, 2):
        until_no_pending(make)
    assert hook.counts() == dict.fromkeys(uids, 1)
    assert states(make) == [DELIVERED] * 60


def test_killed_in_the_middle_of_a_delivery_the_message_comes_again_under_its_id(
    make: sessionmaker[Session], database_url: str, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    (uid,) = subscribe(make, hook.url, 1)
    hook.script = [HANG]
    command = [sys.executable, "-m", "tests.app.webhooks.courier_process", database_url]
    with subprocess.Popen(command) as process:
        hook.wait()
        process.kill()
    with make() as session:
        row = session.query(Delivery).one()
        assert (row.state, row.attempts) == (PENDING, 1)
        counts_as_lost_s = settings().webhook_timeout_s + courier_module.LOST_AFTER_S
        assert time.time() < row.due_at <= time.time() + counts_as_lost_s
    with make.begin() as session:
        session.execute(update(Delivery).values(due_at=0.0))  # the time after which the try counts as lost is over
    with couriers(make):
        until_no_pending(make)
    assert hook.counts() == {uid: 2}
    hook.received[1].says(secret_of(SEED, HOOK, 1))
    with make() as session:
        assert [one.number for one in session.query(Attempt)] == [2]


def test_what_is_never_taken_is_given_up_after_the_days_that_the_settings_say(
    make: sessionmaker[Session], hook: Receiver
) -> None:
    subscribe(make, hook.url, 1)
    hook.script = [503] * 99
    with make.begin() as session:
        session.execute(update(Delivery).values(waiting_since=int(time.time()) - 3 * 86400))
    with couriers(make):
        until_no_pending(make)
    assert states(make) == [DEAD]
    assert len(hook.received) == 1


def test_a_receiver_that_is_gone_is_not_bothered_again(make: sessionmaker[Session], hook: Receiver) -> None:
    subscribe(make, hook.url, 40)
    hook.script = [410] * 40
    with couriers(make):
        until_no_pending(make)
    assert set(states(make)) == {DEAD}
    assert len(hook.received) < 40
    with make() as session:
        assert session.get_one(Webhook, HOOK).disabled_reason == courier_module.GONE


def test_a_key_that_is_revoked_gets_nothing_more(make: sessionmaker[Session], hook: Receiver) -> None:
    subscribe(make, hook.url, 1)
    with make.begin() as session:
        session.connection().exec_driver_sql("UPDATE api_keys SET revoked_at = 1")
    with couriers(make):
        time.sleep(0.4)
    assert not hook.received


def test_a_receiver_that_hangs_holds_up_no_other(make: sessionmaker[Session], hook: Receiver) -> None:
    subscribe(make, hook.url, 30)
    hook.script = [HANG] * 4
    with make.begin() as session:
        with receiver() as other:
            pass  # an address that nobody listens on any more
        url = other.url
        session.execute(update(Webhook).values(url=hook.url))
        session.expunge_all()
        first = session.get_one(Webhook, HOOK)
        session.add(
            Webhook(
                id="wh_" + "1" * 32,
                key_id=first.key_id,
                role="operator",
                subject="",
                url=url,
                description="",
                types=["*"],
                secret_version=1,
                created_at=0,
            )
        )
        session.flush()
        event = record(session, "signer.balance_low", {})
        session.flush()
        repository.add_deliveries(session, [repository.fresh("wh_" + "1" * 32, event.id, int(time.time()))])

    def tried() -> int:
        with make() as session:
            return session.query(Attempt).filter(Attempt.status.is_(None)).count()

    with couriers(make, timeout_s=60.0):
        hook.wait(4)
        deadline = time.monotonic() + 120
        while not tried():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert len(hook.received) == 4
        hook.let.set()


def test_a_message_that_is_asked_for_again_while_it_is_on_its_way_comes_again(
    make: sessionmaker[Session], hook: Receiver
) -> None:
    (uid,) = subscribe(make, hook.url, 1)
    hook.script = [HANG]
    with couriers(make):
        hook.wait()
        with make.begin() as session:
            event_ids = [row.event_id for row in session.query(Delivery)]
            repository.send_again(session, HOOK, event_ids, int(time.time()))
        hook.let.set()
        hook.wait(2)
        until_no_pending(make)
    assert hook.counts() == {uid: 2}
    with make() as session:
        assert sorted((one.number, one.status) for one in session.query(Attempt)) == [(1, 204), (2, 204)]


def test_a_try_that_fails_as_nobody_foresaw_is_one_that_failed(
    make: sessionmaker[Session], hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    uids = subscribe(make, hook.url, 3)
    resolve, left = socket.getaddrinfo, [1]

    def fail_once(*question: Any, **options: Any) -> Any:
        if left:
            left.pop()
            raise MemoryError
        return resolve(*question, **options)

    monkeypatch.setattr(socket, "getaddrinfo", fail_once)
    with couriers(make):
        until_no_pending(make)
    assert hook.counts() == dict.fromkeys(uids, 1)
    with make() as session:
        assert sorted(one.error or "" for one in session.query(Attempt)) == ["", "", "", "MemoryError"]


def test_after_a_rotation_both_secrets_sign_until_the_overlap_ends(make: sessionmaker[Session], hook: Receiver) -> None:
    subscribe(make, hook.url, 2)
    for overlap_s in (3600, 0):
        with make.begin() as session:
            webhook = session.get_one(Webhook, HOOK)
            webhook.secret_version = 1
            rotate(webhook, overlap_s)
        with couriers(make):
            until_no_pending(make)
        latest = hook.received[-1]
        latest.says(secret_of(SEED, HOOK, 2))
        if overlap_s:
            latest.says(secret_of(SEED, HOOK, 1))
        assert len(latest.headers["webhook-signature"].split(" ")) == (2 if overlap_s else 1)
        with make.begin() as session:
            session.execute(update(Delivery).values(state=PENDING, due_at=0.0))


@contextmanager
def trickling() -> Iterator[int]:
    """A server that sends one byte of an endless header now and then."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not done.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    done.set()
    thread.join()
    listener.close()


def test_a_receiver_that_sends_a_byte_now_and_then_is_left_at_the_deadline() -> None:
    with trickling() as port:
        answer = post(f"http://127.0.0.1:{port}/", {}, "{}", seconds=0.4, allow_private=True)
    assert answer.status is None
    assert "Timeout" in (answer.error or "")
    assert 300 <= answer.duration_ms < 60_000
