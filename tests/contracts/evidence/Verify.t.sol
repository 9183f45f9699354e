// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Base} from "../support/Base.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {WalletContract} from "../support/WalletContract.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {EntityKind, EntityRoles, KeyPurpose, Registration} from "suanquan/types/Entity.sol";
import {BatchHeader, EvidenceProof, Submission} from "suanquan/types/Evidence.sol";
import {Trade} from "suanquan/types/Trade.sol";

/// @notice Trade in a submission that the platform signed, submission in a batch that is anchored.
contract VerifyTest is Base {
    /* WHAT HOLDS */

    function test_Verify_EveryTradeOfASubmission() public {
        for (uint256 count = 1; count <= 9; ++count) {
            Trade[] memory trades = makeTrades(count);
            EvidenceProof[] memory proofs = anchor(trades);
            for (uint256 i = 0; i < count; ++i) {
                evidence.verify(PLATFORM, leafOf(trades[i]), proofs[i]);
            }
        }
    }

    function test_Verify_EverySubmissionOfABatch() public {
        (Trade[] memory trades, EvidenceProof[] memory proofs) = anchorApart(5);
        for (uint256 i = 0; i < 5; ++i) {
            evidence.verify(PLATFORM, leafOf(trades[i]), proofs[i]);
        }
    }

    function test_Verify_AfterLaterBatches() public {
        Trade[] memory trades = makeTrades(2);
        EvidenceProof[] memory proofs = anchor(trades);
        anchor(makeTrades(1));
        vm.warp(NOW + 1000 days);
        evidence.verify(PLATFORM, leafOf(trades[1]), proofs[1]);
    }

    function test_SubmissionDigest_IsEip712() public view {
        assertEq(
            evidence.submissionDigest(PLATFORM, 7, keccak256("root"), 3),
            submissionDigest(PLATFORM, 7, keccak256("root"), 3)
        );
    }

    /* KEYS */

    function test_Verify_JudgesByTheKeyOfTheTime() public {
        Trade[] memory before = makeTrades(1);
        EvidenceProof memory oldProof = anchor(before)[0];

        vm.warp(NOW + 1);
        uint256 oldKey = evidenceKeys[PLATFORM];
        changeEvidenceKey(vm.addr(uint256(keccak256("next key"))));
        evidence.verify(PLATFORM, leafOf(before[0]), oldProof);

        // The old key no longer signs for batches that are appended from now on.
        Trade[] memory late = makeTrades(1);
        EvidenceProof memory p = anchor(late)[0];
        expectBadSignature(late[0], p, vm.addr(uint256(keccak256("next key"))));
        assertEq(evidenceKeys[PLATFORM], oldKey);

        evidenceKeys[PLATFORM] = uint256(keccak256("next key"));
        Trade[] memory next = makeTrades(1);
        evidence.verify(PLATFORM, leafOf(next[0]), anchor(next)[0]);
    }

    function test_Verify_AcceptsAnErc1271Wallet() public {
        address wallet = address(new WalletContract(vm.addr(evidenceKeys[PLATFORM])));
        changeEvidenceKey(wallet);
        Trade[] memory trades = makeTrades(1);
        EvidenceProof memory p = anchor(trades)[0];
        evidence.verify(PLATFORM, leafOf(trades[0]), p);

        p.submission.signature = sign(uint256(keccak256("thief")), keccak256("anything"));
        expectBadSignature(trades[0], p, wallet);
    }

    function test_RevertWhen_PlatformIsNotRegistered() public {
        evidenceKeys[NOBODY] = uint256(keccak256("thief"));
        Trade[] memory trades = makeTrades(1);
        trades[0].platform = NOBODY;
        EvidenceProof memory p = anchor(trades)[0];
        vm.expectRevert(abi.encodeWithSelector(Errors.EvidenceLog_BadSignature.selector, NOBODY, 1, address(0)));
        evidence.verify(NOBODY, leafOf(trades[0]), p);
    }

    /// @dev Registered after the batch was appended: it had no key then.
    function test_RevertWhen_PlatformIsRegisteredLater() public {
        Registration memory r = makeRegistration(NOBODY, EntityKind.Platform, EntityRoles.PLATFORM);
        Trade[] memory trades = makeTrades(1);
        trades[0].platform = NOBODY;
        EvidenceProof memory p = anchor(trades)[0];
        vm.warp(NOW + 1);
        register(r);
        vm.expectRevert(abi.encodeWithSelector(Errors.EvidenceLog_BadSignature.selector, NOBODY, 1, address(0)));
        evidence.verify(NOBODY, leafOf(trades[0]), p);
    }

    /* SIGNATURES */

    function test_RevertWhen_SignedByAnother() public {
        (Trade memory t, EvidenceProof memory p) = anchorOne();
        bytes32 digest = submissionDigest(PLATFORM, 1, p.submission.root, 1);
        p.submission.signature = sign(evidenceKeys[OTHER_PLATFORM], digest);
        expectBadSignature(t, p, vm.addr(evidenceKeys[PLATFORM]));
    }

    function test_RevertWhen_SignatureIsMalformed() public {
        (Trade memory t, EvidenceProof memory p) = anchorOne();
        p.submission.signature = "";
        expectBadSignature(t, p, vm.addr(evidenceKeys[PLATFORM]));
        p.submission.signature = new bytes(65);
        expectBadSignature(t, p, vm.addr(evidenceKeys[PLATFORM]));
    }

    function test_RevertWhen_SignedForAnotherSequence() public {
        Trade memory t = makeTrade(BUYER);
        Submission memory s = signSubmission(PLATFORM, 2, leafOf(t), 1);
        s.sequence = 1;
        expectForeign(t, s);
    }

    function test_RevertWhen_SignedForAnotherPlatform() public {
        Trade memory t = makeTrade(BUYER);
        Submission memory s = Submission(
            1, leafOf(t), 1, sign(evidenceKeys[PLATFORM], submissionDigest(OTHER_PLATFORM, 1, leafOf(t), 1))
        );
        expectForeign(t, s);
    }

    function test_RevertWhen_SignedForAnotherChain() public {
        Trade memory t = makeTrade(BUYER);
        vm.chainId(1);
        Submission memory s = signSubmission(PLATFORM, 1, leafOf(t), 1);
        vm.chainId(31_337);
        expectForeign(t, s);
    }

    function test_RevertWhen_SignedForAnotherLog() public {
        Trade memory t = makeTrade(BUYER);
        address log = address(evidence);
        bytes32 typeHash = keccak256("Submission(bytes32 platform,uint64 sequence,bytes32 root,uint32 count)");
        bytes32 digest = typedData(
            "Suanquan EvidenceLog", address(ledger), keccak256(abi.encode(typeHash, PLATFORM, 1, leafOf(t), 1))
        );
        assertTrue(log != address(ledger));
        expectForeign(t, Submission(1, leafOf(t), 1, sign(evidenceKeys[PLATFORM], digest)));
    }

    /* BATCHES */

    function test_RevertWhen_HeaderIsAltered() public {
        (Trade memory t, EvidenceProof memory p) = anchorOne();
        BatchHeader memory h = p.batch;
        for (uint256 field = 0; field < 8; ++field) {
            BatchHeader memory x = BatchHeader(
                h.platform,
                h.index,
                h.previousHead,
                h.fromSequence,
                h.toSequence,
                h.root,
                h.count,
                h.firstTradeAt,
                h.lastTradeAt,
                h.appendedAt
            );
            if (field == 0) x.previousHead = REASON;
            if (field == 1) x.fromSequence = 0;
            if (field == 2) x.toSequence = 2;
            if (field == 3) x.root = REASON;
            if (field == 4) x.count = 2;
            if (field == 5) x.firstTradeAt += 1;
            if (field == 6) x.lastTradeAt -= 1;
            if (field == 7) x.appendedAt -= 1;
            p.batch = x;
            vm.expectRevert(
                abi.encodeWithSelector(Errors.EvidenceLog_NotAnchored.selector, PLATFORM, 0, keccak256(abi.encode(x)))
            );
            evidence.verify(PLATFORM, leafOf(t), p);
        }
    }

    function test_RevertWhen_BatchWasNeverAppended() public {
        (Trade memory t, EvidenceProof memory p) = anchorOne();
        p.batch.index = 1;
        vm.expectRevert(
            abi.encodeWithSelector(Errors.EvidenceLog_NotAnchored.selector, PLATFORM, 1, keccak256(abi.encode(p.batch)))
        );
        evidence.verify(PLATFORM, leafOf(t), p);
    }

    function test_RevertWhen_ProofIsAnotherPlatforms() public {
        (Trade memory t, EvidenceProof memory p) = anchorOne();
        vm.expectRevert(abi.encodeWithSelector(Errors.EvidenceLog_WrongPlatform.selector, OTHER_PLATFORM, PLATFORM));
        evidence.verify(OTHER_PLATFORM, leafOf(t), p);
    }

    function test_RevertWhen_SubmissionIsOutsideTheRange() public {
        Trade memory t = makeTrade(BUYER);
        Submission memory s = signSubmission(PLATFORM, 2, leafOf(t), 1);
        EvidenceProof memory p =
            EvidenceProof(append(PLATFORM, submissionLeaf(PLATFORM, s), 1, 1), s, new bytes32[](0), new bytes32[](0));
        expectNotInBatch(t, p);

        append(PLATFORM, keccak256("2"), 1, 1);
        s = signSubmission(PLATFORM, 2, leafOf(t), 1);
        p = EvidenceProof(append(PLATFORM, submissionLeaf(PLATFORM, s), 1, 1), s, new bytes32[](0), new bytes32[](0));
        expectNotInBatch(t, p);
    }

    function test_RevertWhen_SubmissionPathIsWrong() public {
        (Trade[] memory trades, EvidenceProof[] memory proofs) = anchorApart(4);
        proofs[0].submissionPath[0] = REASON;
        expectNotInBatch(trades[0], proofs[0]);
        proofs[1].submissionPath = new bytes32[](0);
        expectNotInBatch(trades[1], proofs[1]);
        proofs[2].submission.count = 2;
        expectNotInBatch(trades[2], proofs[2]);
    }

    /* TRADES */

    function test_RevertWhen_TradePathIsWrong() public {
        Trade[] memory trades = makeTrades(4);
        EvidenceProof[] memory proofs = anchor(trades);
        proofs[0].tradePath[1] = REASON;
        expectNotInSubmission(leafOf(trades[0]), proofs[0]);
        proofs[1].tradePath = new bytes32[](0);
        expectNotInSubmission(leafOf(trades[1]), proofs[1]);
        expectNotInSubmission(leafOf(trades[2]), proofs[3]);
    }

    /// @dev An inner node is the hash of 64 bytes, a leaf is hashed twice: no node passes for a leaf.
    function test_RevertWhen_TradeIsAnyOther(uint256 field, uint256 flip) public {
        (Trade memory t, EvidenceProof memory p) = anchorOne();
        bytes memory encoded = abi.encode(t);
        field = bound(field, 0, encoded.length - 1);
        flip = bound(flip, 1, 255);
        encoded[field] = bytes1(uint8(encoded[field]) ^ uint8(flip));
        expectNotInSubmission(MerkleTree.leaf(encoded), p);
    }

    function makeTrades(uint256 count) private returns (Trade[] memory trades) {
        trades = new Trade[](count);
        for (uint256 i = 0; i < count; ++i) {
            trades[i] = makeTrade(BUYER);
        }
    }

    function anchorOne() private returns (Trade memory, EvidenceProof memory) {
        Trade[] memory trades = makeTrades(1);
        return (trades[0], anchor(trades)[0]);
    }

    /// @dev A submission for each trade, all in one batch.
    function anchorApart(uint256 count) private returns (Trade[] memory trades, EvidenceProof[] memory proofs) {
        trades = makeTrades(count);
        proofs = new EvidenceProof[](count);
        bytes32[] memory leaves = new bytes32[](count);
        Submission[] memory s = new Submission[](count);
        for (uint256 i = 0; i < count; ++i) {
            s[i] = signSubmission(PLATFORM, uint64(i + 1), leafOf(trades[i]), 1);
            leaves[i] = submissionLeaf(PLATFORM, s[i]);
        }
        BatchHeader memory h = append(PLATFORM, MerkleTree.root(leaves), uint64(count), uint32(count));
        for (uint256 i = 0; i < count; ++i) {
            proofs[i] = EvidenceProof(h, s[i], new bytes32[](0), MerkleTree.proof(leaves, leaves[i]));
        }
    }

    function changeEvidenceKey(address key) private {
        vm.prank(registrar);
        registry.proposeKey(PLATFORM, KeyPurpose.Evidence, key, false);
        vm.prank(regulator);
        registry.confirmKey(PLATFORM, KeyPurpose.Evidence, key);
    }

    /// @dev A submission that is anchored well, but whose signature is for something else.
    function expectForeign(Trade memory t, Submission memory s) private {
        BatchHeader memory h = append(PLATFORM, submissionLeaf(PLATFORM, s), 1, 1);
        expectBadSignature(t, EvidenceProof(h, s, new bytes32[](0), new bytes32[](0)), vm.addr(evidenceKeys[PLATFORM]));
    }

    function expectBadSignature(Trade memory t, EvidenceProof memory p, address key) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.EvidenceLog_BadSignature.selector, PLATFORM, p.submission.sequence, key)
        );
        evidence.verify(PLATFORM, leafOf(t), p);
    }

    function expectNotInBatch(Trade memory t, EvidenceProof memory p) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.EvidenceLog_SubmissionNotInBatch.selector, p.submission.sequence, p.batch.root
            )
        );
        evidence.verify(PLATFORM, leafOf(t), p);
    }

    function expectNotInSubmission(bytes32 leaf, EvidenceProof memory p) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.EvidenceLog_TradeNotInSubmission.selector, leaf, p.submission.root)
        );
        evidence.verify(PLATFORM, leaf, p);
    }
}
