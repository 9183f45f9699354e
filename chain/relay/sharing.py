"""How relays on one database divide the keys among them: evenly, and each key to one.

Each relay writes down now and then that it lives and which keys it has, and works out the division from these rows, so
all of them come to the same. What is not its own it does not take, and lets go once it is done serving it. Leases
decide in any case: while two relays see different rows, a key waits, and no nonce is given out twice.
"""

import time
from collections import Counter
from collections.abc import Collection, Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from chain.sql import reading

from .lease import is_dead
from .models import RelayProcess

_LOOK_SECONDS = 1.0


def divide(relays: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Which relay serves which key.

    Args:
        relays: the keys that each relay has, by its name.

    Returns:
        Relay by key. Keys in a row, as those of one role are, go to different relays.
    """
    found: dict[str, str] = {}
    load: Counter[str] = Counter()
    for key in sorted({key for keys in relays.values() for key in keys}):
        able = [relay for relay in sorted(relays) if key in relays[relay]]
        found[key] = min(able, key=lambda relay: load[relay])
        load[found[key]] += 1
    return found


class Sharing:
    """One relay's part in the division."""

    def __init__(self, sessions: sessionmaker[Session], owner: str, keys: Collection[str], *, seconds: float) -> None:
        """Write nothing yet.

        Args:
            owner: the relay's name.
            keys: names of the keys that it has.
            seconds: after which a relay that writes nothing counts as gone.
        """
        self._sessions = sessions
        self._owner = owner
        self._keys = sorted(keys)
        self._seconds = seconds
        self._own: frozenset[str] = frozenset()
        self._written_at = self._looked_at = -seconds

    def own(self) -> frozenset[str]:
        """Names of the keys that are this relay's now."""
        now = time.monotonic()
        if now - self._written_at > self._seconds / 3:
            self._write()
            self._written_at = now
        elif now - self._looked_at < min(_LOOK_SECONDS, self._seconds / 3):
            return self._own
        division = divide(self._alive())
        self._own = frozenset(key for key, relay in division.items() if relay == self._owner)
        self._looked_at = now
        return self._own

    def leave(self) -> None:
        """Leave the keys to the others at once."""
        with self._sessions.begin() as session:
            session.execute(delete(RelayProcess).where(RelayProcess.owner == self._owner))
        self._written_at = -self._seconds

    def _write(self) -> None:
        now = time.time()
        with self._sessions.begin() as session:
            row = session.get(RelayProcess, self._owner)
            if row is None:
                row = RelayProcess(owner=self._owner, keys=self._keys)
                session.add(row)
            row.alive_until = now + self._seconds
            # Long after they ended, so that a clock that is off takes nobody's row away.
            session.execute(delete(RelayProcess).where(RelayProcess.alive_until < now - 100 * self._seconds))

    def _alive(self) -> dict[str, list[str]]:
        now = time.time()
        with reading(self._sessions) as session:
            rows = session.scalars(select(RelayProcess).where(RelayProcess.alive_until > now))
            found = {row.owner: row.keys for row in rows if not is_dead(row.owner)}
        return found | {self._owner: self._keys}
