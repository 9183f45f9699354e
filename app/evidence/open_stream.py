"""A platform's stream while a transaction holds it.

Several submissions of one transaction share it: what was posted before is read once for all of them, and what they
bring is written at once. Each sees what those before it brought.
"""

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from app.clock import now
from app.custody import evidence_signer_of
from app.entities.repository import evidence_key
from app.errors import Conflict
from app.evidence import repository
from app.evidence.checking import Checked
from app.evidence.models import EvidenceStream, EvidenceSubmission
from app.gateway import Gateway
from chain.identifiers import content_key, entity_id
from chain.keys import LocalSigner
from chain.typed_data import Submission, submission_digest


@dataclass(frozen=True, slots=True)
class Taken:
    """What a receipt tells of a submission."""

    sequence: int
    root: bytes
    count: int
    received_at: int


class OpenStream:
    """The stream of one platform, locked until the transaction ends.

    Raises:
        Conflict: The platform is not registered.
    """

    def __init__(self, session: Session, gateway: Gateway, uscc: str) -> None:
        self._session = session
        self._gateway = gateway
        self.uscc = uscc
        self.platform_id = entity_id(gateway.jurisdiction_key, uscc)
        key = evidence_key(session, self.platform_id)
        if key is None:
            raise Conflict("platform_not_registered", "The platform has no evidence key in the registry yet.")
        self.key: bytes = key.key
        self._row: EvidenceStream = repository.lock_stream(session, self.platform_id, uscc)
        self._known: dict[str, repository.KnownTrade] = {}
        self._submissions: list[dict[str, Any]] = []
        self._records: list[tuple[Any, ...]] = []
        self._conflicts: list[dict[str, Any]] = []

    @property
    def next_sequence(self) -> int:
        """The only sequence that the next submission may have."""
        return self._row.next_sequence

    @cached_property
    def custodian(self) -> LocalSigner:
        """The key that the gateway keeps for the platform."""
        return evidence_signer_of(self._gateway, self.uscc)

    def learn(self, checked: Iterable[Checked]) -> None:
        """Reads which trades the platform posted before: those with the same numbers, and those that are corrected."""
        names = {name for one in checked for name in (one.trade_id, one.corrects) if name is not None}
        self._known |= repository.known_trades(self._session, self.platform_id, sorted(names))

    def known(self, trade_id: str) -> str | None:
        """Evidence id of a trade that was posted before, among those that were learnt."""
        trade = self._known.get(trade_id)
        return trade.evidence_id if trade else None

    def contradicts(self, one: Checked) -> bool:
        """Whether its number was posted before with other content."""
        trade = self._known.get(one.trade_id)
        if trade is None:
            return False
        digest = one.content_digest
        return trade.content_digest != (content_key(self._gateway.jurisdiction_key, digest) if trade.erased else digest)

    def digest(self, sequence: int, root: bytes, count: int) -> bytes:
        """What is signed for a submission."""
        return submission_digest(self._gateway.contracts, Submission(self.platform_id, sequence, root, count))

    def add(self, good: Sequence[Checked], root: bytes, signature: bytes, *, custody: bool) -> tuple[Taken, list[str]]:
        """The next submission of the stream, with the evidence ids of its records."""
        sequence = self._row.next_sequence
        # Time first, so that the index grows at its end.
        base = f"ev_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"
        ids = [f"{base}{place:08x}" for place in range(len(good))]
        times = [one.traded_at for one in good]
        received_at = now()
        submission = {
            "platform_id": self.platform_id,
            "sequence": sequence,
            "root": root,
            "count": len(good),
            "signature": signature,
            "custody": custody,
            "first_traded_at": min(times),
            "last_traded_at": max(times),
            "received_at": received_at,
        }
        self._submissions.append(submission)
        self._records += [
            (
                ids[place],
                self.platform_id,
                sequence,
                place,
                one.trade_id,
                one.trade_digest,
                one.leaf,
                one.settlement_key,
                one.buyer_id,
                one.supplier_id,
                one.traded_at,
                one.settled_fen,
                one.content,
                one.salt,
                one.content_digest,
                one.corrects,
            )
            for place, one in enumerate(good)
        ]
        self._known.update(
            (one.trade_id, repository.KnownTrade(evidence_id, one.content_digest))
            for one, evidence_id in zip(good, ids, strict=True)
        )
        self._row.next_sequence = sequence + 1
        return Taken(sequence, root, len(good), received_at), ids

    def flag(self, conflicts: Iterable[Checked]) -> None:
        """Keeps contradictions to known trades for the auditor."""
        self._conflicts += [
            {
                "platform_id": self.platform_id,
                "trade_id": one.trade_id,
                "evidence_id": self._known[one.trade_id].evidence_id,
                "content_digest": one.content_digest,
                "record": one.content,
                "received_at": now(),
            }
            for one in conflicts
        ]

    def posted(self, sequence: int) -> tuple[EvidenceSubmission, list[tuple[str, str]]] | None:
        """A submission with evidence id and trade number of its records, in order."""
        self.write()
        submission = repository.submission(self._session, self.platform_id, sequence)
        if submission is None:
            return None
        return submission, repository.receipts(self._session, self.platform_id, sequence)

    def write(self) -> None:
        """Writes what was added."""
        repository.add_submissions(self._session, self._submissions, self._records)
        repository.add_conflicts(self._session, self._conflicts)
        self._submissions, self._records, self._conflicts = [], [], []
