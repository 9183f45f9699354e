"""Several keys for one role, so that one key's nonces are no limit and no single point of failure.

The keys `relayer`, `relayer-2`, `relayer-3` and so on share the work of `relayer`. Which of them sends an operation
follows from its lane: a voucher, a platform, a payment. Operations of one lane follow each other under one key, so
their order is kept; where keys are added, a lane stays with its key while something of it is unfinished. A retiring key
takes nothing new and finishes what it has.
"""

import hashlib
import re
from collections.abc import Collection, Iterable

from sqlalchemy.orm import Session

from chain.relay import lane_signer

_MEMBER = re.compile(r"(?P<role>[a-z]+)-(?P<number>[2-9]|[1-9][0-9]+)")


class PoolEmpty(Exception):
    """All keys of a role are retiring; the text says which."""


def role_of(name: str) -> str:
    """The role that a key works for: `relayer` for `relayer-2`. Reviewers are persons and not a pool."""
    member = _MEMBER.fullmatch(name)
    return name if member is None or member["role"] == "reviewer" else member["role"]


class Pools:
    """Which key sends what."""

    def __init__(self, names: Iterable[str], retiring: Collection[str] = ()) -> None:
        """Group keys by role.

        Args:
            names: of all keys that may send.
            retiring: those among them that take nothing new.

        Raises:
            PoolEmpty: a role would have no key left.
        """
        self._members: dict[str, list[str]] = {}
        self._retiring = frozenset(retiring)
        for name in names:
            members = self._members.setdefault(role_of(name), [])
            if name not in self._retiring:
                members.append(name)
        for role, members in self._members.items():
            if not members:
                raise PoolEmpty(f"SUANQUAN_RETIRING: {role} would have no key that takes work")

    def members(self, role: str) -> list[str]:
        """Names of the keys that take work for a role; none of a role that is not known."""
        return list(self._members.get(role, ()))

    def takes_work(self, name: str) -> bool:
        """Whether a key is there and not retiring."""
        return name in self._members.get(role_of(name), ())

    def choose(self, session: Session, role: str, lane: str | None = None) -> str:
        """Name of the key that sends an operation.

        Args:
            role: as the first of its keys is called, for example `relayer`.
            lane: what the order is kept within; without one the first key sends.
        """
        members = self._members[role]
        if lane is None or len(members) == 1:
            return members[0]
        current = lane_signer(session, lane)
        # The highest of the digests: when a key comes or goes, only the lanes of that key move.
        return current if current in members else max(members, key=lambda name: _digest(name, lane))


def _digest(name: str, lane: str) -> bytes:
    return hashlib.sha256(f"{name}/{lane}".encode()).digest()
