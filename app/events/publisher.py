"""The worker that publishes events: gives each its position, and each webhook that wants it a delivery.

One process at a time holds the row `publication`; so positions ascend in the order in which they become visible, and a
reader that remembers the last one it saw misses nothing.
"""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session, sessionmaker

from app.events import chain_feed, repository
from app.events.models import Event
from chain.contracts import Contracts

AT_ONCE = 500


class Publisher:
    """The worker; every gateway may run one.

    Args:
        deliver: Called with what was just published, in the same transaction.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        contracts: Contracts,
        deliver: Callable[[Session, Sequence[Event]], None],
    ) -> None:
        self._sessions = sessions
        self._key = (contracts.chain_id, contracts.ledger)
        self._deliver = deliver

    def step(self) -> bool:
        """Publishes what waits; returns whether there was something."""
        with self._sessions() as session:
            session.connection(execution_options={"readonly": True})
            # A look without a lock, so that idling costs no writer its turn.
            moved = chain_feed.moved(session, repository.publication(session), self._key)
            if not moved and not repository.has_unpublished(session):
                return False
        with self._sessions.begin() as session:
            publication = repository.lock_publication(session)
            if publication is None:
                return False
            if moved:
                chain_feed.take_in(session, publication, self._key)
                session.flush()
            events = repository.unpublished(session, AT_ONCE)
            for event in events:
                publication.position += 1
                event.position = publication.position
            session.flush()
            self._deliver(session, events)
            return bool(events)
