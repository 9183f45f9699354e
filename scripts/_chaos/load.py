"""What users do meanwhile: register organisations and claim trades, and ask again with the same key when no answer
comes, as the API says they should."""

import queue
import random
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from stdnum.cn import uscc

from scripts._chaos.processes import Processes
from scripts._demo.platform import Platform, Posted
from scripts._demo.service import Service
from scripts._demo.story import Story
from scripts._demo.trades import tasks

PATIENCE_S = 600.0
PAUSE_S = 0.05
USERS = 3
"""Of each kind."""
OPEN = ("waiting", "presented")


class Attached(Service):
    """The demo's client, for a gateway that runs already."""

    def attach(self, url: str) -> None:
        """Speaks to this address from now on."""
        self._http.base_url = httpx.URL(url)


class Load:
    """Users, each on a thread of its own: some register organisations, some claim trades.

    Attributes:
        operations: Those that were acknowledged.
        organisations: Credit codes of the organisations that were acknowledged.
        claims: Ids of the claims that were acknowledged.
    """

    def __init__(self, processes: Processes, draw: random.Random) -> None:
        self._processes = processes
        self._stop = threading.Event()
        self._serials = count(draw.randrange(10_000))
        self._claimable: queue.SimpleQueue[Posted] = queue.SimpleQueue()
        self.operations: list[str] = []
        self.organisations: list[str] = []
        self.claims: list[str] = []
        self.story: Story
        self._threads = [threading.Thread(target=work, daemon=True) for work in USERS * (self._register, self._claim)]

    def prepare(self, folder: Path, trades: int | None) -> None:
        """A programme, vouchers, and anchored evidence of so many trades to claim; all of the demo's by default."""
        self.service = Attached(folder)
        self.service.attach(self._processes.wait_for_gateway())
        self.story = Story(self.service, lambda *_, **__: None)
        platform = Platform(self.service)
        self.story.publish()
        self.story.register(platform)
        self.story.issue()
        self.story.post_evidence(platform, tasks(None)[:trades])
        for posted in self.story.evidence:
            self._claimable.put(posted)

    def start(self) -> None:
        """Begins."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """No more requests; waits until all that was acknowledged has ended.

        Raises:
            TimeoutError: Something did not end.
        """
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.service.attach(self._processes.wait_for_gateway())
        deadline = time.monotonic() + PATIENCE_S
        while left := self._open():
            if time.monotonic() > deadline:
                raise TimeoutError(f"did not end: {left}")
            self._processes.revive()
            time.sleep(0.5)

    def _open(self) -> list[str]:
        key = self.story.keys["operator"]
        claims = [state for state in OPEN if self.service.get("/v1/claims", key, state=state, limit=1)["items"]]
        unfinished = [
            one["operation_id"]
            for status in ("queued", "sent")
            for one in self.service.get("/v1/operations", key, status=status, limit=5)["items"]
        ]
        return claims + unfinished

    def _register(self) -> None:
        while not self._stop.is_set():
            stem = f"91410100MA4Q{next(self._serials):05d}"
            number = stem + uscc.calc_check_digit(stem)
            body = {
                "uscc": number,
                "name": number,
                "kind": "enterprise",
                "roles": ["buyer"],
                "region": "410100",
                "standing_until": 1_830_268_799,
            }
            answer = self._post("/v1/entities", self.story.keys["registrar"], {"entities": [body]})
            self.operations.append(answer["operation_id"])
            self.organisations.append(number)

    def _claim(self) -> None:
        while not self._stop.is_set():
            try:
                posted = self._claimable.get_nowait()
            except queue.Empty:
                return
            item = {"voucher_id": self.story.vouchers[posted.buyer], "evidence_id": posted.evidence_id}
            answer = self._post("/v1/claims", self.story.platform_key, {"items": [item]})
            self.claims.append(answer["items"][0]["id"])

    def _post(self, path: str, key: str, body: object) -> dict[str, Any]:
        """Asks until there is an answer, with one idempotency key."""
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": uuid4().hex}
        while True:
            time.sleep(PAUSE_S)
            try:
                answer = httpx.post(
                    f"{self._processes.url}{path}", json=body, headers=headers, timeout=60, trust_env=False
                )
            except httpx.HTTPError:
                continue
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                answer.raise_for_status()
                found: dict[str, Any] = answer.json()
                return found
