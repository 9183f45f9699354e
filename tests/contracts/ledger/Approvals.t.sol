// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {ReenteringWallet, WalletContract} from "../support/WalletContract.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Roles} from "suanquan/libraries/Roles.sol";
import {IssueOrder, ReviewApproval} from "suanquan/types/Voucher.sol";

/// @notice Whose signatures make a voucher. Zhengzhou: one of the first review, two of the second.
contract ApprovalsTest is LedgerBase {
    function test_IssueDigest_IsEip712() public view {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        assertEq(ledger.issueDigest(o, 1, NOW), issueDigest(o, 1, NOW));
    }

    function test_Issue_MoreApprovalsThanRequired() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        ReviewApproval[] memory three = sorted(signIssue(o, 0, 0), signIssue(o, 2, 1), signIssue(o, 3, 1));
        o.approvals = insert(three, signIssue(o, 4, 1));
        ledger.issue(o);
    }

    function test_Issue_AtTheDeadline() public {
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.approvals = new ReviewApproval[](1);
        o.approvals[0] = signIssue(o, 0, 0, NOW);
        ledger.issue(o);

        o = makeOrder(etown, 3, BUYER);
        o.approvals = new ReviewApproval[](1);
        o.approvals[0] = signIssue(o, 0, 0, NOW - 1);
        expectRefused(
            o,
            abi.encodeWithSelector(
                Errors.VoucherLedger_ApprovalExpired.selector, reviewers[0].addr, NOW - 1, uint256(NOW)
            )
        );
    }

    /* TOO FEW */

    function test_RevertWhen_NobodyApproved() public {
        expectRefused(
            makeOrder(zhengzhou, 2, BUYER),
            abi.encodeWithSelector(Errors.VoucherLedger_ApprovalsMissing.selector, zhengzhou, 0, 1, 0)
        );
    }

    function test_RevertWhen_AStageIsShort() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.approvals = sorted(signIssue(o, 0, 0), signIssue(o, 1, 0), signIssue(o, 2, 1));
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_ApprovalsMissing.selector, zhengzhou, 1, 2, 1));
    }

    function test_RevertWhen_OneApproverCountsTwice() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.approvals = sorted(signIssue(o, 0, 0), signIssue(o, 2, 1), signIssue(o, 2, 1));
        address twice = reviewers[2].addr;
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_ApprovalOrder.selector, twice, twice));
    }

    /// @dev One person in two stages is still one person.
    function test_RevertWhen_OneApproverCountsInTwoStages() public {
        vm.prank(operator);
        ledger.setApprover(zhengzhou, 0, reviewers[2].addr, true);
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.approvals = sorted(signIssue(o, 2, 0), signIssue(o, 2, 1), signIssue(o, 3, 1));
        address twice = reviewers[2].addr;
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_ApprovalOrder.selector, twice, twice));
    }

    function test_RevertWhen_OrderOfSignersRunsBackwards() public {
        IssueOrder memory o = signed(makeOrder(zhengzhou, 2, BUYER));
        (o.approvals[0], o.approvals[1]) = (o.approvals[1], o.approvals[0]);
        expectRefused(
            o,
            abi.encodeWithSelector(
                Errors.VoucherLedger_ApprovalOrder.selector, o.approvals[0].signer, o.approvals[1].signer
            )
        );
    }

    function test_RevertWhen_SignerIsZero() public {
        IssueOrder memory o = signed(makeOrder(etown, 2, BUYER));
        o.approvals[0].signer = address(0);
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_ApprovalOrder.selector, address(0), address(0)));
    }

    /* NOT THE RIGHT SIGNER */

    function test_RevertWhen_ApproverIsOfAnotherStage() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.approvals = new ReviewApproval[](1);
        o.approvals[0] = signIssue(o, 2, 0);
        expectRefused(
            o, abi.encodeWithSelector(Errors.VoucherLedger_NotApprover.selector, zhengzhou, 0, reviewers[2].addr)
        );
    }

    function test_RevertWhen_StageDoesNotExist() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.approvals = new ReviewApproval[](1);
        o.approvals[0] = signIssue(o, 0, 2);
        expectRefused(
            o, abi.encodeWithSelector(Errors.VoucherLedger_NotApprover.selector, zhengzhou, 2, reviewers[0].addr)
        );
    }

    function test_RevertWhen_ApproverOfAnotherProgramme() public {
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.approvals = new ReviewApproval[](1);
        o.approvals[0] = signIssue(o, 1, 0);
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_NotApprover.selector, etown, 0, reviewers[1].addr));
    }

    function test_RevertWhen_ApproverLostTheRole() public {
        IssueOrder memory o = signed(makeOrder(etown, 2, BUYER));
        vm.prank(admin);
        access.revokeRole(Roles.REVIEWER, reviewers[0].addr);
        expectRefused(o, abi.encodeWithSelector(Errors.RoleMissing.selector, Roles.REVIEWER, reviewers[0].addr));
    }

    /* NOT THIS SUBJECT */

    function test_RevertWhen_AnyMemberDiffersFromWhatWasApproved() public {
        for (uint256 member = 0; member < 7; ++member) {
            IssueOrder memory o = signed(makeOrder(zhengzhou, 2, BUYER));
            if (member == 0) o.voucherId += 1;
            if (member == 1) o.entity = OTHER_BUYER;
            if (member == 2) o.tier = 1;
            if (member == 3) o.faceFen += 1;
            if (member == 4) o.validUntil += 1;
            if (member == 5) o.documents = REASON;
            if (member == 6) o.approvals[0].deadline += 1;
            expectBad(o, o.approvals[0].signer);
        }
        IssueOrder memory reserved = signed(makeOrder(etown, 2, BUYER));
        reserved.period = 1;
        expectBad(reserved, reviewers[0].addr);
    }

    function test_RevertWhen_SignedForAnotherStage() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.approvals = new ReviewApproval[](1);
        o.approvals[0] = signIssue(o, 0, 1);
        o.approvals[0].stage = 0;
        expectBad(o, reviewers[0].addr);
    }

    function test_RevertWhen_SignedForAnotherChain() public {
        vm.chainId(1);
        IssueOrder memory o = signed(makeOrder(etown, 2, BUYER));
        vm.chainId(31_337);
        expectBad(o, reviewers[0].addr);
    }

    function test_RevertWhen_SignedForAnotherLedger() public {
        IssueOrder memory o = signed(makeOrder(etown, 2, BUYER));
        address real = address(ledger);
        ledger = deployLedger();
        assertTrue(address(ledger) != real);
        uint16 id;
        for (uint256 i = 0; i < 2; ++i) {
            id = publish(makeEtown());
        }
        assertEq(id, etown, "the same number there");
        expectBad(o, reviewers[0].addr);
    }

    function test_RevertWhen_SignedByAnother() public {
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.approvals = new ReviewApproval[](1);
        o.approvals[0] = signIssue(o, 1, 0);
        o.approvals[0].signer = reviewers[0].addr;
        expectBad(o, reviewers[0].addr);
    }

    /* ERC-1271 */

    function test_Issue_ApprovedByAWalletContract() public {
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.approvals = new ReviewApproval[](1);
        o.approvals[0] = signIssue(o, 1, 0);
        o.approvals[0].signer = name(address(new WalletContract(reviewers[1].addr)));
        ledger.issue(o);
    }

    function test_RevertWhen_WalletContractDisagrees() public {
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.approvals = new ReviewApproval[](1);
        o.approvals[0] = signIssue(o, 0, 0);
        o.approvals[0].signer = name(address(new WalletContract(reviewers[1].addr)));
        expectBad(o, o.approvals[0].signer);
    }

    /// @dev The wallet sends the same order again while it is asked: it is asked in a static call and cannot.
    function test_WalletContractCannotReenter() public {
        ReenteringWallet wallet = new ReenteringWallet(address(ledger));
        name(address(wallet));
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.approvals = new ReviewApproval[](1);
        o.approvals[0] = ReviewApproval(0, NOW, address(wallet), "");
        IssueOrder memory other = signed(makeOrder(etown, 3, BUYER));
        wallet.arm(abi.encodeCall(ledger.issue, (other)));
        ledger.issue(o);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_UnknownVoucher.selector, uint256(other.voucherId)));
        ledger.voucher(other.voucherId);
    }

    /// @dev Makes an account a reviewer and an approver of E-Town.
    function name(address account) private returns (address) {
        vm.prank(admin);
        access.grantRole(Roles.REVIEWER, account);
        vm.prank(operator);
        ledger.setApprover(etown, 0, account, true);
        return account;
    }

    function insert(ReviewApproval[] memory list, ReviewApproval memory a)
        private
        pure
        returns (ReviewApproval[] memory longer)
    {
        longer = new ReviewApproval[](list.length + 1);
        uint256 i = 0;
        for (; i < list.length && list[i].signer < a.signer; ++i) {
            longer[i] = list[i];
        }
        longer[i] = a;
        for (; i < list.length; ++i) {
            longer[i + 1] = list[i];
        }
    }

    function expectBad(IssueOrder memory o, address signer) private {
        expectRefused(o, abi.encodeWithSelector(Errors.VoucherLedger_BadApproval.selector, signer));
    }

    function expectRefused(IssueOrder memory o, bytes memory reason) private {
        vm.expectRevert(reason);
        ledger.issue(o);
    }
}
