// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {ProgrammeTerms} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {IssueOrder} from "suanquan/types/Voucher.sol";

/// @notice When it was traded and signed, and in which order claims come.
contract RedeemTimeTest is LedgerBase {
    /* TRADE TIME */

    function test_TradedNow() public {
        assertEq(ledger.quote(voucherId, on(NOW)).period, 0);
    }

    function test_RevertWhen_TradedInTheFuture() public {
        expectRefused(voucherId, on(NOW + 1), tradeTime(voucherId, NOW + 1, 0));
    }

    function test_TradeBeforeIssue_CountsWhereTheProgrammeSaysSo() public {
        ledger.quote(voucherId, on(START));
    }

    function test_RevertWhen_TradedBeforeIssue() public {
        expectRefused(reservedId, on(NOW - 1), tradeTime(reservedId, NOW - 1, NOW));
        ledger.quote(reservedId, on(NOW));
    }

    /* PERIODS */

    function test_Period_EdgesBelongToTheLaterOne() public {
        vm.warp(START + 2 * YEAR);
        assertEq(ledger.quote(voucherId, on(START)).period, 0);
        assertEq(ledger.quote(voucherId, on(START + YEAR - 1)).period, 0);
        assertEq(ledger.quote(voucherId, on(START + YEAR)).period, 1);
        assertEq(ledger.quote(voucherId, on(START + 2 * YEAR)).period, 2);
    }

    function test_RevertWhen_TradedOutsideAllPeriods() public {
        expectOutside(voucherId, START - 1);

        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.validUntil = type(uint32).max;
        uint48 id = issue(o);
        vm.warp(START + 3 * YEAR);
        ledger.quote(id, on(START + 3 * YEAR - 1));
        expectOutside(id, START + 3 * YEAR);
    }

    function test_RevertWhen_TradedBetweenPeriods() public {
        ProgrammeTerms memory terms = makeZhengzhou();
        terms.periods[0].endsAt = START + 10 days;
        uint48 id = issue(publish(terms), 1, BUYER);
        Trade memory t = on(START + 10 days);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_OutsidePeriods.selector, uint16(id >> 32), START + 10 days)
        );
        ledger.quote(id, t);
    }

    /* CONTRACT DATES */

    function test_ContractDate_BothEdges() public {
        ProgrammeTerms memory terms = makeZhengzhou();
        terms.contractsFrom = START;
        terms.contractsTo = START + 100;
        uint48 id = issue(publish(terms), 1, BUYER);
        Trade memory t = makeTrade(BUYER);
        t.contractSignedAt = START;
        ledger.quote(id, t);
        t.contractSignedAt = START + 100;
        ledger.quote(id, t);
        t.contractSignedAt = START - 1;
        expectRefused(
            id, t, abi.encodeWithSelector(Errors.VoucherLedger_ContractDate.selector, START - 1, START, START + 100)
        );
        t.contractSignedAt = START + 101;
        expectRefused(
            id, t, abi.encodeWithSelector(Errors.VoucherLedger_ContractDate.selector, START + 101, START, START + 100)
        );
    }

    /* ORDER OF TRADE TIME */

    function test_Order_SameTimeIsInOrder() public {
        Trade memory first = on(START + 10);
        first.settledFen = 100;
        redeem(voucherId, first);
        redeem(voucherId, on(START + 10));
    }

    function test_RevertWhen_AnEarlierTradeComesAfterALaterOne() public {
        redeem(voucherId, on(START + 10));
        expectRefused(
            voucherId,
            on(START + 9),
            abi.encodeWithSelector(Errors.VoucherLedger_OutOfOrder.selector, zhengzhou, START + 9, START + 10)
        );
    }

    function test_Order_BindsAllVouchersOfTheProgramme() public {
        uint48 other = issue(zhengzhou, 2, OTHER_BUYER);
        redeem(voucherId, on(START + 10));
        Trade memory t = makeTrade(OTHER_BUYER);
        t.tradedAt = START + 9;
        expectRefused(
            other, t, abi.encodeWithSelector(Errors.VoucherLedger_OutOfOrder.selector, zhengzhou, START + 9, START + 10)
        );
    }

    function test_Order_DoesNotBindOtherProgrammes() public {
        redeem(voucherId, on(NOW));
        vm.warp(NOW + 10);
        redeem(reservedId, on(NOW + 10));
        redeem(reservedId, on(NOW + 1));
    }

    /// @dev The queue does not go back: who was passed over by a claim that was rejected later must be told.
    function test_Order_RejectionDoesNotTurnItBack() public {
        Trade memory later = on(START + 10);
        reject(redeem(voucherId, later), later, false);
        expectRefused(
            voucherId,
            on(START + 9),
            abi.encodeWithSelector(Errors.VoucherLedger_OutOfOrder.selector, zhengzhou, START + 9, START + 10)
        );
        redeem(voucherId, later);
    }

    function on(uint40 tradedAt) private returns (Trade memory t) {
        t = makeTrade(BUYER);
        t.tradedAt = tradedAt;
    }

    function tradeTime(uint48 id, uint40 tradedAt, uint256 earliest) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            Errors.VoucherLedger_TradeTime.selector, uint256(id), tradedAt, earliest, block.timestamp
        );
    }

    function expectOutside(uint48 id, uint40 tradedAt) private {
        expectRefused(
            id, on(tradedAt), abi.encodeWithSelector(Errors.VoucherLedger_OutsidePeriods.selector, zhengzhou, tradedAt)
        );
    }

    function expectRefused(uint48 id, Trade memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        ledger.quote(id, t);
    }
}
