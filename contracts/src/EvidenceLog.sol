// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {IEntityRegistry} from "./interfaces/IEntityRegistry.sol";
import {IEvidenceLog} from "./interfaces/IEvidenceLog.sol";
import {Errors} from "./libraries/Errors.sol";
import {Evidence} from "./libraries/Evidence.sol";
import {Roles} from "./libraries/Roles.sol";
import {Signatures} from "./libraries/Signatures.sol";
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
        uint40 fromSequence,
        uint40 toSequence,
        bytes32 root,
        uint32 count,
        uint40 firstTradeAt,
        uint40 lastTradeAt
    ) external returns (bytes32 head) {
        REGISTRY.checkRole(Roles.RELAYER, msg.sender);
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

        // The members of BatchHeader, in their order.
        head = keccak256(
            abi.encode(
                platform,
                s.batches,
                s.head,
                fromSequence,
                toSequence,
                root,
                count,
                firstTradeAt,
                lastTradeAt,
                block.timestamp
            )
        );
        _heads[platform][s.batches] = head;
        _streams[platform] = Stream({batches: s.batches + 1, nextSequence: toSequence + 1, head: bytes23(head)});
        uint256 range = uint256(s.batches) << 192 | uint256(fromSequence) << 152 | uint256(toSequence) << 112
            | uint256(count) << 80 | uint256(firstTradeAt) << 40 | lastTradeAt;
        emit BatchAppended(platform, root, head, range);
    }

    /// @inheritdoc IEvidenceLog
    function verify(bytes32 platform, bytes32 leaf, EvidenceProof calldata proof) external view {
        if (proof.batch.platform != platform) {
            revert Errors.EvidenceLog_WrongPlatform(platform, proof.batch.platform);
        }
        verifySubmission(proof.batch, proof.submission, proof.submissionPath);
        Evidence.requireTrade(leaf, proof.tradePath, proof.submission.root);
    }

    /// @inheritdoc IEvidenceLog
    function verifySubmission(BatchHeader calldata batch, Submission calldata submission, bytes32[] calldata path)
        public
        view
    {
        bytes32 platform = batch.platform;

        // Check: the batch is anchored.
        bytes32 head = keccak256(abi.encode(batch));
        if (_heads[platform][batch.index] != head) {
            revert Errors.EvidenceLog_NotAnchored(platform, batch.index, head);
        }

        // Check: the submission is in the batch.
        bytes32 leaf = Evidence.leaf(abi.encode(platform, submission.sequence, submission.root, submission.count));
        if (
            submission.sequence < batch.fromSequence || submission.sequence > batch.toSequence
                || !MerkleProof.verifyCalldata(path, batch.root, leaf)
        ) {
            revert Errors.EvidenceLog_SubmissionNotInBatch(submission.sequence, batch.root);
        }

        // Check: the platform signed the submission, with the key of the time.
        address key = REGISTRY.evidenceKeyAt(platform, batch.appendedAt);
        bytes32 digest = submissionDigest(platform, submission.sequence, submission.root, submission.count);
        if (key == address(0) || !Signatures.isValid(key, digest, submission.signature)) {
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
}
