// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Roles} from "suanquan/libraries/Roles.sol";
import {ProgrammeStatus} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {IssueOrder} from "suanquan/types/Voucher.sol";

/// @notice Publish, terminate, approvers and lists.
contract ProgrammeTest is LedgerBase {
    /* PUBLISH AND TERMINATE */

    function test_Publish_OpensADraft() public {
        uint16 id = create(makeZhengzhou());
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.ProgrammePublished(id);
        vm.prank(operator);
        ledger.publishProgramme(id);
        assertEq(uint8(ledger.programme(id).status), uint8(ProgrammeStatus.Published));
    }

    function test_RevertWhen_PublishedTwice() public {
        vm.prank(operator);
        expectStatus(zhengzhou, ProgrammeStatus.Published);
        ledger.publishProgramme(zhengzhou);
    }

    function test_Terminate_APublishedProgramme() public {
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.ProgrammeTerminated(zhengzhou, REASON);
        terminate(zhengzhou);
        assertEq(uint8(ledger.programme(zhengzhou).status), uint8(ProgrammeStatus.Terminated));
    }

    function test_Terminate_ADraft() public {
        uint16 id = create(makeZhengzhou());
        terminate(id);
        vm.prank(operator);
        expectStatus(id, ProgrammeStatus.Terminated);
        ledger.publishProgramme(id);
    }

    function test_RevertWhen_TerminatedTwice() public {
        terminate(zhengzhou);
        vm.prank(operator);
        expectStatus(zhengzhou, ProgrammeStatus.Terminated);
        ledger.terminateProgramme(zhengzhou, REASON);
    }

    function test_RevertWhen_ProgrammeIsUnknown() public {
        vm.startPrank(operator);
        expectStatus(99, ProgrammeStatus.None);
        ledger.publishProgramme(99);
        expectStatus(99, ProgrammeStatus.None);
        ledger.terminateProgramme(99, REASON);
        expectStatus(99, ProgrammeStatus.None);
        ledger.setApprover(99, 0, reviewers[0].addr, true);
        expectStatus(99, ProgrammeStatus.None);
        ledger.setSuppliers(99, only(SUPPLIER), true);
        expectStatus(99, ProgrammeStatus.None);
        ledger.setPlatforms(99, only(PLATFORM), true);
    }

    /// @dev Run-off: nothing new, but what was redeemed still settles.
    function test_Terminated_RedemptionsStillSettle() public {
        Trade memory paid = makeTrade(BUYER);
        uint256 first = redeem(voucherId, paid);
        Trade memory bad = makeTrade(BUYER);
        uint256 second = redeem(voucherId, bad);
        terminate(zhengzhou);
        reject(second, bad, true);
        vm.warp(NOW + CHALLENGE);
        writeOff(first);
        vm.prank(finance);
        ledger.recover(refTo(first), 1, REASON);
        ledger.expire(voucherId);
    }

    /* APPROVERS */

    function test_SetApprover_NamesAndRemoves() public {
        address reviewer = reviewers[4].addr;
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.ApproverSet(zhengzhou, 0, reviewer, true);
        setApprover(0, reviewer, true);

        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.approvals = sorted(signIssue(o, 4, 0), signIssue(o, 2, 1), signIssue(o, 3, 1));
        setApprover(0, reviewer, false);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_NotApprover.selector, zhengzhou, 0, reviewer));
        ledger.issue(o);
        setApprover(0, reviewer, true);
        ledger.issue(o);
    }

    function test_SetApprover_OnADraft() public {
        uint16 id = create(makeZhengzhou());
        vm.prank(operator);
        ledger.setApprover(id, 0, reviewers[4].addr, true);
    }

    /// @dev One who lost REVIEWER_ROLE can still be taken off.
    function test_SetApprover_RemovesAFormerReviewer() public {
        vm.prank(admin);
        access.revokeRole(Roles.REVIEWER, reviewers[0].addr);
        setApprover(0, reviewers[0].addr, false);
    }

    function test_RevertWhen_OperatorNamesItself() public {
        vm.prank(operator);
        expectMissing(Roles.REVIEWER, operator);
        ledger.setApprover(zhengzhou, 0, operator, true);
    }

    function test_RevertWhen_StageIsUnknown() public {
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_UnknownStage.selector, zhengzhou, 2));
        ledger.setApprover(zhengzhou, 2, reviewers[0].addr, true);
    }

    function test_RevertWhen_ApproverOfATerminatedProgramme() public {
        terminate(zhengzhou);
        vm.prank(operator);
        expectStatus(zhengzhou, ProgrammeStatus.Terminated);
        ledger.setApprover(zhengzhou, 0, reviewers[0].addr, false);
    }

    /* LISTS */

    function test_SetSuppliers_ListsAndRemoves() public {
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.SupplierListed(zhengzhou, SUPPLIER, false);
        vm.prank(operator);
        ledger.setSuppliers(zhengzhou, only(SUPPLIER), false);
        Trade memory t = makeTrade(BUYER);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_SupplierNotListed.selector, zhengzhou, SUPPLIER));
        ledger.quote(voucherId, t);
        vm.prank(operator);
        ledger.setSuppliers(zhengzhou, only(SUPPLIER), true);
        ledger.quote(voucherId, t);
    }

    function test_SetPlatforms_ListsAndRemoves() public {
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.PlatformListed(zhengzhou, PLATFORM, false);
        vm.prank(operator);
        ledger.setPlatforms(zhengzhou, only(PLATFORM), false);
        Trade memory t = makeTrade(BUYER);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_PlatformNotListed.selector, zhengzhou, PLATFORM));
        ledger.quote(voucherId, t);
    }

    function test_RevertWhen_ListsOfATerminatedProgramme() public {
        terminate(zhengzhou);
        vm.startPrank(operator);
        expectStatus(zhengzhou, ProgrammeStatus.Terminated);
        ledger.setSuppliers(zhengzhou, only(SUPPLIER), true);
        expectStatus(zhengzhou, ProgrammeStatus.Terminated);
        ledger.setPlatforms(zhengzhou, only(PLATFORM), true);
    }

    function setApprover(uint8 stage, address account, bool approver) private {
        vm.prank(operator);
        ledger.setApprover(zhengzhou, stage, account, approver);
    }

    function expectStatus(uint16 id, ProgrammeStatus status) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_ProgrammeStatus.selector, id, status));
    }
}
