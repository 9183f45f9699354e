// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IEntityRegistry} from "./interfaces/IEntityRegistry.sol";
import {IEvidenceLog} from "./interfaces/IEvidenceLog.sol";
import {Errors} from "./libraries/Errors.sol";
import {Roles} from "./libraries/Roles.sol";
import {BatchHeader, EvidenceProof, Stream, Submission} from "./types/Evidence.sol";

/// @title EvidenceLog
/// @notice See {IEvidenceLog}. A batch costs one new word whatever its size: the digest of its header.
contract EvidenceLog is IEvidenceLog, EIP712 {
    bytes32 private constant SUBMISSION_TYPEHASH =
        keccak256("Submission(bytes32 platform,uint64 sequence,bytes32 root,uint32 count)");

    IEntityRegistry public immutable REGISTRY;

    /* STORAGE */

    mapping(bytes32 platform => Stream) private _streams;
    mapping(bytes32 platform => mapping(uint64 index => bytes32 head)) private _heads;

    constructor(IEntityRegistry registry) EIP712("Suanquan EvidenceLog", "1") {
        REGISTRY = registry;
    }

    /// @inheritdoc IEvidenceLog
    function append(
        bytes32 platform,
        uint64 fromSequence,
        uint64 toSequence,
        bytes32 root,
        uint32 count,
        uint40 firstTradeAt,
        uint40 lastTradeAt
    ) external returns (bytes32 head) {
        REGISTRY.requireRole(Roles.RELAYER, msg.sender);
        Stream memory s = stream(platform);
        if (fromSequence != s.nextSequence) {
            revert Errors.EvidenceLog_SequenceGap(platform, s.nextSequence, fromSequence);
        }
        if (toSequence < fromSequence || count < uint256(toSequence) - fromSequence + 1) {
            revert Errors.EvidenceLog_EmptyRange(fromSequence, toSequence, count);
        }
        if (firstTradeAt > lastTradeAt || lastTradeAt > block.timestamp) {
            revert Errors.EvidenceLog_BadTimes(firstTradeAt, lastTradeAt, block.timestamp);
        }

        BatchHeader memory header = BatchHeader({
            platform: platform,
            index: s.batches,
            previousHead: s.batches == 0 ? bytes32(0) : _heads[platform][s.batches - 1],
            fromSequence: fromSequence,
            toSequence: toSequence,
            root: root,
            count: count,
            firstTradeAt: firstTradeAt,
            lastTradeAt: lastTradeAt,
            appendedAt: uint40(block.timestamp)
        });
        head = keccak256(abi.encode(header));
        _heads[platform][s.batches] = head;
        _streams[platform] = Stream({batches: s.batches + 1, nextSequence: toSequence + 1});
        emit BatchAppended(platform, header.index, root, head, header);
    }

    /// @inheritdoc IEvidenceLog
    function verify(bytes32 platform, bytes32 leaf, EvidenceProof calldata proof) external view {
        BatchHeader calldata batch = proof.batch;
        Submission calldata submission = proof.submission;

        // Check: the batch is anchored, and is this platform's.
        if (batch.platform != platform) revert Errors.EvidenceLog_WrongPlatform(platform, batch.platform);
        bytes32 head = keccak256(abi.encode(batch));
        if (_heads[platform][batch.index] != head) {
            revert Errors.EvidenceLog_NotAnchored(platform, batch.index, head);
        }

        // Check: the submission is in the batch.
        bytes32 submissionLeaf = _leaf(abi.encode(platform, submission.sequence, submission.root, submission.count));
        if (
            submission.sequence < batch.fromSequence || submission.sequence > batch.toSequence
                || !MerkleProof.verifyCalldata(proof.submissionPath, batch.root, submissionLeaf)
        ) {
            revert Errors.EvidenceLog_SubmissionNotInBatch(submission.sequence, batch.root);
        }

        // Check: the trade is in the submission.
        if (!MerkleProof.verifyCalldata(proof.tradePath, submission.root, leaf)) {
            revert Errors.EvidenceLog_TradeNotInSubmission(leaf, submission.root);
        }

        // Check: the platform signed the submission, with the key of the time.
        address key = REGISTRY.evidenceKeyAt(platform, batch.appendedAt);
        bytes32 digest = submissionDigest(platform, submission.sequence, submission.root, submission.count);
        if (key == address(0) || !SignatureChecker.isValidSignatureNowCalldata(key, digest, submission.signature)) {
            revert Errors.EvidenceLog_BadSignature(platform, submission.sequence, key);
        }
    }

    /// @inheritdoc IEvidenceLog
    function stream(bytes32 platform) public view returns (Stream memory s) {
        s = _streams[platform];
        if (s.nextSequence == 0) s.nextSequence = 1;
    }

    /// @inheritdoc IEvidenceLog
    function headAt(bytes32 platform, uint64 index) external view returns (bytes32) {
        return _heads[platform][index];
    }

    /// @inheritdoc IEvidenceLog
    function submissionDigest(bytes32 platform, uint64 sequence, bytes32 root, uint32 count)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(SUBMISSION_TYPEHASH, platform, sequence, root, count)));
    }

    function _leaf(bytes memory encoded) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(encoded)));
    }
}
