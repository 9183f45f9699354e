// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {SymbolicBase} from "./SymbolicBase.sol";
import {IssueOrder} from "suanquan/types/Voucher.sol";

/// @notice Vouchers come into being by issue, against budget that is free, and never move.
contract HoldingProofs is SymbolicBase {
    function check_IssueReserved(World calldata w, uint40 faceFen, uint32 validUntil) external {
        issueTo(w, true, faceFen, validUntil);
        requireBudget(w, faceFen, 0, 0, 0);
    }

    function check_IssueFirstCome(World calldata w, uint40 faceFen, uint32 validUntil) external {
        issueTo(w, false, faceFen, validUntil);
        requireBudget(w, 0, 0, 0, 0);
    }

    /// @dev Approvals are taken as given: the programme has no stages.
    function issueTo(World calldata w, bool reserved, uint40 faceFen, uint32 validUntil) internal {
        place(w, reserved);
        put(slotOfVoucher(VOUCHER), 0);
        IssueOrder memory o;
        (o.voucherId, o.period, o.faceFen, o.validUntil) =
        (VOUCHER, reserved ? 0 : uint8(NO_PERIOD), faceFen, validUntil);
        ledger.issue(o);
        uint256 v = got(slotOfVoucher(VOUCHER));
        assert(part(v, 136, 40) == faceFen);
        assert(v >> 176 == 0);
        requireElseUntouched(w);
    }

    /// @dev A voucher that was issued, in whatever state it is, is not issued again, to nobody.
    function check_IssuedOnce(World calldata w, bool reserved, uint40 faceFen, uint32 validUntil) external {
        place(w, reserved);
        vm.assume(part(w.voucher, 64, 8) != 0);
        IssueOrder memory o;
        (o.voucherId, o.period, o.faceFen, o.validUntil) =
        (VOUCHER, reserved ? 0 : uint8(NO_PERIOD), faceFen, validUntil);
        requireRefused(abi.encodeCall(ledger.issue, (o)));
    }

    function check_NoTransferSucceeds(address caller, address from, address to, uint256 id, bytes calldata data)
        external
    {
        IERC721 token = IERC721(address(ledger));
        vm.startPrank(caller);
        requireRefused(abi.encodeCall(token.transferFrom, (from, to, id)));
        requireRefused(abi.encodeCall(token.approve, (to, id)));
        requireRefused(abi.encodeCall(token.setApprovalForAll, (to, true)));
        requireRefused(abi.encodeWithSignature("safeTransferFrom(address,address,uint256)", from, to, id));
        requireRefused(abi.encodeWithSignature("safeTransferFrom(address,address,uint256,bytes)", from, to, id, data));
        assert(!token.isApprovedForAll(from, to));
    }

    function requireRefused(bytes memory call) private {
        (bool done,) = address(ledger).call(call);
        assert(!done);
    }
}
