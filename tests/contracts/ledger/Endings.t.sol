// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Budget} from "suanquan/types/Programme.sol";
import {IssueOrder, VoucherState, VoucherStatus} from "suanquan/types/Voucher.sol";

/// @notice How a voucher stops being usable: frozen for a while, cancelled or expired for good.
contract EndingsTest is LedgerBase {
    uint48 private constant FACE = 100_000_000;
    uint48 private constant BUDGET = 10_000_000_000;

    /* FREEZE */

    function test_Freeze_AndUnfreeze() public {
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.VoucherFrozen(reservedId, REASON);
        freeze(reservedId);
        expectStatus(reservedId, VoucherStatus.Frozen);
        assertBudget(etown, 0, Budget(BUDGET, FACE, 0, 0, 0));

        vm.expectEmit(address(ledger));
        emit IVoucherLedger.VoucherUnfrozen(reservedId);
        vm.prank(regulator);
        ledger.unfreeze(reservedId);
        expectStatus(reservedId, VoucherStatus.Issued);
        redeem(reservedId, makeTrade(BUYER));
    }

    function test_RevertWhen_FrozenTwice() public {
        freeze(voucherId);
        expectState(voucherId, VoucherState.Frozen);
        freeze(voucherId);
    }

    function test_RevertWhen_UnfrozenWithoutFreeze() public {
        vm.prank(regulator);
        expectState(voucherId, VoucherState.Live);
        ledger.unfreeze(voucherId);
    }

    function test_RevertWhen_EndedVoucherIsFrozen() public {
        cancel(voucherId);
        expectState(voucherId, VoucherState.Cancelled);
        freeze(voucherId);
        vm.warp(START + 3 * YEAR + 1);
        ledger.expire(reservedId);
        expectState(reservedId, VoucherState.Expired);
        freeze(reservedId);
    }

    /* CANCEL */

    function test_Cancel_ReturnsWhatIsUnused() public {
        redeem(reservedId, makeTrade(BUYER));
        uint48 used = yuan(240_000);
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.VoucherCancelled(reservedId, uint40(FACE - used), REASON);
        cancel(reservedId);
        expectStatus(reservedId, VoucherStatus.Cancelled);
        assertBudget(etown, 0, Budget(BUDGET, 0, used, 0, 0));
    }

    function test_Cancel_FirstComeHeldNothing() public {
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.VoucherCancelled(voucherId, uint40(FACE), REASON);
        cancel(voucherId);
        assertBudget(zhengzhou, 0, Budget(yuan(50_000_000), 0, 0, 0, 0));
    }

    /// @dev Cancelled, its redemptions could be written off: that would end the regulator's freeze.
    function test_RevertWhen_FrozenIsCancelled() public {
        freeze(voucherId);
        expectState(voucherId, VoucherState.Frozen);
        cancel(voucherId);
    }

    function test_RevertWhen_CancelledTwice() public {
        cancel(voucherId);
        expectState(voucherId, VoucherState.Cancelled);
        cancel(voucherId);
    }

    function test_RevertWhen_ExpiredIsCancelled() public {
        vm.warp(START + 3 * YEAR + 1);
        ledger.expire(voucherId);
        expectState(voucherId, VoucherState.Expired);
        cancel(voucherId);
    }

    /* EXPIRE */

    function test_Expire_AnyoneOnceTheValidityIsOver() public {
        uint32 last = makeOrder(etown, 1, BUYER).validUntil;
        vm.warp(last);
        expectNotExpired(reservedId, last);
        expectStatus(reservedId, VoucherStatus.Issued);

        vm.warp(uint256(last) + 1);
        expectStatus(reservedId, VoucherStatus.Expired);
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.VoucherExpired(reservedId, uint40(FACE));
        vm.prank(stranger);
        ledger.expire(reservedId);
        expectStatus(reservedId, VoucherStatus.Expired);
        assertBudget(etown, 0, Budget(BUDGET, 0, 0, 0, 0));
    }

    function test_Expire_OnceClaimsAreClosed() public {
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.validUntil = type(uint32).max;
        uint48 id = issue(o);
        vm.warp(START + 3 * YEAR);
        expectNotExpired(id, type(uint32).max);
        vm.warp(START + 3 * YEAR + 1);
        ledger.expire(id);
    }

    function test_Expire_OnceTheProgrammeIsTerminated() public {
        expectNotExpired(reservedId, makeOrder(etown, 1, BUYER).validUntil);
        terminate(etown);
        ledger.expire(reservedId);
        expectStatus(reservedId, VoucherStatus.Expired); // before its validity is over
        assertBudget(etown, 0, Budget(BUDGET, 0, 0, 0, 0));
    }

    function test_RevertWhen_ExpiredTwice() public {
        terminate(etown);
        ledger.expire(reservedId);
        expectState(reservedId, VoucherState.Expired);
        ledger.expire(reservedId);
    }

    function test_RevertWhen_FrozenExpires() public {
        freeze(reservedId);
        vm.warp(START + 3 * YEAR + 1);
        expectState(reservedId, VoucherState.Frozen);
        ledger.expire(reservedId);
    }

    function test_RevertWhen_VoucherIsUnknown() public {
        uint48 id = voucherId + 1;
        bytes memory unknown = abi.encodeWithSelector(Errors.VoucherLedger_UnknownVoucher.selector, uint256(id));
        vm.expectRevert(unknown);
        freeze(id);
        vm.prank(regulator);
        vm.expectRevert(unknown);
        ledger.unfreeze(id);
        vm.expectRevert(unknown);
        cancel(id);
        vm.expectRevert(unknown);
        ledger.expire(id);
    }

    function test_Status_FullyRedeemedOutlastsItsValidity() public {
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.faceFen = 1;
        uint48 id = issue(o);
        redeem(id, makeTrade(BUYER));
        vm.warp(START + 3 * YEAR + 1);
        expectStatus(id, VoucherStatus.FullyRedeemed);
        ledger.expire(id);
        expectStatus(id, VoucherStatus.FullyRedeemed);
    }

    function expectStatus(uint48 id, VoucherStatus status) private view {
        assertEq(uint8(ledger.status(id)), uint8(status));
    }

    function expectState(uint48 id, VoucherState state) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_VoucherState.selector, uint256(id), state));
    }

    function expectNotExpired(uint48 id, uint32 validUntil) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.VoucherLedger_NotExpired.selector, uint256(id), validUntil, block.timestamp)
        );
        ledger.expire(id);
    }
}
