"""Anchors submissions: closes ranges of them into batches and sees each through to the chain.

For each log and platform one batch is on its way at a time. It is closed, written down and put into the outbox in one
transaction, so a kill at any moment leaves either nothing or a batch that the relay will send. Where the next one
begins is asked of the projection, never of our own memory: after a refusal, or when another gateway was faster, the
next step begins where the chain stands.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from app.clock import now
from app.evidence import repository
from app.evidence.models import EvidenceAnchor
from app.evidence.repository import Waiting
from app.gateway import EvidenceLog, Gateway
from app.pools import Pools
from chain.abi import to_bytes
from chain.contracts import encode_call
from chain.evidence import submission_leaf
from chain.merkle import MerkleTree
from chain.relay.models import GONE
from chain.relay.outbox import enqueue, get_operation

log = logging.getLogger(__name__)

MAX_SUBMISSIONS = 4096
"""Submissions of one batch at most: bounds the work of a proof."""
LOOK_S = 0.25
"""Between two looks for batches to close; their age is counted in whole seconds."""
RETRY_SECONDS = 5
"""Pause after a refusal, so that a lasting reason does not fill the table."""


RELAYER = "relayer"
"""Role of the keys that anchor."""


class Anchorer:
    """The worker; several may share a PostgreSQL, a platform's stream being locked by one at a time.

    Args:
        log: Where it anchors; the service's own log by default. Logs know nothing of each other.
    """

    def __init__(self, gateway: Gateway, log: EvidenceLog | None = None) -> None:
        self._settings = gateway.settings
        self._posted = gateway.sessions
        self._log = log or gateway.own_log
        # On further chains one key is enough: a batch holds as many submissions as are there.
        self._pools = gateway.pools if log is None else Pools([RELAYER])

    def step(self) -> bool:
        """Looks at every platform once; returns whether it closed a batch."""
        with self._log.sessions() as session:
            session.connection(execution_options={"readonly": True})
            with self._submissions(session) as posted:
                platforms = repository.streams(posted)
            settled = repository.anchored_streams(session)
            due = [
                (platform_id, uscc)
                for platform_id, uscc, next_sequence in platforms
                if settled.get(platform_id, 0) != next_sequence - 1 and self._has_work(session, platform_id)
            ]
        closed = [self._advance(platform_id, uscc) for platform_id, uscc in due]
        return any(closed)

    def _has_work(self, session: Session, platform_id: bytes) -> bool:
        """A look without a lock, so that idle platforms cost no writer its turn."""
        pending = repository.pending_anchor(session, platform_id)
        if pending is not None:
            return self._outcome(session, pending) is not None
        return self._orphaned(session, platform_id) is not None or bool(self._closing(session, platform_id))

    def _advance(self, platform_id: bytes, uscc: str) -> bool:
        with self._log.sessions.begin() as session:
            repository.lock_stream(session, platform_id, uscc)
            undone = self._orphaned(session, platform_id)
            if undone is not None:
                # The relay sends the same operation again once its block is gone.
                undone.state, undone.updated_at = repository.PENDING, now()
                return False
            pending = repository.pending_anchor(session, platform_id)
            if pending is not None:
                outcome = self._outcome(session, pending)
                if outcome is None:
                    return False
                pending.state, pending.updated_at = outcome, now()
                if outcome == repository.ORPHANED:
                    operation = get_operation(session, pending.operation_id)
                    pending.error = operation.error if operation else None
                    log.warning("batch %d of %s was refused: %s", pending.id, uscc, pending.error)
                    return False
                session.flush()
            closing = self._closing(session, platform_id)
            if not closing:
                return False
            self._append(session, platform_id, closing)
            return True

    def _outcome(self, session: Session, anchor: EvidenceAnchor) -> str | None:
        """What became of a batch that was sent: anchored, orphaned, or None while that is open."""
        batch = repository.batch_over(session, anchor.platform_id, anchor.from_sequence)
        if batch is not None:
            # Another root over the same sequence is another gateway's batch, which was faster.
            return repository.ANCHORED if batch.root == anchor.root else repository.ORPHANED
        operation = get_operation(session, anchor.operation_id)
        gone = operation is None or operation.status in GONE
        return repository.ORPHANED if gone else None

    @staticmethod
    def _is_anchored(session: Session, anchor: EvidenceAnchor) -> bool:
        batch = repository.batch_over(session, anchor.platform_id, anchor.from_sequence)
        return batch is not None and batch.root == anchor.root

    def _orphaned(self, session: Session, platform_id: bytes) -> EvidenceAnchor | None:
        """The newest anchored batch if a reorganisation took it away. Ones before it go with it; the relay brings them
        back in order, and the projection then shows them again."""
        newest = repository.last_anchor(session, platform_id, repository.ANCHORED)
        if newest is None or self._is_anchored(session, newest):
            return None
        return newest

    def _closing(self, session: Session, platform_id: bytes) -> list[Waiting]:
        """The submissions of the batch to close now, empty while it may wait."""
        refused = repository.last_anchor(session, platform_id, repository.ORPHANED)
        if refused is not None and refused.updated_at + RETRY_SECONDS > now():
            return []
        settings = self._settings
        first = repository.anchored_to(session, platform_id) + 1
        rows: list[Waiting] = []
        count = 0
        with self._submissions(session) as posted:
            oldest, records = repository.backlog(posted, platform_id, first, MAX_SUBMISSIONS)
            if oldest is None or not (self._old_enough(oldest) or records >= settings.batch_max_records):
                return []
            behind = repository.waiting(posted, platform_id, first, MAX_SUBMISSIONS)
        for row in behind:
            # The chain takes no trade from the future; an order of submissions is kept, so all behind it wait too.
            full = count + row.count > settings.batch_max_records and rows
            if row.last_traded_at >= now() or full:
                break
            rows.append(row)
            count += row.count
        if not rows:
            return []
        return rows if self._old_enough(rows[0].received_at) or count >= settings.batch_max_records else []

    def _old_enough(self, received_at: int) -> bool:
        return received_at + self._settings.batch_max_age_s <= now()

    @contextmanager
    def _submissions(self, session: Session) -> Iterator[Session]:
        """The database in which submissions are: that of the session, or the gateway's beside it. They never change."""
        if self._log.sessions is self._posted:
            yield session
            return
        with self._posted() as posted:
            posted.connection(execution_options={"readonly": True})
            yield posted

    def _append(self, session: Session, platform_id: bytes, rows: list[Waiting]) -> None:
        root = MerkleTree([submission_leaf(platform_id, row.sequence, row.root, row.count) for row in rows]).root
        count = sum(row.count for row in rows)
        arguments = {
            "platform": platform_id,
            "fromSequence": rows[0].sequence,
            "toSequence": rows[-1].sequence,
            "root": root,
            "count": count,
            "firstTradeAt": min(row.first_traded_at for row in rows),
            "lastTradeAt": max(row.last_traded_at for row in rows),
        }
        lane = f"platform:{platform_id.hex()}"
        operation = enqueue(
            session,
            kind="append",
            signer=self._pools.choose(session, RELAYER, lane),
            lane=lane,
            to=to_bytes(self._log.contracts.evidence),
            data=encode_call("EvidenceLog", "append", arguments),
            ref=f"batch:{rows[0].sequence}-{rows[-1].sequence}",
        )
        at = now()
        session.add(
            EvidenceAnchor(
                platform_id=platform_id,
                from_sequence=rows[0].sequence,
                to_sequence=rows[-1].sequence,
                root=root,
                count=count,
                operation_id=operation.id,
                state=repository.PENDING,
                created_at=at,
                updated_at=at,
            )
        )
