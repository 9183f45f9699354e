"""Submissions that come at once share transactions, and each has its own answer; and how much one key may post."""

import asyncio
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from app.auth.models import ApiKey
from app.auth.roles import Role
from app.auth.service import create_key
from app.clock import now
from app.evidence.models import EvidenceRecord
from app.main import create_app
from app.settings import Settings
from tests.app.evidence.bench import Bench
from tests.database import database_url, make  # noqa: F401 - fixtures

Answers = list[httpx.Response]


class Client:
    """Posts to a gateway over ASGI, all at once."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.commits = 0
        with bench.sessions.begin() as session:
            self.key = create_key(session, Role.PLATFORM, bench.platform)
        event.listen(bench.sessions, "after_commit", self._committed)

    def _committed(self, _: Session) -> None:
        self.commits += 1

    def post(self, *submissions: list[dict[str, Any]], **headers: str) -> Answers:
        """Posts submissions at once; their answers, in order."""
        bodies = [{"platform": self.bench.platform, "records": records} for records in submissions]
        return asyncio.run(self._post(bodies, headers))

    async def _post(self, bodies: list[dict[str, Any]], headers: dict[str, str]) -> Answers:
        app = create_app(self.bench.gateway)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://x") as http,
        ):
            return await asyncio.gather(*(http.post("/v1/evidence", json=body, headers=headers) for body in bodies))

    def stored(self) -> int:
        """Records in the database."""
        with self.bench.sessions() as session:
            return session.scalar(select(func.count()).select_from(EvidenceRecord)) or 0


@pytest.fixture
def client(make: sessionmaker[Session]) -> Client:  # noqa: F811
    return Client(Bench(make))


def acknowledged(answers: Answers) -> int:
    """Records that were acknowledged as stored."""
    return sum(answer.json()["stored"] for answer in answers if answer.status_code in (200, 201))


def test_posts_at_once_share_transactions_and_each_has_its_own_answer(client: Client) -> None:
    record = client.bench.record
    twice = record()
    good = [[record()] for _ in range(40)]
    bad = [[record(settled_fen=-1)] for _ in range(5)]
    (first,) = client.post([twice])
    answers = client.post(*good, *bad, [twice], [{**twice, "settled_fen": 5}])
    statuses = [answer.status_code for answer in answers]
    assert statuses == [201] * 40 + [422] * 5 + [200, 409]
    assert answers[45].json()["items"][0]["id"] == first.json()["items"][0]["id"]
    assert sorted(answer.json()["sequence"] for answer in answers[:40]) == list(range(2, 42))
    assert client.stored() == acknowledged([first, *answers]) == 41
    assert client.commits < 10


def test_one_that_cannot_be_stored_does_not_hurt_the_others(client: Client) -> None:
    spoilt = client.bench.record(trade_id="SPOILT")
    with client.bench.sessions.begin() as session:
        for statement in REFUSING[session.get_bind().dialect.name]:
            session.execute(text(statement))
    answers = client.post(*([client.bench.record()] for _ in range(10)), [spoilt], [client.bench.record()])
    assert Counter(answer.status_code for answer in answers) == {201: 11, 500: 1}
    assert answers[10].json()["code"] == "internal_error"
    assert client.stored() == 11
    # The stream goes on without a hole.
    assert client.post([client.bench.record()])[0].json()["sequence"] == 12


REFUSING = {
    "sqlite": [
        "CREATE TRIGGER refuse BEFORE INSERT ON evidence_records WHEN new.trade_id = 'SPOILT' "
        "BEGIN SELECT raise(ABORT, 'refused'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON evidence_records FOR EACH ROW "
        "WHEN (new.trade_id = 'SPOILT') EXECUTE FUNCTION refuse()",
    ],
}


def test_nothing_is_acknowledged_when_the_commit_fails(client: Client) -> None:
    def fail(session: Session) -> None:
        if session.info.get("operations_enqueued") is None:
            raise OSError("no space left on device")

    event.listen(client.bench.sessions, "before_commit", fail)
    answers = client.post([client.bench.record()], [client.bench.record()])
    event.remove(client.bench.sessions, "before_commit", fail)
    assert [answer.status_code for answer in answers] == [500, 500]
    assert client.stored() == 0


def test_one_idempotency_key_at_once_stores_once(client: Client) -> None:
    record = client.bench.record()
    answers = client.post(*([[record]] * 10), **{"Idempotency-Key": "again"})
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    other = client.post([client.bench.record()], **{"Idempotency-Key": "again"})[0]
    assert other.json()["code"] == "idempotency_key_reused"
    assert client.stored() == 1


def test_a_key_that_is_revoked_stores_nothing_more(client: Client) -> None:
    assert client.post([client.bench.record()])[0].status_code == 201

    async def revoked_in_between() -> Answers:
        app = create_app(client.bench.gateway)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {client.key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as http:
            body = {"platform": client.bench.platform, "records": [client.bench.record()]}
            first = await http.post("/v1/evidence", json=body)
            with client.bench.sessions.begin() as session:
                session.query(ApiKey).update({"revoked_at": now()})
            body["records"] = [client.bench.record()]
            return [first, await http.post("/v1/evidence", json=body)]

    assert [answer.status_code for answer in asyncio.run(revoked_in_between())] == [201, 401]
    assert client.stored() == 2


def test_a_checking_process_that_dies_is_replaced(client: Client) -> None:
    def many() -> list[dict[str, Any]]:
        return [client.bench.record() for _ in range(30)]

    async def killed_in_between() -> Answers:
        app = create_app(client.bench.gateway)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {client.key}"}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as http,
        ):
            body = {"platform": client.bench.platform, "records": many()}
            first = await http.post("/v1/evidence", json=body)
            for pid in checking_processes():
                os.kill(pid, signal.SIGKILL)
            return [first, await http.post("/v1/evidence", json={**body, "records": many()})]

    assert [answer.status_code for answer in asyncio.run(killed_in_between())] == [201, 201]
    assert client.stored() == 60
    assert checking_processes() == []


def checking_processes() -> list[int]:
    """Children of this process that check records."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ours = (folder / "stat").read_text().rpartition(")")[2].split()[1] == str(os.getpid())
            if ours and b"app.evidence.check_process" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_more_posts_than_a_key_may_are_answered_429(make: sessionmaker[Session]) -> None:  # noqa: F811
    client = Client(Bench(make, Settings(posts_per_s=2, DATABASE_URL="", CHAIN_URL="")))
    began = time.monotonic()
    answers = client.post(*([client.bench.record()] for _ in range(20)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() == {201, 429}
    # Two at once, and two more for each second that the machine took.
    assert 2 <= statuses[201] <= 2 + 2 * (time.monotonic() - began)
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["retry-after"] == "1"
    assert (refused.json()["limit"], refused.json()["limit_per_s"]) == ("posts", 2)
    assert client.stored() == statuses[201]


def test_more_records_than_a_key_may_are_answered_429(make: sessionmaker[Session]) -> None:  # noqa: F811
    client = Client(Bench(make, Settings(records_per_s=1, DATABASE_URL="", CHAIN_URL="")))
    answers = client.post([{}] * 9_990, [{}] * 9_990)
    assert Counter(answer.status_code for answer in answers) == {422: 1, 429: 1}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert (refused.json()["limit"], refused.json()["limit_per_s"]) == ("records", 1)
    assert int(refused.headers["retry-after"]) > 9_000
