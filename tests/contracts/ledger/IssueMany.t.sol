// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {ProgrammeTerms} from "suanquan/types/Programme.sol";
import {IssueOrder, VoucherStatus} from "suanquan/types/Voucher.sol";

/// @notice Each order stands alone: a refused one is reported and the others are issued.
contract IssueManyTest is LedgerBase {
    function test_IssueMany_IssuesAll() public {
        IssueOrder[] memory orders = makeOrders(5);
        vm.prank(stranger);
        ledger.issueMany(orders);
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(uint8(ledger.status(orders[i].voucherId)), uint8(VoucherStatus.Issued));
        }
        assertEq(IERC721(address(ledger)).balanceOf(accountOf(BUYER)), 7);
    }

    function test_IssueMany_ReportsTheRefusedAndGoesOn() public {
        IssueOrder[] memory orders = makeOrders(4);
        orders[1].faceFen = 0;
        orders[2].approvals[1].signature[0] ^= 0x01;
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.IssueRefused(
            orders[1].voucherId,
            abi.encodeWithSelector(Errors.VoucherLedger_ZeroFace.selector, uint256(orders[1].voucherId))
        );
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.IssueRefused(
            orders[2].voucherId,
            abi.encodeWithSelector(Errors.VoucherLedger_BadApproval.selector, orders[2].approvals[1].signer)
        );
        ledger.issueMany(orders);
        assertEq(uint8(ledger.status(orders[0].voucherId)), uint8(VoucherStatus.Issued));
        assertEq(uint8(ledger.status(orders[3].voucherId)), uint8(VoucherStatus.Issued));
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_UnknownVoucher.selector, uint256(orders[1].voucherId))
        );
        ledger.status(orders[1].voucherId);
    }

    function test_IssueMany_SameOrderTwiceIsIssuedOnce() public {
        IssueOrder[] memory orders = makeOrders(2);
        orders[1] = orders[0];
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.IssueRefused(
            orders[0].voucherId,
            abi.encodeWithSelector(Errors.VoucherLedger_VoucherIdTaken.selector, uint256(orders[0].voucherId))
        );
        ledger.issueMany(orders);
    }

    /// @dev A budget for two and a half: the third is refused, a smaller fourth still fits.
    function test_IssueMany_BudgetRunsOutWithin() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.budgetsFen[0] = yuan(2_500_000);
        uint16 id = publish(terms);
        IssueOrder[] memory orders = new IssueOrder[](4);
        for (uint32 i = 0; i < 4; ++i) {
            orders[i] = makeOrder(id, i + 1, BUYER);
            if (i == 3) orders[i].faceFen = uint40(yuan(500_000));
            orders[i] = signed(orders[i]);
        }
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.IssueRefused(
            orders[2].voucherId,
            abi.encodeWithSelector(Errors.VoucherLedger_BudgetExhausted.selector, id, 0, yuan(1_000_000), yuan(500_000))
        );
        ledger.issueMany(orders);
        (, uint256 availableFen) = ledger.budget(id, 0);
        assertEq(availableFen, 0);
    }

    function test_IssueMany_Nothing() public {
        ledger.issueMany(new IssueOrder[](0));
    }

    function makeOrders(uint32 count) private view returns (IssueOrder[] memory orders) {
        orders = new IssueOrder[](count);
        for (uint32 i = 0; i < count; ++i) {
            orders[i] = signed(makeOrder(zhengzhou, 100 + i, BUYER));
        }
    }
}
