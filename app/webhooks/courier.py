"""The worker that posts messages until they are taken.

claim (one transaction: locked, counted, due again later) ─► post ─► settle (one transaction: log, state)

A gateway that is killed in between leaves a delivery that is due again when its try counts as lost: the receiver may
get the message twice, under the same id, and never not at all. Gateways on one PostgreSQL pass over what another has
locked.
"""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from sqlalchemy.orm import Session, sessionmaker

from app.clock import now
from app.events.message import body_of
from app.settings import Settings
from app.webhooks import repository
from app.webhooks.models import DEAD, DELIVERED, PENDING, Attempt
from app.webhooks.post import Answer, post
from app.webhooks.signing import headers_of
from app.workers import IDLE_S, ONLY_RECEIPTS, Commits

_log = logging.getLogger(__name__)

AT_ONCE = 16
AT_ONCE_PER_WEBHOOK = 4
"""A receiver that hangs keeps so many of the threads at most."""
LOST_AFTER_S = 15
"""Beyond the time-out, for the name look-up and the log: then another gateway may try."""
LONGEST_WAIT_S = 6 * 3600
GONE = "the receiver answered 410 Gone"


@dataclass(frozen=True, slots=True)
class Work:
    """One try. Its headers hold signatures and are never printed.

    Attributes:
        due_at: When the delivery is due again if nothing is heard of this try; who writes another time wants another.
    """

    delivery_id: int
    webhook_id: str
    number: int
    due_at: float
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)


class Courier:
    """The worker; every gateway runs one."""

    def __init__(self, sessions: sessionmaker[Session], settings: Settings, seed: bytes) -> None:
        """Post nothing yet.

        Args:
            seed: From which the secrets are derived.
        """
        self._sessions = sessions
        self._commits = Commits(sessions, but=ONLY_RECEIPTS)
        self._settings = settings
        self._seed = seed
        self._under_way: dict[Future[Answer], tuple[Work, int]] = {}

    def run(self, stop: threading.Event) -> None:
        """Works until the event is set, then waits for what is under way."""
        with ThreadPoolExecutor(AT_ONCE, "webhook") as pool:
            while not stop.is_set():
                seen = self._commits.latest
                if not self.step(pool):
                    if self._under_way:
                        wait(self._under_way, timeout=IDLE_S, return_when=FIRST_COMPLETED)
                    else:
                        self._commits.rest(stop, seen)
            wait(self._under_way)
            self._settle()

    def step(self, pool: ThreadPoolExecutor) -> bool:
        """Takes in answers and starts what is due; returns whether there was something of either."""
        settled = self._settle()
        claimed = self._claim()
        for work in claimed:
            self._start(pool, work)
        return settled or bool(claimed)

    def _claim(self) -> list[Work]:
        count = Counter(work.webhook_id for work, _ in self._under_way.values())
        room = AT_ONCE - len(self._under_way)
        at = time.time()
        if room <= 0 or not self._is_due(at):
            return []
        works = []
        with self._sessions.begin() as session:
            busy = [webhook_id for webhook_id, many in count.items() if many >= AT_ONCE_PER_WEBHOOK]
            for delivery, webhook, event in repository.claim(session, at, busy, room):
                if count[webhook.id] >= AT_ONCE_PER_WEBHOOK:
                    continue
                count[webhook.id] += 1
                delivery.attempts += 1
                delivery.due_at = at + self._settings.webhook_timeout_s + LOST_AFTER_S
                body = body_of(event)
                headers = headers_of(self._seed, webhook, event.uid, body, int(at))
                works.append(
                    Work(delivery.id, webhook.id, delivery.attempts, delivery.due_at, webhook.url, headers, body)
                )
        return works

    def _is_due(self, at: float) -> bool:
        """A look without a lock, so that idling costs no writer its turn."""
        with self._sessions() as session:
            session.connection(execution_options={"readonly": True})
            due_at = repository.next_due(session)
            return due_at is not None and due_at <= at

    def _start(self, pool: ThreadPoolExecutor, work: Work) -> None:
        task = pool.submit(
            post,
            work.url,
            work.headers,
            work.body,
            seconds=self._settings.webhook_timeout_s,
            allow_private=self._settings.webhooks_allow_private,
        )
        self._under_way[task] = work, now()

    def _settle(self) -> bool:
        ended = [task for task in self._under_way if task.done()]
        if not ended:
            return False
        with self._sessions.begin() as session:
            # In one order everywhere, so that two gateways never wait for each other.
            for task in sorted(ended, key=lambda one: self._under_way[one][0].delivery_id):
                work, started_at = self._under_way[task]
                answer = _answer_of(task)
                delivery = repository.lock_delivery(session, work.delivery_id)
                if delivery is None:
                    continue
                session.add(
                    Attempt(
                        delivery_id=work.delivery_id,
                        number=work.number,
                        started_at=started_at,
                        duration_ms=answer.duration_ms,
                        status=answer.status,
                        error=answer.error and answer.error[:500],
                        body=answer.body,
                    )
                )
                if delivery.due_at != work.due_at or delivery.state != PENDING:
                    continue  # it counted as lost and somebody else tries, or it was asked for again meanwhile
                at = now()
                if answer.taken:
                    delivery.state, delivery.delivered_at = DELIVERED, at
                elif answer.gone:
                    webhook = repository.find(session, work.webhook_id, lock=True)
                    if webhook is not None:
                        webhook.disabled_reason = GONE
                    session.flush()
                    repository.give_up(session, work.webhook_id)
                    _log.warning("webhook %s is disabled: %s", work.webhook_id, GONE)
                elif at - delivery.waiting_since >= self._settings.webhook_dead_after_days * 86400:
                    delivery.state = DEAD
                    _log.warning("delivery %d to webhook %s is given up", work.delivery_id, work.webhook_id)
                else:
                    delivery.due_at = time.time() + self._wait(at - delivery.waiting_since)
        for task in ended:
            del self._under_way[task]
        return True

    def _wait(self, waited_s: float) -> float:
        """As long again as it waited so far, which doubles the time at every try, give or take a fifth, so that a
        receiver that comes back is not met by everything at once."""
        seconds = min(max(waited_s, self._settings.webhook_retry_s), LONGEST_WAIT_S)
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


def _answer_of(task: Future[Answer]) -> Answer:
    """What a task said. One that failed as nobody foresaw is a try that failed: the next ones must go on."""
    try:
        return task.result()
    except Exception as error:  # noqa: BLE001 - see above
        _log.exception("a message was not posted")
        return Answer(None, None, type(error).__name__, 0)
