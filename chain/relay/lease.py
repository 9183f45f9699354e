"""Which relay may use a key. Two relays on one database never hand out nonces of the same key.

Every write about a key's transactions locks the key's row and compares the token of the lease, so a relay that was
asleep past its lease cannot write; and what it may still broadcast was persisted before, so it is the same bytes.
"""

import os
import socket
import time
from collections.abc import Collection
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from .models import SignerState


def new_owner() -> str:
    """A name for a relay of this process; it tells others of this machine whether the process still runs."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


class LeaseLost(Exception):
    """Another relay uses the key by now."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to use a key, and the token that proves it."""

    address: bytes
    token: int


class Leases:
    """The leases of one relay."""

    def __init__(self, sessions: sessionmaker[Session], owner: str, *, seconds: float) -> None:
        """Take nothing yet.

        Args:
            owner: the relay's name, as `new_owner` gives it.
            seconds: after which a silent relay's keys may be taken by another.
        """
        self._sessions = sessions
        self._seconds = seconds
        self._owner = owner
        self._held: dict[bytes, tuple[Lease, float]] = {}

    def hold(self, name: str, address: bytes) -> Lease | None:
        """Take or renew the lease of a key; None while another relay has it."""
        now = time.time()
        lease, until = self._held.get(address, (None, 0.0))
        if lease is not None and until - now > self._seconds / 2:
            return lease
        try:
            lease = self._take(name, address, now)
        except IntegrityError:
            # Another relay made the key's row at the same moment.
            lease = None
        if lease is None:
            self._held.pop(address, None)
        else:
            self._held[address] = (lease, now + self._seconds)
        return lease

    def forget(self, lease: Lease) -> None:
        """Do not count on a lease that a write found lost."""
        self._held.pop(lease.address, None)

    @property
    def held(self) -> frozenset[bytes]:
        """Addresses of the keys that were taken and not handed back."""
        return frozenset(self._held)

    def release(self, addresses: Collection[bytes]) -> None:
        """Hand keys back, so that the next relay need not wait."""
        with self._sessions.begin() as session:
            # In one order everywhere, so that two relays never wait for each other.
            for address in sorted(addresses):
                lease, _ = self._held[address]
                state = session.get(SignerState, address, with_for_update=True)
                if state is not None and state.token == lease.token:
                    state.lease_owner, state.lease_until = None, 0.0
        for address in addresses:
            del self._held[address]

    def _take(self, name: str, address: bytes, now: float) -> Lease | None:
        with self._sessions.begin() as session:
            state = session.get(SignerState, address, with_for_update=True)
            if state is None:
                state = SignerState(address=address, name=name, token=0, lease_until=0.0)
                session.add(state)
            owner = state.lease_owner
            if owner not in (None, self._owner) and state.lease_until > now and not is_dead(owner):
                return None
            if owner != self._owner:
                state.token += 1
            state.name, state.lease_owner, state.lease_until = name, self._owner, now + self._seconds
            return Lease(address, state.token)


def locked(session: Session, lease: Lease) -> SignerState:
    """The key's row, locked until the transaction ends.

    Raises:
        LeaseLost: the lease is not valid any more.
    """
    state = session.get(SignerState, lease.address, with_for_update=True, populate_existing=True)
    if state is None or state.token != lease.token:
        raise LeaseLost(f"another relay uses the key 0x{lease.address.hex()}")
    return state


def is_dead(owner: str | None) -> bool:
    """Whether the owner was a process of this machine that ended; what runs elsewhere is waited for."""
    if owner is None:
        return True
    host, pid, _ = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
