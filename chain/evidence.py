"""Evidence on its way to the chain: trade ∈ submission ∈ batch, and the proof that a claim presents.

trades ─► leaves ─► submission root, signed by the platform
                             │
submissions of a range ─► batch root ─► EvidenceLog.append ─► header, whose digest is the head
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from eth_hash.auto import keccak

from .merkle import MerkleTree, leaf_hash
from .trade import Trade

NO_HEAD = bytes(32)
"""What stands for the head before the first."""
# The stream's word on chain holds so much of the latest head beside its counters.
_LINK_BYTES = 23


class SignedSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform posted (Submission in contracts/src/types/Evidence.sol).

    Attributes:
        sequence: the platform's own gapless counter, from 1.
        root: Merkle root over the trades, 32 bytes.
        count: trades under the root.
        signature: 65 bytes over `submission_digest`, or what an ERC-1271 account takes for one.
    """

    sequence: int
    root: bytes
    count: int
    signature: bytes

    def leaf(self, platform: bytes) -> bytes:
        """Its leaf in the batch, 32 bytes."""
        return submission_leaf(platform, self.sequence, self.root, self.count)

    def to_abi(self) -> tuple[Any, ...]:
        """The struct as an argument of a call."""
        return msgspec.structs.astuple(self)


class BatchHeader(msgspec.Struct, frozen=True, kw_only=True):
    """One anchored range of a platform's submissions (BatchHeader in contracts/src/types/Evidence.sol).

    Attributes:
        platform: registry id, 32 bytes.
        index: position in the platform's stream, from 0.
        previous_head: first 23 bytes of the head before, then zeros (`link_to`); all zeros for the first.
        from_sequence: first submission of the range.
        to_sequence: last submission of the range, inclusive.
        root: Merkle root over the submissions.
        count: trades in the batch.
        first_trade_at: Unix seconds.
        last_trade_at: Unix seconds.
        appended_at: Unix seconds of the block.
    """

    platform: bytes
    index: int
    previous_head: bytes
    from_sequence: int
    to_sequence: int
    root: bytes
    count: int
    first_trade_at: int
    last_trade_at: int
    appended_at: int

    def head(self) -> bytes:
        """keccak256(abi.encode(header)), 32 bytes.

        Raises:
            ValueError: an id, root or head has not 32 bytes.
            OverflowError: a number is negative or beyond 32 bytes.
        """
        return keccak(b"".join(_word(value) for value in msgspec.structs.astuple(self)))

    def to_abi(self) -> tuple[Any, ...]:
        """The struct as an argument of a call."""
        return msgspec.structs.astuple(self)

    @classmethod
    def of_event(cls, args: Mapping[str, Any], previous_head: bytes, appended_at: int) -> "BatchHeader":
        """The header of a batch, from its decoded BatchAppended.

        Args:
            previous_head: head of the platform's batch before, 32 bytes; zeros for the first.
            appended_at: time of the event's block, Unix seconds.
        """
        return cls(
            platform=args["platform"],
            index=args["index"],
            previous_head=link_to(previous_head),
            from_sequence=args["fromSequence"],
            to_sequence=args["toSequence"],
            root=args["root"],
            count=args["count"],
            first_trade_at=args["firstTradeAt"],
            last_trade_at=args["lastTradeAt"],
            appended_at=appended_at,
        )


class EvidenceProof(msgspec.Struct, frozen=True, kw_only=True):
    """Proves trade ∈ submission ∈ batch (EvidenceProof in contracts/src/types/Evidence.sol)."""

    batch: BatchHeader
    submission: SignedSubmission
    trade_path: list[bytes]
    submission_path: list[bytes]

    @classmethod
    def assemble(
        cls,
        batch: BatchHeader,
        submissions: Sequence[SignedSubmission],
        sequence: int,
        leaves: Sequence[bytes],
        position: int,
    ) -> "EvidenceProof":
        """Proof of one trade.

        Args:
            batch: the anchored header.
            submissions: all of its range, in order.
            sequence: of the submission that holds the trade.
            leaves: all trades' leaves of that submission, in the order in which they were posted.
            position: of the trade among them.

        Raises:
            ValueError: the parts do not make up the anchored roots.
        """
        tree = batch_tree(batch.platform, submissions)
        place = sequence - batch.from_sequence
        if tree.root != batch.root or not 0 <= place < len(submissions):
            raise ValueError(f"the submissions are not those of batch {batch.index}, or hold no sequence {sequence}")
        trades = MerkleTree(leaves)
        if trades.root != submissions[place].root:
            raise ValueError(f"the trades are not those of submission {sequence}")
        return cls(
            batch=batch,
            submission=submissions[place],
            trade_path=trades.path(position),
            submission_path=tree.path(place),
        )

    def to_abi(self) -> tuple[Any, ...]:
        """The struct as an argument of a call."""
        return self.batch.to_abi(), self.submission.to_abi(), self.trade_path, self.submission_path


def link_to(head: bytes) -> bytes:
    """What the next header says of a head: its first 23 bytes, then zeros, 32 bytes together."""
    return head[:_LINK_BYTES].ljust(32, b"\0")


def submission_leaf(platform: bytes, sequence: int, root: bytes, count: int) -> bytes:
    """Leaf of a submission in its batch: over abi.encode(platform, sequence, root, count), 32 bytes."""
    return leaf_hash(_word(platform) + _word(sequence) + _word(root) + _word(count))


def submission_tree(trades: Sequence[Trade]) -> MerkleTree:
    """The tree over a submission's trades."""
    return MerkleTree([trade.leaf() for trade in trades])


def batch_tree(platform: bytes, submissions: Sequence[SignedSubmission]) -> MerkleTree:
    """The tree over a batch's submissions, in order of sequence."""
    return MerkleTree([submission.leaf(platform) for submission in submissions])


def _word(value: bytes | int) -> bytes:
    word = value if isinstance(value, bytes) else value.to_bytes(32, "big")
    if len(word) != 32:
        raise ValueError(f"an id, root or head has 32 bytes, not {len(word)}")
    return word
