// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchHeader, EvidenceProof, Stream, Submission} from "../types/Evidence.sol";

/// @title Append-only log of trade evidence, one stream per platform
/// @notice A platform signs submissions with a gapless sequence; the gateway anchors ranges of them as batches. The
/// gateway can delay, but neither forge (a proof carries the platform's signature) nor leave out, reorder or slip in
/// (each batch covers exactly the next range, and each head commits to the one before).
interface IEvidenceLog {
    /// @notice A batch was anchored. With the block's time and the head of the platform's batch before, this is the whole
    /// {BatchHeader}.
    /// @param range From the lowest bit: lastTradeAt (40) · firstTradeAt (40) · count (32) · toSequence (40) ·
    /// fromSequence (40) · index (32). In one word, as each word of a log costs 256 gas.
    event BatchAppended(bytes32 indexed platform, bytes32 indexed root, bytes32 head, uint256 range);

    /// @notice Anchors the next range of a platform's submissions.
    /// @dev Emits {BatchAppended}. Requirements: caller is RELAYER_ROLE; `fromSequence` is the next expected;
    /// the range is not empty; count at least one per submission; times in order and not in the future.
    /// @param platform Registry id. Not looked up: a stream of an unknown platform proves nothing to {verify}.
    /// @param fromSequence First submission of the range.
    /// @param toSequence Last submission of the range, inclusive.
    /// @param root Standard Merkle root over abi.encode(platform, sequence, submissionRoot, count) of the range.
    /// @param count Trades in the range.
    /// @param firstTradeAt Earliest trade time, Unix seconds.
    /// @param lastTradeAt Latest trade time, Unix seconds.
    /// @return head The digest of the batch's header, and through it of all before.
    function append(
        bytes32 platform,
        uint40 fromSequence,
        uint40 toSequence,
        bytes32 root,
        uint32 count,
        uint40 firstTradeAt,
        uint40 lastTradeAt
    ) external returns (bytes32 head);

    /// @notice Reverts unless the leaf is in a submission that the platform signed, with the key valid when the batch
    /// was appended, and the submission is in a batch that is anchored here.
    /// @param leaf Standard Merkle leaf of the trade.
    function verify(bytes32 platform, bytes32 leaf, EvidenceProof calldata proof) external view;

    /// @notice The part of {verify} that is the same for all trades of a submission: reverts unless `batch.platform`
    /// signed the submission, with the key valid when the batch was appended, and the submission is in that batch.
    /// @param path Merkle path from the submission's leaf to `batch.root`.
    function verifySubmission(BatchHeader calldata batch, Submission calldata submission, bytes32[] calldata path)
        external
        view;

    /// @notice Where a platform's stream stands; `nextSequence` of a new stream is 1.
    function stream(bytes32 platform) external view returns (Stream memory);

    /// @notice Head of a batch, zero if there is none.
    function headAt(bytes32 platform, uint64 index) external view returns (bytes32);

    /// @notice EIP-712 digest that a platform signs for a submission.
    function submissionDigest(bytes32 platform, uint64 sequence, bytes32 root, uint32 count)
        external
        view
        returns (bytes32);
}
