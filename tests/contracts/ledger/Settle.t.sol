// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {EntityKind, EntityRoles, Registration} from "suanquan/types/Entity.sol";
import {Budget, ProgrammeTerms} from "suanquan/types/Programme.sol";
import {Trade} from "suanquan/types/Trade.sol";
import {IssueOrder, Redemption, RedemptionState, VoucherState} from "suanquan/types/Voucher.sol";

/// @notice Write-off and recovery.
contract SettleTest is LedgerBase {
    uint48 private constant AMOUNT = 24_000_000; // 240,000 yuan
    uint48 private constant BUDGET = 5_000_000_000;

    uint256 private _id;

    function setUp() public override {
        super.setUp();
        _id = redeem(voucherId, makeTrade(BUYER));
    }

    /* WRITE OFF */

    function test_WriteOff_RedeemedBecomesWrittenOff() public {
        vm.warp(NOW + CHALLENGE);
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.WrittenOff(_id, PAYMENT, uint40(AMOUNT));
        writeOff(_id);

        Redemption memory r = redemption(_id);
        assertEq(uint8(r.state), uint8(RedemptionState.WrittenOff));
        assertEq(r.writtenOffAt, NOW + CHALLENGE);
        assertEq(ledger.voucher(voucherId).writtenOffFen, AMOUNT);
        assertEq(ledger.voucher(voucherId).redeemedFen, AMOUNT);
        assertBudget(zhengzhou, 0, Budget(BUDGET, 0, 0, AMOUNT, 0));
    }

    function test_RevertWhen_ChallengeIsOpen() public {
        vm.warp(NOW + CHALLENGE - 1);
        expectNotWrittenOff(
            abi.encodeWithSelector(
                Errors.VoucherLedger_ChallengeOpen.selector, _id, NOW + CHALLENGE, NOW + CHALLENGE - 1
            )
        );
    }

    function test_WriteOff_AtOnceWhereNothingIsToBeChallenged() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.challengeSeconds = 0;
        uint48 id = issue(publish(terms), 1, BUYER);
        writeOff(redeem(id, makeTrade(BUYER)));
    }

    /// @dev The payment reference stands for the whole list.
    function test_WriteOff_AllOrNothing() public {
        uint256 good = redeem(reservedId, makeTrade(BUYER));
        vm.warp(NOW + CHALLENGE);
        uint256 late = redeem(reservedId, makeTrade(BUYER));
        uint256[] memory ids = new uint256[](3);
        (ids[0], ids[1], ids[2]) = (_id, good, late);
        vm.prank(finance);
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.VoucherLedger_ChallengeOpen.selector, late, NOW + 2 * CHALLENGE, NOW + CHALLENGE
            )
        );
        ledger.writeOff(refsTo(ids), PAYMENT);
        assertEq(uint8(redemption(_id).state), uint8(RedemptionState.Provisional));

        vm.warp(NOW + 2 * CHALLENGE);
        vm.prank(finance);
        ledger.writeOff(refsTo(ids), PAYMENT);
        assertEq(ledger.voucher(reservedId).writtenOffFen, 2 * AMOUNT);
    }

    /// @dev Each in the budget of its own period, in whatever order they stand.
    function test_WriteOff_AcrossPeriodsAndProgrammes() public {
        IssueOrder memory o = makeOrder(etown, 903, BUYER);
        o.period = 1;
        uint48 later = issue(o);
        uint256[] memory ids = new uint256[](5);
        ids[0] = redeem(reservedId, makeTrade(BUYER));
        ids[1] = redeem(later, makeTrade(BUYER));
        ids[2] = _id;
        ids[3] = redeem(later, makeTrade(BUYER));
        ids[4] = redeem(reservedId, makeTrade(BUYER));
        vm.warp(NOW + CHALLENGE);
        vm.prank(finance);
        ledger.writeOff(refsTo(ids), PAYMENT);
        for (uint8 period = 0; period < 2; ++period) {
            (Budget memory b,) = ledger.budget(etown, period);
            assertEq(b.redeemedFen, 0);
            assertEq(b.writtenOffFen, 2 * AMOUNT);
        }
        assertBudget(zhengzhou, 0, Budget(BUDGET, 0, 0, AMOUNT, 0));
        assertEq(ledger.voucher(reservedId).writtenOffFen, 2 * AMOUNT);
        assertEq(ledger.voucher(later).writtenOffFen, 2 * AMOUNT);
    }

    /// @dev A list that stays in one budget moves it by all its amounts, down to the single fen.
    function test_WriteOff_MovesWhatTheListComesTo() public {
        uint256[] memory ids = new uint256[](3);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = redeem(reservedId, makeTrade(BUYER));
        }
        Trade memory small = makeTrade(BUYER);
        small.settledFen = 4; // 30 %: 1.2
        uint256 fen = redeem(reservedId, small);
        vm.warp(NOW + CHALLENGE);
        writeOff(fen);
        (Budget memory b,) = ledger.budget(etown, 0);
        assertEq(b.writtenOffFen, 1);
        vm.prank(finance);
        ledger.writeOff(refsTo(ids), PAYMENT);
        (b,) = ledger.budget(etown, 0);
        assertEq(b.writtenOffFen, 3 * AMOUNT + 1);
        assertEq(b.redeemedFen, 0);
    }

    /// @dev Frozen organisations stand in words of 256, of which the list keeps the latest.
    function test_WriteOff_AsksTheWordOfEachHolder() public {
        bytes32 far = keccak256("an organisation of the second word");
        Registration[] memory list = new Registration[](256);
        for (uint256 i = 0; i < list.length; ++i) {
            bytes32 id = i == 255 ? far : keccak256(abi.encode("organisation", i));
            list[i] = makeRegistration(id, EntityKind.Enterprise, EntityRoles.BUYER);
        }
        vm.prank(registrar);
        registry.register(list);
        assertTrue(registry.numberOf(BUYER) < 256 && registry.numberOf(far) > 256);

        uint256 near = redeem(reservedId, makeTrade(BUYER));
        uint256[] memory ids = new uint256[](2);
        ids[0] = redeem(issue(etown, 903, far), makeTrade(far));
        ids[1] = near;
        vm.warp(NOW + CHALLENGE);
        expectFrozen(ids, BUYER);
        (ids[0], ids[1]) = (ids[1], ids[0]);
        expectFrozen(ids, far);
        vm.prank(finance);
        ledger.writeOff(refsTo(ids), PAYMENT);
    }

    function expectFrozen(uint256[] memory ids, bytes32 holder) private {
        freezeEntity(holder);
        vm.prank(finance);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_Frozen.selector, holder));
        ledger.writeOff(refsTo(ids), PAYMENT);
        vm.prank(regulator);
        registry.unfreeze(holder);
    }

    function test_RevertWhen_WrittenOffTwice() public {
        vm.warp(NOW + CHALLENGE);
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (_id, _id);
        vm.prank(finance);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_RedemptionState.selector, _id, RedemptionState.WrittenOff)
        );
        ledger.writeOff(refsTo(ids), PAYMENT);
    }

    function test_RevertWhen_RejectedIsWrittenOff() public {
        Trade memory t = makeTrade(BUYER);
        _id = redeem(reservedId, t);
        reject(_id, t, true);
        vm.warp(NOW + CHALLENGE);
        expectNotWrittenOff(
            abi.encodeWithSelector(Errors.VoucherLedger_RedemptionState.selector, _id, RedemptionState.Rejected)
        );
    }

    function test_RevertWhen_PaymentHasNoReference() public {
        vm.warp(NOW + CHALLENGE);
        vm.prank(finance);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_ReferenceMissing.selector));
        ledger.writeOff(refsTo(only(_id)), 0);
    }

    function test_RevertWhen_RedemptionIsUnknown() public {
        _id += 1;
        bytes memory unknown = abi.encodeWithSelector(Errors.VoucherLedger_UnknownRedemption.selector, _id);
        expectNotWrittenOff(unknown);
        vm.expectRevert(unknown);
        redemption(_id);
        vm.prank(finance);
        vm.expectRevert(unknown);
        ledger.reject(refTo(_id), 0, REASON, false);
        vm.prank(finance);
        vm.expectRevert(unknown);
        ledger.recover(refTo(_id), 1, REASON);
    }

    function test_RevertWhen_VoucherIsFrozen() public {
        vm.warp(NOW + CHALLENGE);
        freeze(voucherId);
        expectNotWrittenOff(
            abi.encodeWithSelector(Errors.VoucherLedger_VoucherState.selector, uint256(voucherId), VoucherState.Frozen)
        );
        vm.prank(regulator);
        ledger.unfreeze(voucherId);
        writeOff(_id);
    }

    function test_RevertWhen_HolderIsFrozen() public {
        vm.warp(NOW + CHALLENGE);
        freezeEntity(BUYER);
        expectNotWrittenOff(abi.encodeWithSelector(Errors.EntityRegistry_Frozen.selector, BUYER));
    }

    function test_WriteOff_AfterTheVoucherEnded() public {
        cancel(voucherId);
        vm.warp(NOW + CHALLENGE);
        writeOff(_id);
    }

    /* RECOVER */

    function test_Recover_ReturnsToTheBudgetInParts() public {
        settle();
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.Recovered(_id, voucherId, REASON, 1);
        recover(1);
        assertBudget(zhengzhou, 0, Budget(BUDGET, 0, 0, AMOUNT, 1));
        recover(uint40(AMOUNT) - 1);
        assertBudget(zhengzhou, 0, Budget(BUDGET, 0, 0, AMOUNT, AMOUNT));
        assertEq(redemption(_id).recoveredFen, AMOUNT);
        assertEq(uint8(redemption(_id).state), uint8(RedemptionState.WrittenOff));
        expectNotRecovered(1, 0);
    }

    /// @dev Who was paid wrongly does not get the cap back.
    function test_Recover_DoesNotReturnToCapsNorVoucher() public {
        settle();
        recover(uint40(AMOUNT));
        (uint48 periodFen, uint48 totalFen) = ledger.used(zhengzhou, BUYER, 0);
        assertEq(periodFen, AMOUNT);
        assertEq(totalFen, AMOUNT);
        assertEq(ledger.voucher(voucherId).redeemedFen, AMOUNT);
        assertEq(ledger.voucher(voucherId).writtenOffFen, AMOUNT);
    }

    function test_RevertWhen_NothingIsRecovered() public {
        settle();
        expectNotRecovered(0, uint40(AMOUNT));
    }

    function test_RevertWhen_MoreIsRecoveredThanWasPaid() public {
        settle();
        expectNotRecovered(uint40(AMOUNT) + 1, uint40(AMOUNT));
        recover(1);
        expectNotRecovered(uint40(AMOUNT), uint40(AMOUNT) - 1);
    }

    function test_RevertWhen_RecoveredBeforeWriteOff() public {
        vm.prank(finance);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_RedemptionState.selector, _id, RedemptionState.Provisional)
        );
        ledger.recover(refTo(_id), 1, REASON);
    }

    function test_RevertWhen_RecoveryHasNoReference() public {
        settle();
        vm.prank(finance);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_ReferenceMissing.selector));
        ledger.recover(refTo(_id), 1, 0);
    }

    function settle() private {
        vm.warp(NOW + CHALLENGE);
        writeOff(_id);
    }

    function recover(uint40 amountFen) private {
        vm.prank(finance);
        ledger.recover(refTo(_id), amountFen, REASON);
    }

    function expectNotRecovered(uint40 askedFen, uint40 leftFen) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_RecoveryAmount.selector, _id, askedFen, leftFen));
        recover(askedFen);
    }

    function expectNotWrittenOff(bytes memory reason) private {
        vm.expectRevert(reason);
        writeOff(_id);
    }
}
