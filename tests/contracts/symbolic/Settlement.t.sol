// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SymbolicBase} from "./SymbolicBase.sol";
import {RedemptionRef} from "suanquan/types/Voucher.sol";

/// @notice What becomes of vouchers and redemptions: each call moves exactly its amount between the parts of one budget,
/// which is not overrun, and changes no other budget, no voucher's holder and no other trade's use.
contract SettlementProofs is SymbolicBase {
    function check_WriteOff(World calldata w, bool reserved, bytes32 paymentRef) external {
        place(w, reserved);
        RedemptionRef[] memory refs = new RedemptionRef[](1);
        refs[0] = makeRef();
        ledger.writeOff(refs, paymentRef);
        uint256 amountFen = part(w.redemption, 168, 40);
        requireBudget(w, 0, minus(amountFen), amountFen, 0);
        requireTradeUsed();
        requireElseUntouched(w);
    }

    function check_Recover(World calldata w, bool reserved, uint40 fen, bytes32 recoveryRef) external {
        place(w, reserved);
        ledger.recover(makeRef(), fen, recoveryRef);
        requireBudget(w, 0, 0, 0, fen);
        assert(part(got(slotOfRedemption(KEY)), 208, 40) <= part(w.redemption, 168, 40));
        requireTradeUsed();
        requireElseUntouched(w);
    }

    /// @dev Back to the voucher while it can be used; it frees the trade only where it is not barred.
    function check_RejectReserved(World calldata w, bytes32 reason, bool barTrade) external {
        uint256 amountFen = rejected(w, true, reason, barTrade);
        uint256 state = part(w.voucher, 64, 8);
        requireBudget(w, state == 1 || state == 2 ? amountFen : 0, minus(amountFen), 0, 0);
    }

    function check_RejectFirstCome(World calldata w, bytes32 reason, bool barTrade) external {
        uint256 amountFen = rejected(w, false, reason, barTrade);
        requireBudget(w, 0, minus(amountFen), 0, 0);
    }

    function rejected(World calldata w, bool reserved, bytes32 reason, bool barTrade)
        internal
        returns (uint256 amountFen)
    {
        place(w, reserved);
        ledger.reject(makeRef(), CONTRACT_KEY, reason, barTrade);
        amountFen = part(w.redemption, 168, 40);
        assert(part(w.redemption, 88, 8) == 1);
        assert(ledger.settlement(uint32(GROUP), KEY) == (barTrade ? REDEMPTION : 0));
        assert(part(got(slotOfVoucher(VOUCHER)), 176, 40) == part(w.voucher, 176, 40) - amountFen);
        requireElseUntouched(w);
    }

    function check_Cancel(World calldata w, bool reserved, bytes32 reason) external {
        place(w, reserved);
        ledger.cancel(VOUCHER, reason);
        requireReturned(w, reserved);
    }

    function check_Expire(World calldata w, bool reserved) external {
        place(w, reserved);
        ledger.expire(VOUCHER);
        requireReturned(w, reserved);
    }

    function check_Freeze(World calldata w, bool reserved, bool freeze) external {
        place(w, reserved);
        if (freeze) ledger.freeze(VOUCHER, KEY);
        else ledger.unfreeze(VOUCHER);
        requireBudget(w, 0, 0, 0, 0);
        requireElseUntouched(w);
    }

    /// @dev The unused value of a voucher that ended is held no longer.
    function requireReturned(World calldata w, bool reserved) internal view {
        uint256 unusedFen = part(w.voucher, 136, 40) - part(w.voucher, 176, 40);
        requireBudget(w, reserved ? minus(unusedFen) : 0, 0, 0, 0);
        requireElseUntouched(w);
        // Ended for good.
        assert(part(got(slotOfVoucher(VOUCHER)), 64, 8) >= 3);
    }
}
