// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Budget, Limit, Programme, ProgrammeStatus} from "../types/Programme.sol";
import {ComputeType, TradeAttributes, TradeKind} from "../types/Trade.sol";
import {Redemption, RedemptionState, Voucher, VoucherState, VoucherStatus} from "../types/Voucher.sol";
import {Errors} from "./Errors.sol";

/// @notice The rules that are arithmetic only, apart from storage.
library Rules {
    /// @notice A cap that does not bind.
    uint48 internal constant NO_CAP = type(uint48).max;
    /// @notice Period of a voucher that reserves no budget.
    uint8 internal constant NO_PERIOD = type(uint8).max;
    /// @notice 100 % in basis points.
    uint16 internal constant FULL_BPS = 10_000;
    /// @notice Most periods a programme may have.
    uint8 internal constant MAX_PERIODS = 24;

    /// @notice Index of a rate in a tier's table: kind × 8 + compute type × 2 + (1 if the chip is domestic).
    function rateIndex(TradeKind kind, ComputeType computeType, uint32 attributes) internal pure returns (uint256) {
        uint256 domestic = attributes & TradeAttributes.DOMESTIC_CHIP != 0 ? 1 : 0;
        return uint256(kind) * 8 + uint256(computeType) * 2 + domestic;
    }

    /// @notice ⌊basisFen × rateBps / 10,000⌋.
    function share(uint256 basisFen, uint256 rateBps) internal pure returns (uint256) {
        return basisFen * rateBps / FULL_BPS;
    }

    /// @notice What is left of a cap.
    function left(uint256 capFen, uint256 usedFen) internal pure returns (uint256) {
        return usedFen < capFen ? capFen - usedFen : 0;
    }

    /// @notice What is left of a budget: amount − reserved − redeemed − writtenOff + recovered.
    /// @dev Never negative: every movement keeps reserved + redeemed + writtenOff − recovered ≤ amount.
    function available(Budget memory b) internal pure returns (uint256) {
        return uint256(b.amountFen) + b.recoveredFen - b.reservedFen - b.redeemedFen - b.writtenOffFen;
    }

    /// @notice Takes the tighter of an amount and a further limit, remembering which limit it was.
    function tighten(uint256 amountFen, Limit limit, uint256 furtherFen, Limit further)
        internal
        pure
        returns (uint256, Limit)
    {
        return furtherFen < amountFen ? (furtherFen, further) : (amountFen, limit);
    }

    /// @notice Status of a voucher that exists at a moment. Time alone turns Issued and PartlyRedeemed into Expired;
    /// all else takes a transaction.
    function status(Voucher memory v, uint256 nowAt) internal pure returns (VoucherStatus) {
        if (v.state == VoucherState.Frozen) return VoucherStatus.Frozen;
        if (v.state == VoucherState.Cancelled) return VoucherStatus.Cancelled;
        if (v.redeemedFen == v.faceFen) return VoucherStatus.FullyRedeemed;
        if (v.state == VoucherState.Expired || nowAt > v.validUntil) return VoucherStatus.Expired;
        return v.redeemedFen == 0 ? VoucherStatus.Issued : VoucherStatus.PartlyRedeemed;
    }

    /// @notice Reverts unless a programme takes issues and claims at a moment.
    function requireOpen(uint16 programmeId, Programme memory p, uint256 nowAt) internal pure {
        if (p.status != ProgrammeStatus.Published) revert Errors.VoucherLedger_ProgrammeStatus(programmeId, p.status);
        if (nowAt > p.claimsUntil) revert Errors.VoucherLedger_ClaimsClosed(programmeId, p.claimsUntil, nowAt);
    }

    /// @notice Id of a redemption: programmeId × 2³² + serial.
    function redemptionId(uint48 voucherId, uint32 serial) internal pure returns (uint48) {
        return voucherId >> 32 << 32 | serial;
    }

    /// @notice Whether a record stands in the way of a claim on its trade.
    function uses(Redemption storage r) internal view returns (bool) {
        RedemptionState state = r.state;
        return state != RedemptionState.None && (state != RedemptionState.Rejected || r.tradeBarred);
    }
}
