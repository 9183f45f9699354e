"""A platform's side of the gateway: signs what it posts, and reads how far it is."""

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from app.client.sending import Outcome, Row, Sent, send
from app.client.transport import Refused, Transport
from chain.contracts import Contracts
from chain.evidence import submission_tree
from chain.field_digests import RECORD_SALT_BYTES
from chain.identifiers import entity_id
from chain.keys import Signer
from chain.record import from_dict, to_dict, to_trade
from chain.typed_data import Submission, submission_document

DEFAULT_BATCH = 1_000
MAX_BATCH = 10_000
"""Records that the gateway takes at once."""
POLL_S = 0.2
ELSEWHERE = ("sequence_gap", "sequence_reused")
"""Refusals that mean: another process posted for the platform meanwhile."""
TURNS = 20


class EvidenceClient:
    """Posts trades for one platform. One client to a thread.

    Args:
        url: Address of the gateway.
        api_key: A key with the role `platform`.
        platform: USCC of the platform.
        signer: The platform's evidence key. Without it the gateway signs with the key that it keeps for the platform
            (custody), and the evidence says so.
        jurisdiction_key: 32 bytes that the platform was handed when it joined; needed to sign.
        patience_s: How long to go on while the gateway is away.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str,
        platform: str,
        signer: Signer | None = None,
        jurisdiction_key: bytes | None = None,
        patience_s: float = 60.0,
    ) -> None:
        if (signer is None) != (jurisdiction_key is None):
            raise ValueError("signing needs both the evidence key and the jurisdiction key")
        self.platform = platform
        self._signer = signer
        self._jurisdiction_key = jurisdiction_key
        self._transport = Transport(url, api_key, patience_s=patience_s)
        self._contracts: Contracts | None = None
        self._next_sequence: int | None = None

    def submit(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Posts up to 10,000 records at once; returns the gateway's receipt. What it acknowledges is durable.

        Args:
            records: As in `chain.record.Record`; `platform` may be left out.

        Raises:
            RecordError: A record breaks a rule; nothing was sent.
            Refused: The gateway refused the submission.
            Unreachable: It did not answer; submit the same records again, none will be there twice.
        """
        whole = [{"platform": self.platform, **record} for record in records]
        if self._signer is None:
            receipt: dict[str, Any] = self._transport.post(
                "/v1/evidence", {"platform": self.platform, "records": whole}
            )
            return receipt
        for turn in range(TURNS):
            body = self._signed(whole, self._sequence())
            try:
                receipt = self._transport.post("/v1/evidence", body)
            except Refused as problem:
                if problem.code not in ELSEWHERE or turn == TURNS - 1:
                    raise
                self._next_sequence = int(problem.problem["expected"])
                continue
            if receipt["sequence"] is not None:
                self._next_sequence = receipt["sequence"] + 1
            break
        return receipt

    def submit_all(self, records: Iterable[Mapping[str, Any]], *, batch: int = DEFAULT_BATCH) -> Iterator[Outcome]:
        """Posts any number of records in submissions of `batch`; yields what became of each, in order within a
        submission. A record that is refused does not keep the others back. Memory holds one submission at a time.

        Raises:
            RecordError, Refused, Unreachable: As `submit`. What was yielded is durable; doing it all again is safe.
        """
        rows = (Row(number, dict(record)) for number, record in enumerate(records, 1))
        for sent in self.send(rows, batch=batch):
            yield from sent.outcomes

    def send(self, rows: Iterable[Row], *, batch: int = DEFAULT_BATCH) -> Iterator[Sent]:
        """As `submit_all`, for numbered records and with the receipts."""
        if not 1 <= batch <= MAX_BATCH:
            raise ValueError(f"a batch has from 1 to {MAX_BATCH} records")
        return send(self.submit, rows, batch)

    def evidence(self, evidence_id: str) -> dict[str, Any]:
        """How far a record is, and its proof once it is anchored."""
        view: dict[str, Any] = self._transport.get(f"/v1/evidence/{evidence_id}")
        return view

    def wait_until_anchored(self, evidence_id: str, *, timeout_s: float = 60.0) -> dict[str, Any]:
        """The record once a block holds it.

        Raises:
            TimeoutError: None does in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            view = self.evidence(evidence_id)
            if view["state"] in ("anchored", "final"):
                return view
            if time.monotonic() > deadline:
                raise TimeoutError(f"{evidence_id} is still {view['state']}")
            time.sleep(POLL_S)

    def bundle(self, evidence_id: str, *, disclose: Sequence[str] | None = None) -> bytes:
        """The proof bundle of an anchored record, a file for `suanquan verify`.

        Args:
            disclose: Names of the fields to show; all when None.
        """
        query = {} if disclose is None else {"disclose": list(disclose)}
        return self._transport.fetch(f"/v1/evidence/{evidence_id}/bundle", **query)

    def stream(self) -> dict[str, Any]:
        """Where the platform's stream stands."""
        view: dict[str, Any] = self._transport.get(f"/v1/platforms/{self.platform}/stream")
        return view

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> "EvidenceClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sequence(self) -> int:
        if self._next_sequence is None:
            self._next_sequence = int(self.stream()["next_sequence"])
        return self._next_sequence

    def _deployment(self) -> Contracts:
        if self._contracts is None:
            about = self._transport.get("/v1/chain")
            self._contracts = Contracts.from_dict({"chain_id": about["chain_id"], **about["contracts"]})
        return self._contracts

    def _signed(self, records: Sequence[Mapping[str, Any]], sequence: int) -> dict[str, Any]:
        """A submission with fresh salts. They are secret until a field is disclosed, so they are drawn, not derived."""
        key, signer = self._jurisdiction_key, self._signer
        assert key is not None  # noqa: S101 - both or neither
        assert signer is not None  # noqa: S101
        checked = [from_dict(dict(record)) for record in records]
        salts = [secrets.token_bytes(RECORD_SALT_BYTES) for _ in checked]
        trades = [to_trade(record, salt, key) for record, salt in zip(checked, salts, strict=True)]
        subject = Submission(entity_id(key, self.platform), sequence, submission_tree(trades).root, len(trades))
        signature = signer.sign_typed_data(submission_document(self._deployment(), subject))
        return {
            "platform": self.platform,
            "sequence": sequence,
            "signature": f"0x{signature.hex()}",
            "records": [
                {**to_dict(record), "salt": f"0x{salt.hex()}"} for record, salt in zip(checked, salts, strict=True)
            ],
        }
