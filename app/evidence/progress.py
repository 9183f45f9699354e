"""How far a record is on its way to the chain."""

import math
from typing import Any, Literal

import msgspec
from sqlalchemy.orm import Session

from app.auth.service import Principal
from app.clock import now
from app.entities.repository import by_uscc
from app.evidence import erasure, repository
from app.evidence.models import EvidenceAnchor, EvidenceRecord, EvidenceSubmission
from app.evidence.proofs import Prover
from app.evidence.schemas import AnchorView, Contradiction, EvidencePage, EvidenceSummary, EvidenceView
from app.evidence.trades import find_record, trade_of
from app.gateway import EvidenceLog, Gateway
from app.indexer.models import EvidenceBatch
from chain.contracts import Contracts
from chain.identifiers import entity_id
from chain.jsonable import jsonable
from chain.trade import SOLIDITY_NAMES

# Members as contracts/src/types/Evidence.sol names them.
BATCH_NAMES = (
    "platform",
    "index",
    "previousHead",
    "fromSequence",
    "toSequence",
    "root",
    "count",
    "firstTradeAt",
    "lastTradeAt",
    "appendedAt",
)
SUBMISSION_NAMES = ("sequence", "root", "count", "signature")
STATES: dict[str, Literal["received", "batched", "anchored", "final"]] = {
    "waiting": "received",
    "pending": "batched",
    "orphaned": "batched",
    "anchored": "anchored",
    "final": "final",
}
"""State of a record by that of its own chain's anchor."""
BLOCK_SECONDS = 2
"""Generous time of a block, for estimates."""


def view(session: Session, gateway: Gateway, caller: Principal, evidence_id: str) -> EvidenceView:
    """A record that the caller may see, with its proof once it is anchored.

    Raises:
        NotFound: There is none, or the caller has no part in it.
    """
    row = find_record(session, caller, evidence_id)
    submission = repository.submission(session, row.platform_id, row.sequence)
    assert submission is not None  # noqa: S101 - foreign key
    stream = repository.stream(session, row.platform_id)
    assert stream is not None  # noqa: S101 - made before the submission
    erased = repository.erasure(session, row.id)
    anchor = repository.anchor_over(session, row.platform_id, row.sequence)
    batch = repository.batch_over(session, row.platform_id, row.sequence)
    own = _anchor_view(session, gateway.contracts, anchor, batch)
    return EvidenceView(
        id=row.id,
        platform=stream.uscc,
        trade_id=row.trade_id,
        sequence=row.sequence,
        position=row.position,
        state=STATES[own.state],
        custody=submission.custody,
        received_at=submission.received_at,
        batched_at=anchor.created_at if anchor else None,
        anchored_at=batch.appended_at if batch else None,
        anchored_by=None if batch else _estimate(gateway, submission),
        block_number=batch.block_number if batch else None,
        tx_hash=f"0x{batch.tx_hash.hex()}" if batch else None,
        anchors=[own, *(_further(log, row) for log in gateway.further_logs)],
        leaf=f"0x{row.leaf.hex()}",
        settlement_key=f"0x{row.settlement_key.hex()}",
        record=_content(row.record),
        erasure=erasure.view_of(erased) if erased else None,
        corrected_by=repository.corrections(session, row.platform_id, row.trade_id),
        contradictions=_contradictions(session, row) if caller.is_staff else [],
        proof=_proof(session, gateway, row),
    )


def page(
    session: Session, gateway: Gateway, caller: Principal, *, platform: str | None, after: str, limit: int
) -> EvidencePage:
    """Records that the caller may see, in the order in which they came."""
    party_id = None
    if not caller.is_staff:
        own = by_uscc(session, caller.subject)
        party_id = own.entity_id if own else bytes(32)
    rows = repository.page(
        session,
        platform_id=entity_id(gateway.jurisdiction_key, platform) if platform else None,
        party_id=party_id,
        after=after,
        limit=limit,
    )
    items = [
        EvidenceSummary(
            id=row.id,
            trade_id=row.trade_id,
            sequence=row.sequence,
            position=row.position,
            traded_at=row.traded_at,
            settled_fen=row.settled_fen if row.record else None,
            leaf=f"0x{row.leaf.hex()}",
        )
        for row in rows
    ]
    return EvidencePage(items=items, next=rows[-1].id if len(rows) == limit else None)


def _further(log: EvidenceLog, row: EvidenceRecord) -> AnchorView:
    with log.sessions() as session:
        session.connection(execution_options={"readonly": True})
        anchor = repository.anchor_over(session, row.platform_id, row.sequence)
        batch = repository.batch_over(session, row.platform_id, row.sequence)
        return _anchor_view(session, log.contracts, anchor, batch)


def _anchor_view(
    session: Session, contracts: Contracts, anchor: EvidenceAnchor | None, batch: EvidenceBatch | None
) -> AnchorView:
    state: Literal["waiting", "pending", "orphaned", "anchored", "final"] = "waiting"
    if batch is not None:
        state = "final" if batch.block_number <= repository.final_block(session, contracts) else "anchored"
    elif anchor is not None:
        # Anchored, as we knew, and gone from the projection: until the anchorer has seen it.
        state = "orphaned" if anchor.state == repository.ANCHORED else "pending"
    return AnchorView(
        chain_id=contracts.chain_id,
        evidence_log=contracts.evidence,
        state=state,
        batch=batch.index if batch else None,
        anchored_at=batch.appended_at if batch else None,
        block_number=batch.block_number if batch else None,
        tx_hash=f"0x{batch.tx_hash.hex()}" if batch else None,
    )


def _estimate(gateway: Gateway, submission: EvidenceSubmission) -> int:
    """Unix seconds by which a submission should be anchored: the age at which a batch closes, and two blocks."""
    closes = max(submission.received_at + gateway.settings.batch_max_age_s, submission.last_traded_at)
    return math.ceil(max(closes, now()) + 2 * BLOCK_SECONDS)


def _content(record: bytes) -> dict[str, Any] | None:
    return msgspec.json.decode(record) if record else None


def _contradictions(session: Session, row: EvidenceRecord) -> list[Contradiction]:
    return [
        Contradiction(received_at=one.received_at, record=_content(one.record))
        for one in repository.conflicts(session, row.id)
    ]


def _proof(session: Session, gateway: Gateway, row: EvidenceRecord) -> dict[str, Any] | None:
    proof = Prover(session, gateway).place(row)
    if proof is None:
        return None
    trade = dict(zip(SOLIDITY_NAMES, trade_of(session, gateway, row).to_abi(), strict=True)) if row.record else None
    batch = dict(zip(BATCH_NAMES, proof.batch.to_abi(), strict=True))
    submission = dict(zip(SUBMISSION_NAMES, proof.submission.to_abi(), strict=True))
    parts = {
        "trade": trade,
        "batch": batch,
        "submission": submission,
        "tradePath": proof.trade_path,
        "submissionPath": proof.submission_path,
    }
    return {name: jsonable(part) for name, part in parts.items()}
