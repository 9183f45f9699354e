// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MerkleTree} from "./MerkleTree.sol";
import {World} from "./World.sol";
import {BatchHeader, EvidenceProof, Stream, Submission} from "suanquan/types/Evidence.sol";
import {ComputeType, Trade, TradeAttributes, TradeFacts, TradeKind} from "suanquan/types/Trade.sol";
import {Claim} from "suanquan/types/Voucher.sol";

/// @notice Trades, the evidence of them that platforms sign, and its anchors.
abstract contract Trades is World {
    uint256 private _unique;

    /// @dev 800,000 yuan of intelligent compute, settled now; every trade has keys of its own.
    function makeTrade(bytes32 buyer) internal returns (Trade memory t) {
        bytes32 unique = bytes32(++_unique);
        t.platform = PLATFORM;
        t.tradeId = keccak256(abi.encode("trade", unique));
        t.buyer = buyer;
        t.supplier = SUPPLIER;
        t.kind = TradeKind.Compute;
        t.computeType = ComputeType.Intelligent;
        t.attributes = TradeAttributes.BUYER_PAID;
        t.region = 410_100;
        t.tradedAt = uint40(block.timestamp);
        t.contractSignedAt = START;
        t.settledFen = yuan(800_000);
        t.contractFen = yuan(1_000_000);
        t.settlementKey = keccak256(abi.encode("settlement", unique));
        t.contractKey = keccak256(abi.encode("contract", unique));
        t.details = keccak256(abi.encode("details", unique));
    }

    /// @dev Written out anew, so that a change of the event shows.
    function factsOf(Trade memory t) internal pure returns (TradeFacts memory) {
        uint256 terms = uint256(
            bytes32(
                abi.encodePacked(
                    bytes12(0),
                    uint8(t.kind),
                    uint8(t.computeType),
                    t.attributes,
                    t.region,
                    t.tradedAt,
                    t.contractSignedAt
                )
            )
        );
        uint256 amounts = uint256(bytes32(abi.encodePacked(bytes8(0), t.settledFen, t.contractFen, t.otherSupportFen)));
        return TradeFacts(t.platform, t.supplier, t.contractKey, terms, amounts);
    }

    function leafOf(Trade memory t) internal pure returns (bytes32) {
        return MerkleTree.leaf(abi.encode(t));
    }

    function submissionLeaf(bytes32 platform, Submission memory s) internal pure returns (bytes32) {
        return MerkleTree.leaf(abi.encode(platform, s.sequence, s.root, s.count));
    }

    function submissionDigest(bytes32 platform, uint64 sequence, bytes32 root, uint32 count)
        internal
        view
        returns (bytes32)
    {
        bytes32 typeHash = keccak256("Submission(bytes32 platform,uint64 sequence,bytes32 root,uint32 count)");
        return typedData(
            "Suanquan EvidenceLog", address(evidence), keccak256(abi.encode(typeHash, platform, sequence, root, count))
        );
    }

    function signSubmission(bytes32 platform, uint64 sequence, bytes32 root, uint32 count)
        internal
        view
        returns (Submission memory)
    {
        bytes32 digest = submissionDigest(platform, sequence, root, count);
        return Submission(sequence, root, count, sign(evidenceKeys[platform], digest));
    }

    /// @dev Anchors submissions of the next sequences of a platform as one batch.
    function append(bytes32 platform, bytes32 batchRoot, uint64 submissions, uint32 count)
        internal
        returns (BatchHeader memory h)
    {
        Stream memory s = evidence.stream(platform);
        uint40 nowAt = uint40(block.timestamp);
        h = BatchHeader({
            platform: platform,
            index: s.batches,
            previousHead: s.head,
            fromSequence: s.nextSequence,
            toSequence: s.nextSequence + submissions - 1,
            root: batchRoot,
            count: count,
            firstTradeAt: START,
            lastTradeAt: nowAt,
            appendedAt: nowAt
        });
        vm.prank(relayer);
        evidence.append(
            platform, uint40(h.fromSequence), uint40(h.toSequence), h.root, h.count, h.firstTradeAt, h.lastTradeAt
        );
    }

    /// @dev Signs trades of one platform as one submission, anchors it alone, and proves each trade.
    function anchor(Trade[] memory trades) internal returns (EvidenceProof[] memory proofs) {
        bytes32 platform = trades[0].platform;
        bytes32[] memory leaves = new bytes32[](trades.length);
        for (uint256 i = 0; i < trades.length; ++i) {
            leaves[i] = leafOf(trades[i]);
        }
        uint64 sequence = evidence.stream(platform).nextSequence;
        Submission memory s = signSubmission(platform, sequence, MerkleTree.root(leaves), uint32(trades.length));
        BatchHeader memory h = append(platform, submissionLeaf(platform, s), 1, s.count);
        proofs = new EvidenceProof[](trades.length);
        for (uint256 i = 0; i < trades.length; ++i) {
            proofs[i] = EvidenceProof(h, s, MerkleTree.proof(leaves, leaves[i]), new bytes32[](0));
        }
    }

    function makeClaims(uint48 voucherId, Trade[] memory trades) internal returns (Claim[] memory claims) {
        EvidenceProof[] memory proofs = anchor(trades);
        claims = new Claim[](trades.length);
        for (uint256 i = 0; i < trades.length; ++i) {
            claims[i] = Claim(voucherId, trades[i], proofs[i]);
        }
    }

    /// @dev A claim whose evidence is anchored.
    function makeClaim(uint48 voucherId, Trade memory t) internal returns (Claim memory) {
        Trade[] memory trades = new Trade[](1);
        trades[0] = t;
        return makeClaims(voucherId, trades)[0];
    }
}
