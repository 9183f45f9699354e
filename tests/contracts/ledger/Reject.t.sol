// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Budget, ProgrammeTerms} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {RedemptionState, VoucherStatus} from "suanquan/types/Voucher.sol";

/// @notice A provisional redemption is undone; the trade is released, or stays barred.
contract RejectTest is LedgerBase {
    uint48 private constant AMOUNT = 24_000_000; // 240,000 yuan
    uint48 private constant FACE = 100_000_000;
    uint48 private constant BUDGET = 10_000_000_000;

    Trade private _trade;
    uint256 private _id;

    function setUp() public override {
        super.setUp();
        _trade = makeTrade(BUYER);
        _id = redeem(reservedId, _trade);
    }

    function test_Reject_ReturnsTheValue() public {
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.RedemptionRejected(_id, reservedId, uint40(AMOUNT), REASON, false);
        reject(_id, _trade, false);

        assertEq(uint8(redemption(_id).state), uint8(RedemptionState.Rejected));
        assertEq(ledger.voucher(reservedId).redeemedFen, 0);
        (uint48 periodFen, uint48 totalFen) = ledger.used(etown, BUYER, 0);
        assertEq(periodFen, 0);
        assertEq(totalFen, 0);
        assertBudget(etown, 0, Budget(BUDGET, FACE, 0, 0, 0));
    }

    function test_Reject_FirstComeReturnsToWhatIsAvailable() public {
        Trade memory t = makeTrade(BUYER);
        reject(redeem(voucherId, t), t, true);
        assertBudget(zhengzhou, 0, Budget(yuan(50_000_000), 0, 0, 0, 0));
    }

    /* RELEASED OR BARRED */

    function test_Reject_ReleasedTradeMayBeClaimedAgain() public {
        reject(_id, _trade, false);
        assertEq(ledger.settlement(2, _trade.settlementKey), 0);
        uint256 again = redeem(reservedId, _trade);
        assertEq(again, _id + 1);
        assertEq(ledger.settlement(2, _trade.settlementKey), again);
        // The id of the past cannot be taken for the later one.
        expectMismatch(_id, _trade.settlementKey, _trade.contractKey, _trade.settlementKey, again);
        vm.prank(finance);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_KeyMismatch.selector, _id, _trade.settlementKey, again)
        );
        ledger.recover(refTo(_id, _trade.settlementKey), 1, REASON);
    }

    function test_RevertWhen_RejectedTwice() public {
        reject(_id, _trade, false);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_RedemptionState.selector, _id, RedemptionState.Rejected)
        );
        reject(_id, _trade, true);
    }

    function test_Reject_BarredTradeStaysUsed() public {
        reject(_id, _trade, true);
        assertEq(ledger.settlement(2, _trade.settlementKey), _id);
        Trade memory t = _trade;
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_SettlementUsed.selector, 2, t.settlementKey, _id));
        ledger.quote(reservedId, t);
    }

    function test_Reject_ReleasesOrBarsTheContractToo() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.oneClaimPerContract = true;
        uint48 id = issue(publish(terms), 1, BUYER);
        Trade memory t = makeTrade(BUYER);
        reject(redeem(id, t), t, false);
        uint256 again = redeem(id, t);
        reject(again, t, true);
        t.settlementKey = REASON;
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_ContractUsed.selector, 2, t.contractKey, again));
        ledger.quote(id, t);
    }

    /* KEYS */

    function test_RevertWhen_SettlementKeyIsAnothers() public {
        Trade memory other = makeTrade(BUYER);
        uint256 otherId = redeem(reservedId, other);
        expectMismatch(_id, other.settlementKey, _trade.contractKey, other.settlementKey, otherId);
        expectMismatch(_id, REASON, _trade.contractKey, REASON, 0);
    }

    function test_RevertWhen_ContractKeyIsAnothers() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.oneClaimPerContract = true;
        uint48 id = issue(publish(terms), 1, BUYER);
        Trade memory t = makeTrade(BUYER);
        uint256 redemptionId = redeem(id, t);
        expectMismatch(redemptionId, t.settlementKey, REASON, REASON, 0);
    }

    function test_ContractKeyIsNotLookedAtElsewhere() public {
        vm.prank(finance);
        ledger.reject(refTo(_id, _trade.settlementKey), REASON, REASON, false);
    }

    /* STATES */

    function test_RevertWhen_WrittenOffIsRejected() public {
        vm.warp(NOW + CHALLENGE);
        writeOff(_id);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_RedemptionState.selector, _id, RedemptionState.WrittenOff)
        );
        reject(_id, _trade, false);
    }

    function test_Reject_WhileFrozen() public {
        freeze(reservedId);
        reject(_id, _trade, false);
        assertBudget(etown, 0, Budget(BUDGET, FACE, 0, 0, 0));
    }

    /// @dev A voucher that ended gets nothing back: the value goes to the budget.
    function test_Reject_AfterCancellation() public {
        cancel(reservedId);
        assertBudget(etown, 0, Budget(BUDGET, 0, AMOUNT, 0, 0));
        reject(_id, _trade, false);
        assertBudget(etown, 0, Budget(BUDGET, 0, 0, 0, 0));
        assertEq(uint8(ledger.status(reservedId)), uint8(VoucherStatus.Cancelled));
    }

    function test_Reject_AfterExpiry() public {
        vm.warp(START + 3 * YEAR + 1);
        ledger.expire(reservedId);
        assertBudget(etown, 0, Budget(BUDGET, 0, AMOUNT, 0, 0));
        reject(_id, _trade, false);
        assertBudget(etown, 0, Budget(BUDGET, 0, 0, 0, 0));
        assertEq(uint8(ledger.status(reservedId)), uint8(VoucherStatus.Expired));
    }

    /// @dev Rejected first and expired then: the reservation comes back and is let go, once.
    function test_Reject_ThenExpiry() public {
        vm.warp(START + 3 * YEAR + 1);
        reject(_id, _trade, false);
        assertBudget(etown, 0, Budget(BUDGET, FACE, 0, 0, 0));
        ledger.expire(reservedId);
        assertBudget(etown, 0, Budget(BUDGET, 0, 0, 0, 0));
    }

    function expectMismatch(uint256 id, bytes32 settlementKey, bytes32 contractKey, bytes32 key, uint256 keyOf)
        private
    {
        vm.prank(finance);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_KeyMismatch.selector, id, key, keyOf));
        ledger.reject(refTo(id, settlementKey), contractKey, REASON, false);
    }
}
