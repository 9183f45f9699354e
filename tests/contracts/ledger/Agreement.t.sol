// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {ProgrammeStatus, Tier} from "suanquan/types/Programme.sol";
import {IssueOrder, ReviewApproval} from "suanquan/types/Voucher.sol";

/// @notice A separate agreement with one entity, as a tier of its own.
contract AgreementTest is LedgerBase {
    function test_AddAgreement_AnyoneMaySendWhatReviewersApproved() public {
        Tier memory t = makeAgreement();
        ReviewApproval[] memory approvals = signAgreement(zhengzhou, 8, t);
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.AgreementAdded(zhengzhou, 8, OTHER_BUYER, t);
        vm.prank(stranger);
        ledger.addAgreement(zhengzhou, 8, t, approvals);
        assertEq(ledger.programme(zhengzhou).tiers, 9);
        assertEq(abi.encode(ledger.tier(zhengzhou, 8)), abi.encode(t));
    }

    function test_AddAgreement_OverridesTheTiersForItsEntity() public {
        add();
        IssueOrder memory o = makeOrder(zhengzhou, 2, OTHER_BUYER);
        o.tier = 8;
        uint48 id = issue(o);
        assertEq(ledger.quote(id, makeTrade(OTHER_BUYER)).amountFen, yuan(400_000)); // 50 %
    }

    function test_RevertWhen_AnotherEntityUsesTheTier() public {
        add();
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.tier = 8;
        o = signed(o);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_TierReserved.selector, zhengzhou, 8, OTHER_BUYER));
        ledger.issue(o);
    }

    function test_RevertWhen_AgreementIsReplayed() public {
        Tier memory t = makeAgreement();
        ReviewApproval[] memory approvals = signAgreement(zhengzhou, 8, t);
        ledger.addAgreement(zhengzhou, 8, t, approvals);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_TierIndex.selector, zhengzhou, 8, 9));
        ledger.addAgreement(zhengzhou, 8, t, approvals);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_BadApproval.selector, approvals[0].signer));
        ledger.addAgreement(zhengzhou, 9, t, approvals);
    }

    function test_RevertWhen_TermsDifferFromThoseApproved() public {
        Tier memory t = makeAgreement();
        ReviewApproval[] memory approvals = signAgreement(zhengzhou, 8, t);
        t.rateBps[0] = 1;
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_BadApproval.selector, approvals[0].signer));
        ledger.addAgreement(zhengzhou, 8, t, approvals);
    }

    function test_RevertWhen_IssueApprovalIsPresentedForAnAgreement() public {
        IssueOrder memory o = signed(makeOrder(zhengzhou, 2, OTHER_BUYER));
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_BadApproval.selector, o.approvals[0].signer));
        ledger.addAgreement(zhengzhou, 8, makeAgreement(), o.approvals);
    }

    function test_RevertWhen_NobodyApproved() public {
        Tier memory t = makeAgreement();
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_ApprovalsMissing.selector, zhengzhou, 0, 1, 0));
        ledger.addAgreement(zhengzhou, 8, t, new ReviewApproval[](0));
    }

    function test_RevertWhen_IndexIsNotTheNext() public {
        Tier memory t = makeAgreement();
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_TierIndex.selector, zhengzhou, 9, 8));
        ledger.addAgreement(zhengzhou, 9, t, new ReviewApproval[](0));
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_TierIndex.selector, zhengzhou, 0, 8));
        ledger.addAgreement(zhengzhou, 0, t, new ReviewApproval[](0));
    }

    function test_RevertWhen_AgreementIsWithNobody() public {
        Tier memory t = makeAgreement();
        t.entity = 0;
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_BadTerms.selector, bytes32("agreementEntity")));
        ledger.addAgreement(zhengzhou, 8, t, new ReviewApproval[](0));
    }

    function test_RevertWhen_RateIsAboveTheWhole() public {
        Tier memory t = makeAgreement();
        t.rateBps[3] = Rules.FULL_BPS + 1;
        ReviewApproval[] memory approvals = signAgreement(zhengzhou, 8, t);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_BadTerms.selector, bytes32("rateBps")));
        ledger.addAgreement(zhengzhou, 8, t, approvals);
    }

    function test_RevertWhen_ProgrammeIsNotPublished() public {
        uint16 draft = create(makeZhengzhou());
        Tier memory t = makeAgreement();
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_ProgrammeStatus.selector, draft, ProgrammeStatus.Draft)
        );
        ledger.addAgreement(draft, 8, t, new ReviewApproval[](0));
    }

    function makeAgreement() private pure returns (Tier memory t) {
        t = makeTier("agreement", 5000, Rules.NO_CAP, Rules.NO_CAP);
        t.entity = OTHER_BUYER;
    }

    function add() private {
        Tier memory t = makeAgreement();
        ledger.addAgreement(zhengzhou, 8, t, signAgreement(zhengzhou, 8, t));
    }
}
