// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {BatchHeader, EvidenceProof, Submission} from "suanquan/types/Evidence.sol";
import {ProgrammeTerms, Stage} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {Claim, IssueOrder} from "suanquan/types/Voucher.sol";

/// @notice Gas of whole transactions, calldata and the 21,000 included, compared with contracts/snapshots at each run;
/// `FORGE_SNAPSHOT_CHECK=false ./scripts/forge test --match-contract GasTest` writes them anew.
/// Each is measured in a programme that has been used before, as all but its first transactions are.
/// forge-config: default.isolate = true
/// forge-config: long.isolate = true
contract GasTest is LedgerBase {
    uint16 internal _programme;
    uint48 internal _used;

    function setUp() public override {
        super.setUp();
        // First come in order of trade time, one stage of review, no challenge: a batch can be written off at once.
        ProgrammeTerms memory t = makeZhengzhou();
        t.challengeSeconds = 0;
        t.stages = new Stage[](1);
        t.stages[0] = Stage("review", 1, new address[](1));
        t.stages[0].approvers[0] = reviewers[0].addr;
        t.tiers[0].periodCapFen = yuan(10_000_000);
        _programme = publish(t);
        _used = issue(_programme, 1, BUYER);
        issue(_programme, 2, OTHER_BUYER);
        redeem(_used, small());
    }

    function test_Gas_Issue() public {
        IssueOrder memory o = signed(makeOrder(_programme, 3, BUYER));
        ledger.issue(o);
        vm.snapshotGasLastCall("VoucherLedger", "issue, one approval");
    }

    function test_Gas_IssueReserved() public {
        IssueOrder memory o = signed(makeOrder(etown, 2, BUYER));
        ledger.issue(o);
        vm.snapshotGasLastCall("VoucherLedger", "issue reserving budget, one approval");
    }

    function test_Gas_IssueThreeApprovals() public {
        IssueOrder memory o = signed(makeOrder(zhengzhou, 2, BUYER));
        ledger.issue(o);
        vm.snapshotGasLastCall("VoucherLedger", "issue, three approvals in two stages");
    }

    function test_Gas_IssueMany() public {
        IssueOrder[] memory orders = new IssueOrder[](50);
        for (uint32 i = 0; i < 50; ++i) {
            orders[i] = signed(makeOrder(_programme, 3 + i, BUYER));
        }
        ledger.issueMany(orders);
        vm.snapshotGasLastCall("VoucherLedger", "issueMany of 50, one approval each");
        assertEq(ledger.voucher(orders[49].voucherId).faceFen, orders[49].faceFen);
    }

    function test_Gas_Redeem() public {
        Claim memory c = makeDeepClaims(_used, 1, 20)[0];
        redeem(c);
        vm.snapshotGasLastCall("VoucherLedger", "redeem, proof 20 deep");
    }

    function test_Gas_RedeemReserved() public {
        redeem(reservedId, makeTrade(BUYER));
        Claim memory c = makeDeepClaims(reservedId, 1, 20)[0];
        redeem(c);
        vm.snapshotGasLastCall("VoucherLedger", "redeem of a reserved voucher, proof 20 deep");
    }

    function test_Gas_RedeemFirstOfAVoucher() public {
        uint48 fresh = issue(_programme, 3, OTHER_BUYER);
        Claim memory c = makeDeepClaims(fresh, 1, 20)[0];
        c.trade.buyer = OTHER_BUYER;
        c = redeepen(c, 20);
        redeem(c);
        vm.snapshotGasLastCall("VoucherLedger", "redeem, the entity's first in the programme, proof 20 deep");
    }

    function test_Gas_RedeemMany() public {
        Claim[] memory claims = makeDeepClaims(_used, 20, 20);
        redeemMany(claims);
        vm.snapshotGasLastCall("VoucherLedger", "redeemMany of 20, proofs 20 deep");
        assertEq(ledger.programme(_programme).redemptions, 21);
    }

    function test_Gas_WriteOff() public {
        uint256[] memory ids = new uint256[](50);
        for (uint256 i = 0; i < 50; ++i) {
            uint48 id = issue(_programme, uint32(10 + i), BUYER);
            ids[i] = redeem(id, small());
        }
        vm.prank(finance);
        ledger.writeOff(refsTo(ids), PAYMENT);
        vm.snapshotGasLastCall("VoucherLedger", "writeOff of 50, a voucher each");
    }

    function test_Gas_WriteOffOfOneVoucher() public {
        uint256[] memory ids = new uint256[](50);
        for (uint256 i = 0; i < 50; ++i) {
            ids[i] = redeem(_used, small());
        }
        vm.prank(finance);
        ledger.writeOff(refsTo(ids), PAYMENT);
        vm.snapshotGasLastCall("VoucherLedger", "writeOff of 50, all of one voucher");
    }

    function test_Gas_Append() public {
        append(PLATFORM, REASON, 1000, 10_000);
        vm.snapshotGasLastCall("EvidenceLog", "append of 10,000 trades");
    }

    function small() internal returns (Trade memory t) {
        t = makeTrade(BUYER);
        t.settledFen = yuan(10_000);
    }

    /// @dev Each claim has a batch of its own, half of the path in the submission and half above it. Trees of that size
    /// cannot be built in a test; a path up from the leaf stands for one.
    function makeDeepClaims(uint48 voucherId_, uint256 count, uint256 depth) internal returns (Claim[] memory claims) {
        claims = new Claim[](count);
        for (uint256 i = 0; i < count; ++i) {
            claims[i].voucherId = voucherId_;
            claims[i].trade = small();
            claims[i] = redeepen(claims[i], depth);
        }
    }

    function redeepen(Claim memory c, uint256 depth) private returns (Claim memory) {
        bytes32 platform = c.trade.platform;
        bytes32[] memory below = siblings(depth / 2, 1);
        bytes32[] memory above = siblings(depth - depth / 2, 2);
        uint64 sequence = evidence.stream(platform).nextSequence;
        Submission memory s = signSubmission(platform, sequence, MerkleTree.climb(leafOf(c.trade), below), 1000);
        BatchHeader memory h = append(platform, MerkleTree.climb(submissionLeaf(platform, s), above), 1000, 1_000_000);
        c.proof = EvidenceProof(h, s, below, above);
        return c;
    }

    function siblings(uint256 count, uint256 salt) private pure returns (bytes32[] memory path) {
        path = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            path[i] = keccak256(abi.encode(salt, i));
        }
    }
}
