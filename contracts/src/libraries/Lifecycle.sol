// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEntityRegistry} from "../interfaces/IEntityRegistry.sol";
import {IVoucherLedger} from "../interfaces/IVoucherLedger.sol";
import {Budget, Funding, Programme, ProgrammeBook, ProgrammeStatus} from "../types/Programme.sol";
import {Redemption, RedemptionState, Voucher, VoucherBook, VoucherState} from "../types/Voucher.sol";
import {Errors} from "./Errors.sol";
import {Rules} from "./Rules.sol";

/// @notice What becomes of vouchers and redemptions once they exist: frozen, cancelled, expired; written off, rejected,
/// recovered. VoucherLedger checks the caller's role first.
/// A linked library for the same reason as {Programmes}.
library Lifecycle {
    /// @notice See {IVoucherLedger-freeze}.
    function freeze(VoucherBook storage ledger, uint256 voucherId, bytes32 reason) external {
        _move(ledger, voucherId, VoucherState.Live, VoucherState.Frozen);
        emit IVoucherLedger.VoucherFrozen(voucherId, reason);
    }

    /// @notice See {IVoucherLedger-unfreeze}.
    function unfreeze(VoucherBook storage ledger, uint256 voucherId) external {
        _move(ledger, voucherId, VoucherState.Frozen, VoucherState.Live);
        emit IVoucherLedger.VoucherUnfrozen(voucherId);
    }

    /// @notice See {IVoucherLedger-cancel}.
    function cancel(VoucherBook storage ledger, ProgrammeBook storage book, uint256 voucherId, bytes32 reason)
        external
    {
        // Not from Frozen: that would end the regulator's freeze, and let the voucher's redemptions be written off.
        _move(ledger, voucherId, VoucherState.Live, VoucherState.Cancelled);
        emit IVoucherLedger.VoucherCancelled(voucherId, _returnUnused(book, ledger.vouchers[voucherId]), reason);
    }

    /// @notice See {IVoucherLedger-expire}.
    function expire(VoucherBook storage ledger, ProgrammeBook storage book, uint256 voucherId) external {
        Voucher storage v = _existing(ledger, voucherId);
        Programme storage p = book.programmes[v.programmeId];
        if (
            block.timestamp <= v.validUntil && block.timestamp <= p.claimsUntil
                && p.status != ProgrammeStatus.Terminated
        ) {
            revert Errors.VoucherLedger_NotExpired(voucherId, v.validUntil, block.timestamp);
        }
        _move(ledger, voucherId, VoucherState.Live, VoucherState.Expired);
        emit IVoucherLedger.VoucherExpired(voucherId, _returnUnused(book, v));
    }

    /// @notice See {IVoucherLedger-writeOff}.
    function writeOff(
        VoucherBook storage ledger,
        ProgrammeBook storage book,
        IEntityRegistry registry,
        uint256[] calldata redemptionIds,
        bytes32 paymentRef
    ) external {
        if (paymentRef == 0) revert Errors.VoucherLedger_ReferenceMissing();
        for (uint256 i = 0; i < redemptionIds.length; ++i) {
            uint256 id = redemptionIds[i];
            Redemption storage r = _inState(ledger, id, RedemptionState.Provisional);
            Voucher storage v = ledger.vouchers[r.voucherId];
            uint16 programmeId = v.programmeId;

            // Check: challenge window over, nothing frozen.
            uint256 openUntil = uint256(r.redeemedAt) + book.programmes[programmeId].challengeSeconds;
            if (block.timestamp < openUntil) {
                revert Errors.VoucherLedger_ChallengeOpen(id, openUntil, block.timestamp);
            }
            if (v.state == VoucherState.Frozen) revert Errors.VoucherLedger_VoucherState(r.voucherId, v.state);
            if (registry.isFrozen(v.entity)) revert Errors.EntityRegistry_Frozen(registry.idOf(v.entity));

            // Effect: redeemed becomes written off.
            uint40 amountFen = r.amountFen;
            r.state = RedemptionState.WrittenOff;
            r.writtenOffAt = uint32(block.timestamp);
            v.writtenOffFen += amountFen;
            Budget storage b = _budget(book, programmeId, r.period);
            b.redeemedFen -= amountFen;
            b.writtenOffFen += amountFen;
            emit IVoucherLedger.WrittenOff(id, r.voucherId, paymentRef, amountFen);
        }
    }

    /// @notice See {IVoucherLedger-reject}.
    function reject(
        VoucherBook storage ledger,
        ProgrammeBook storage book,
        uint256 redemptionId,
        bytes32 settlementKey,
        bytes32 contractKey,
        bytes32 reason,
        bool barTrade
    ) external {
        Redemption storage r = _inState(ledger, redemptionId, RedemptionState.Provisional);
        Voucher storage v = ledger.vouchers[r.voucherId];
        uint16 programmeId = v.programmeId;
        Programme storage p = book.programmes[programmeId];

        // Check: the keys are those of the redemption; they are not stored with it.
        if (ledger.settlements[p.group][settlementKey] != redemptionId) {
            revert Errors.VoucherLedger_KeyMismatch(redemptionId, settlementKey);
        }
        if (p.oneClaimPerContract && ledger.contracts[p.group][contractKey] != redemptionId) {
            revert Errors.VoucherLedger_KeyMismatch(redemptionId, contractKey);
        }

        // Effect: value returns to voucher, caps and budget; to a voucher that ended, it returns to the budget only.
        uint40 amountFen = r.amountFen;
        r.state = RedemptionState.Rejected;
        v.redeemedFen -= amountFen;
        uint48[25] storage use = ledger.used[programmeId][v.entity];
        use[0] -= amountFen;
        use[r.period + 1] -= amountFen;
        Budget storage b = _budget(book, programmeId, r.period);
        b.redeemedFen -= amountFen;
        if (_usable(v.state) && p.funding == Funding.ReservedAtIssue) b.reservedFen += amountFen;
        if (!barTrade) {
            delete ledger.settlements[p.group][settlementKey];
            if (p.oneClaimPerContract) delete ledger.contracts[p.group][contractKey];
        }
        emit IVoucherLedger.RedemptionRejected(redemptionId, r.voucherId, amountFen, reason, barTrade);
    }

    /// @notice See {IVoucherLedger-recover}.
    function recover(
        VoucherBook storage ledger,
        ProgrammeBook storage book,
        uint256 redemptionId,
        uint40 amountFen,
        bytes32 recoveryRef
    ) external {
        if (recoveryRef == 0) revert Errors.VoucherLedger_ReferenceMissing();
        Redemption storage r = _inState(ledger, redemptionId, RedemptionState.WrittenOff);
        uint40 leftFen = r.amountFen - r.recoveredFen;
        if (amountFen == 0 || amountFen > leftFen) {
            revert Errors.VoucherLedger_RecoveryAmount(redemptionId, amountFen, leftFen);
        }
        r.recoveredFen += amountFen;
        _budget(book, ledger.vouchers[r.voucherId].programmeId, r.period).recoveredFen += amountFen;
        emit IVoucherLedger.Recovered(redemptionId, r.voucherId, recoveryRef, amountFen);
    }

    function _budget(ProgrammeBook storage book, uint16 programmeId, uint8 period)
        private
        view
        returns (Budget storage)
    {
        return book.budgets[programmeId][book.periods[programmeId][period].budget];
    }

    function _existing(VoucherBook storage ledger, uint256 voucherId) private view returns (Voucher storage v) {
        v = ledger.vouchers[voucherId];
        if (v.state == VoucherState.None) revert Errors.VoucherLedger_UnknownVoucher(voucherId);
    }

    function _move(VoucherBook storage ledger, uint256 voucherId, VoucherState from, VoucherState to) private {
        Voucher storage v = _existing(ledger, voucherId);
        if (v.state != from) revert Errors.VoucherLedger_VoucherState(voucherId, v.state);
        v.state = to;
    }

    function _usable(VoucherState state) private pure returns (bool) {
        return state == VoucherState.Live || state == VoucherState.Frozen;
    }

    /// @dev Lets go of what a voucher that just ended still held. A first-come voucher held nothing.
    function _returnUnused(ProgrammeBook storage book, Voucher storage v) private returns (uint40 unusedFen) {
        unusedFen = v.faceFen - v.redeemedFen;
        if (v.period != Rules.NO_PERIOD) _budget(book, v.programmeId, v.period).reservedFen -= unusedFen;
    }

    function _inState(VoucherBook storage ledger, uint256 redemptionId, RedemptionState state)
        private
        view
        returns (Redemption storage r)
    {
        r = ledger.redemptions[redemptionId];
        if (r.state == RedemptionState.None) revert Errors.VoucherLedger_UnknownRedemption(redemptionId);
        if (r.state != state) revert Errors.VoucherLedger_RedemptionState(redemptionId, r.state);
    }
}
