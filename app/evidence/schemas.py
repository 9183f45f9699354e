"""Answers about evidence. What is posted is decoded by msgspec (body.py, checking.py): 10,000 records take a second,
not ten. Receipts are dataclasses for the same reason: msgspec encodes them."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from app.schema import Schema


@dataclass(slots=True)
class ItemReceipt:
    """What became of one record.

    Attributes:
        position: Place in the body, from 0.
        status: stored; duplicate, of the evidence `id` with the same content; refused, for `errors`.
        id: Evidence id; null where refused.
    """

    position: int
    status: Literal["stored", "duplicate", "refused"]
    id: str | None
    trade_id: str | None
    errors: list[dict[str, str]] | None = None


@dataclass(slots=True)
class Receipt:
    """A receipt: what it acknowledges is durable.

    Attributes:
        sequence: Of the submission that holds the stored records; null where nothing was stored.
        root: Standard Merkle root over their leaves.
        custody: Whether the gateway signed.
        received_at: Unix seconds.
    """

    platform: str
    sequence: int | None
    root: str | None
    count: int
    custody: bool
    received_at: int
    stored: int
    duplicates: int
    refused: int
    items: list[ItemReceipt]


class AnchorView(Schema):
    """How far a record is on one chain.

    Attributes:
        chain_id: Of the chain; the first anchor is the service's own.
        evidence_log: Address of the log.
        state: waiting for its batch; pending, on its way; anchored, in a block; final, in a block that no
            reorganisation is expected to touch any more; orphaned, its block is gone and it will be sent again.
        batch: Index of the batch in the platform's stream on that chain.
    """

    chain_id: int
    evidence_log: str
    state: Literal["waiting", "pending", "orphaned", "anchored", "final"]
    batch: int | None
    anchored_at: int | None
    block_number: int | None
    tx_hash: str | None


class ErasureRequest(Schema):
    """Why a record's content is to be erased; kept for ever, so no personal data belongs in it."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Erasure(Schema):
    """That a record's content was erased.

    Attributes:
        erased_by: Id of the API key.
        role: Its role.
        erased_at: Unix seconds.
    """

    evidence_id: str
    erased_by: str
    role: str
    reason: str
    erased_at: int


class ErasurePage(Schema):
    """A page of erasures; `next` is the cursor of the page after it."""

    items: list[Erasure]
    next: str | None


class Contradiction(Schema):
    """Another content that was posted with the number of a record, and refused; `record` is null once erased."""

    received_at: int
    record: dict[str, Any] | None


class EvidenceView(Schema):
    """A record and how far it is.

    Attributes:
        state: received (durable here), batched (on its way to the chain), anchored (in a block), final (in a block that
            no reorganisation is expected to touch any more).
        anchored_by: Until it is anchored, Unix seconds by which it should be.
        anchors: The same for every chain, the service's own first; logs of further chains anchor independently.
        record: What was posted; null once it is erased.
        erasure: By whom and why it was erased.
        corrected_by: Evidence ids of the records that correct or refund this one.
        contradictions: What was posted under the same number and refused; shown to staff.
        proof: Once anchored: the trade (null once erased), and the EvidenceProof that EvidenceLog.verify takes, bytes
            as 0x-hex.
    """

    id: str
    platform: str
    trade_id: str
    sequence: int
    position: int
    state: Literal["received", "batched", "anchored", "final"]
    custody: bool
    received_at: int
    batched_at: int | None
    anchored_at: int | None
    anchored_by: int | None
    block_number: int | None
    tx_hash: str | None
    anchors: list[AnchorView]
    leaf: str
    settlement_key: str
    record: dict[str, Any] | None
    erasure: Erasure | None
    corrected_by: list[str]
    contradictions: list[Contradiction]
    proof: dict[str, Any] | None


class EvidenceSummary(Schema):
    """A record in a list; `settled_fen` is null once it is erased."""

    id: str
    trade_id: str
    sequence: int
    position: int
    traded_at: int
    settled_fen: int | None
    leaf: str


class EvidencePage(Schema):
    """A page of records; `next` is the cursor of the page after it."""

    items: list[EvidenceSummary]
    next: str | None


class StreamView(Schema):
    """Where a platform's stream stands.

    Attributes:
        next_sequence: The only sequence that the next submission may have.
        anchored_to: Last sequence that the chain has; 0 before the first.
        batches: Batches on chain.
        head: Digest of the last batch's header, which commits to all before.
        custody: Whether the gateway signs for the platform; null before its key is registered.
        evidence_key: Address of the registered key.
    """

    uscc: str
    platform_id: str
    next_sequence: int
    anchored_to: int
    batches: int
    head: str | None
    pending: bool
    custody: bool | None
    evidence_key: str | None
