// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice One anchored range of a platform's submissions. The log keeps only its digest (the head), and each header
/// holds the head before it, so a change to any header shows in every later head.
/// @param platform Registry id of the platform.
/// @param index Position in the platform's stream, from 0.
/// @param previousHead The first 23 bytes of the head before, then nine zero bytes; all zero for the first batch.
/// @param fromSequence First submission sequence that the batch covers; sequences start at 1.
/// @param toSequence Last submission sequence that the batch covers, inclusive.
/// @param root Standard Merkle root over the submissions of exactly that range.
/// @param count Trades in the batch.
/// @param firstTradeAt Earliest `tradedAt` of the batch, Unix seconds.
/// @param lastTradeAt Latest `tradedAt` of the batch, Unix seconds.
/// @param appendedAt Unix seconds of the block that anchored the batch.
struct BatchHeader {
    bytes32 platform;
    uint64 index;
    bytes32 previousHead;
    uint64 fromSequence;
    uint64 toSequence;
    bytes32 root;
    uint32 count;
    uint40 firstTradeAt;
    uint40 lastTradeAt;
    uint40 appendedAt;
}

/// @notice What a platform posts: trades under one root, signed with its evidence key.
/// @param sequence The platform's own gapless counter, from 1.
/// @param root Standard Merkle root over the trades.
/// @param count Trades in the submission.
/// @param signature EIP-712 signature over Submission(bytes32 platform,uint64 sequence,bytes32 root,uint32 count).
struct Submission {
    uint64 sequence;
    bytes32 root;
    uint32 count;
    bytes signature;
}

/// @notice Proves trade ∈ submission ∈ batch.
/// @param batch Header of the anchored batch.
/// @param submission The submission that holds the trade.
/// @param tradePath Merkle path from the trade's leaf to `submission.root`.
/// @param submissionPath Merkle path from the submission's leaf to `batch.root`.
struct EvidenceProof {
    BatchHeader batch;
    Submission submission;
    bytes32[] tradePath;
    bytes32[] submissionPath;
}

/// @notice Proves submission ∈ batch; the trades of a claim batch share it.
/// @param batch Header of the anchored batch.
/// @param submission The submission.
/// @param path Merkle path from the submission's leaf to `batch.root`.
struct SubmissionProof {
    BatchHeader batch;
    Submission submission;
    bytes32[] path;
}

/// @notice Where a platform's stream stands. One slot, so that appending reads and writes one word of it.
/// @param batches Batches appended.
/// @param nextSequence The only `fromSequence` that the next batch may have.
/// @param head First 23 bytes of the latest head. Two headers that agree in so many take some 2⁹² tries to find.
struct Stream {
    uint32 batches; //       32
    uint40 nextSequence; //  72
    bytes23 head; //        256
}
