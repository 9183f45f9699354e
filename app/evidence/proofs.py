"""Proofs that a stored record is in a submission that its platform signed, and that in a batch on chain.

Trees are rebuilt from the stored leaves; nothing of them is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.evidence import repository
from app.evidence.models import EvidenceRecord, EvidenceSubmission
from app.evidence.trades import trade_of
from app.gateway import Gateway
from app.indexer.models import EvidenceBatch
from chain import evidence
from chain.evidence import BatchHeader, EvidenceProof, SignedSubmission
from chain.merkle import MerkleTree
from chain.trade import Trade


@dataclass(frozen=True, slots=True)
class Proof:
    """What a claim presents of a record."""

    trade: Trade
    proof: EvidenceProof


class Prover:
    """Makes proofs within one transaction; trees that several records share are built once."""

    def __init__(self, session: Session, gateway: Gateway) -> None:
        self._session = session
        self._gateway = gateway
        self._submissions: dict[tuple[bytes, int], MerkleTree] = {}
        self._batches: dict[tuple[bytes, int], MerkleTree] = {}

    def prove(self, row: EvidenceRecord) -> Proof | None:
        """The trade of a record and its proof; None while no batch on chain holds it.

        Raises:
            EvidenceErased: The record has no content any more; `place` still proves its leaf.
            ValueError: What is stored does not give the roots that were signed and anchored.
        """
        proof = self.place(row)
        return None if proof is None else Proof(trade_of(self._session, self._gateway, row), proof)

    def place(self, row: EvidenceRecord) -> EvidenceProof | None:
        """The proof that a record's leaf is in a submission, and that in a batch on chain; None while none holds it.

        Raises:
            ValueError: What is stored does not give the roots that were signed and anchored.
        """
        batch = repository.batch_over(self._session, row.platform_id, row.sequence)
        if batch is None:
            return None
        submission = repository.submission(self._session, row.platform_id, row.sequence)
        assert submission is not None  # noqa: S101 - foreign key
        return EvidenceProof(
            batch=header_of(batch),
            submission=signed(submission),
            trade_path=self._tree(submission).path(row.position),
            submission_path=self._batch_tree(batch).path(row.sequence - batch.from_sequence),
        )

    def _tree(self, submission: EvidenceSubmission) -> MerkleTree:
        key = (submission.platform_id, submission.sequence)
        if key not in self._submissions:
            tree = MerkleTree(repository.leaves(self._session, *key))
            if tree.root != submission.root:
                raise ValueError(f"the records of submission {submission.sequence} do not give its root")
            self._submissions[key] = tree
        return self._submissions[key]

    def _batch_tree(self, batch: EvidenceBatch) -> MerkleTree:
        key = (batch.platform_id, batch.index)
        if key not in self._batches:
            rows = repository.submissions(self._session, batch.platform_id, batch.from_sequence, batch.to_sequence)
            tree = batch_tree(rows)
            if tree.root != batch.root:
                raise ValueError(f"the submissions of batch {batch.index} do not give its root")
            self._batches[key] = tree
        return self._batches[key]


def signed(row: EvidenceSubmission) -> SignedSubmission:
    """A submission as the contract takes it."""
    return SignedSubmission(sequence=row.sequence, root=row.root, count=row.count, signature=row.signature)


def batch_tree(rows: Sequence[EvidenceSubmission]) -> MerkleTree:
    """The tree of a batch over its submissions, at least one, in order of sequence."""
    return evidence.batch_tree(rows[0].platform_id, [signed(row) for row in rows])


def header_of(batch: EvidenceBatch) -> BatchHeader:
    """The header of an anchored batch."""
    return BatchHeader(
        platform=batch.platform_id,
        index=batch.index,
        previous_head=batch.previous_head,
        from_sequence=batch.from_sequence,
        to_sequence=batch.to_sequence,
        root=batch.root,
        count=batch.count,
        first_trade_at=batch.first_trade_at,
        last_trade_at=batch.last_trade_at,
        appended_at=batch.appended_at,
    )
