// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {RedemptionRef} from "suanquan/types/Voucher.sol";

/// @notice A redemption is named by its id and its settlement key, which must belong together.
contract ReferencesTest is LedgerBase {
    function test_RevertWhen_KeyOfTheLatestIsAnothers() public {
        uint256 first = redeem(voucherId, makeTrade(BUYER));
        uint256 latest = redeem(voucherId, makeTrade(BUYER));
        RedemptionRef memory other = refTo(first);
        bytes memory reason =
            abi.encodeWithSelector(Errors.VoucherLedger_KeyMismatch.selector, latest, other.settlementKey, first);
        vm.expectRevert(reason);
        ledger.redemption(uint48(latest), other.settlementKey);
        vm.prank(finance);
        vm.expectRevert(reason);
        ledger.recover(refTo(latest, other.settlementKey), 1, REASON);
    }

    /// @dev Programmes and redemptions count from 1, and a free key has no record: nothing is not a redemption.
    function test_RevertWhen_NothingIsNamed() public {
        bytes memory reason = abi.encodeWithSelector(Errors.VoucherLedger_UnknownRedemption.selector, 0);
        vm.expectRevert(reason);
        ledger.redemption(0, REASON);
        RedemptionRef[] memory refs = new RedemptionRef[](1);
        refs[0] = refTo(0, REASON);
        vm.prank(finance);
        vm.expectRevert(reason);
        ledger.writeOff(refs, PAYMENT);
    }
}
