// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEntityRegistry} from "../interfaces/IEntityRegistry.sol";
import {IVoucherLedger} from "../interfaces/IVoucherLedger.sol";
import {Budget, Funding, Programme, ProgrammeBook, ProgrammeStatus} from "../types/Programme.sol";
import {Redemption, RedemptionRef, RedemptionState, Voucher, VoucherBook, VoucherState} from "../types/Voucher.sol";
import {Errors} from "./Errors.sol";
import {Rules} from "./Rules.sol";

/// @notice What becomes of vouchers and redemptions once they exist: frozen, cancelled, expired; written off, rejected,
/// recovered. VoucherLedger checks the caller's role first.
/// A linked library for the same reason as {Programmes}.
library Lifecycle {
    /// @dev Redemptions of one programme and period that stand together in a write-off: their budget moves once.
    struct Run {
        uint16 programmeId;
        uint8 period;
        uint32 challengeSeconds;
        uint48 amountFen;
    }

    /// @dev The registry's word of frozen organisations that was looked up last; `place` is its index + 1, zero for none.
    struct FrozenWord {
        uint256 place;
        uint256 bits;
    }

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

    /// @notice See {IVoucherLedger-redemption}.
    function redemptionOf(
        VoucherBook storage ledger,
        ProgrammeBook storage book,
        uint48 redemptionId,
        bytes32 settlementKey
    ) public view returns (Redemption memory r) {
        r = ledger.redemptions[book.programmes[uint16(redemptionId >> 32)].group][settlementKey];
        _requireIs(book, Rules.redemptionId(r.voucherId, r.serial), redemptionId, settlementKey);
    }

    /// @notice See {IVoucherLedger-writeOff}.
    function writeOff(
        VoucherBook storage ledger,
        ProgrammeBook storage book,
        IEntityRegistry registry,
        RedemptionRef[] calldata refs,
        bytes32 paymentRef
    ) external {
        if (paymentRef == 0) revert Errors.VoucherLedger_ReferenceMissing();
        Run memory run;
        FrozenWord memory frozen;
        mapping(bytes32 => Redemption) storage ofGroup = ledger.redemptions[0];
        for (uint256 i = 0; i < refs.length; ++i) {
            RedemptionRef calldata ref = refs[i];
            uint48 id = ref.redemptionId;
            if (id >> 32 != run.programmeId) {
                _settle(book, run);
                Programme storage p = book.programmes[uint16(id >> 32)];
                run = Run(uint16(id >> 32), 0, p.challengeSeconds, 0);
                ofGroup = ledger.redemptions[p.group];
            }
            Redemption storage r = ofGroup[ref.settlementKey];
            (uint48 voucherId, uint40 amountFen) = (r.voucherId, r.amountFen);
            (uint8 period, RedemptionState state, uint32 redeemedAt) = (r.period, r.state, r.redeemedAt);
            _requireIs(book, Rules.redemptionId(voucherId, r.serial), id, ref.settlementKey);
            if (state != RedemptionState.Provisional) revert Errors.VoucherLedger_RedemptionState(id, state);
            if (period != run.period) {
                _settle(book, run);
                (run.period, run.amountFen) = (period, 0);
            }

            // Check: challenge window over, nothing frozen.
            uint256 openUntil = uint256(redeemedAt) + run.challengeSeconds;
            if (block.timestamp < openUntil) {
                revert Errors.VoucherLedger_ChallengeOpen(id, openUntil, block.timestamp);
            }
            Voucher storage v = ledger.vouchers[voucherId];
            (uint24 holder, VoucherState voucherState, uint40 writtenOffFen) = (v.entity, v.state, v.writtenOffFen);
            if (voucherState == VoucherState.Frozen) {
                revert Errors.VoucherLedger_VoucherState(voucherId, voucherState);
            }
            _requireNotFrozen(registry, frozen, holder);

            // Effect: redeemed becomes written off.
            (r.state, r.writtenOffAt) = (RedemptionState.WrittenOff, uint32(block.timestamp));
            // No overflow: neither passes what was redeemed, of the voucher or of the budget.
            unchecked {
                v.writtenOffFen = writtenOffFen + amountFen;
                run.amountFen += amountFen;
            }
            emit IVoucherLedger.WrittenOff(id, paymentRef, amountFen);
        }
        _settle(book, run);
    }

    /// @notice See {IVoucherLedger-reject}.
    function reject(
        VoucherBook storage ledger,
        ProgrammeBook storage book,
        RedemptionRef calldata ref,
        bytes32 contractKey,
        bytes32 reason,
        bool barTrade
    ) external {
        uint48 id = ref.redemptionId;
        Redemption memory r = redemptionOf(ledger, book, id, ref.settlementKey);
        _requireState(r, RedemptionState.Provisional, id);
        uint16 programmeId = uint16(id >> 32);
        Programme storage p = book.programmes[programmeId];

        // Check: the contract key is that of the redemption, too; it is not stored with it.
        if (p.oneClaimPerContract) {
            uint48 usedBy = ledger.contracts[p.group][contractKey];
            if (usedBy != id) revert Errors.VoucherLedger_KeyMismatch(id, contractKey, usedBy);
            if (!barTrade) delete ledger.contracts[p.group][contractKey];
        }

        // Effect: value returns to voucher, caps and budget; to a voucher that ended, it returns to the budget only.
        r.state = RedemptionState.Rejected;
        r.tradeBarred = barTrade;
        ledger.redemptions[p.group][ref.settlementKey] = r;
        Voucher storage v = ledger.vouchers[r.voucherId];
        v.redeemedFen -= r.amountFen;
        uint48[25] storage use = ledger.used[programmeId][v.entity];
        use[0] -= r.amountFen;
        use[r.period + 1] -= r.amountFen;
        Budget storage b = _budget(book, programmeId, r.period);
        b.redeemedFen -= r.amountFen;
        if (_usable(v.state) && p.funding == Funding.ReservedAtIssue) b.reservedFen += r.amountFen;
        emit IVoucherLedger.RedemptionRejected(id, r.voucherId, r.amountFen, reason, barTrade);
    }

    /// @notice See {IVoucherLedger-recover}.
    function recover(
        VoucherBook storage ledger,
        ProgrammeBook storage book,
        RedemptionRef calldata ref,
        uint40 amountFen,
        bytes32 recoveryRef
    ) external {
        if (recoveryRef == 0) revert Errors.VoucherLedger_ReferenceMissing();
        uint48 id = ref.redemptionId;
        Redemption memory r = redemptionOf(ledger, book, id, ref.settlementKey);
        _requireState(r, RedemptionState.WrittenOff, id);
        uint40 leftFen = r.amountFen - r.recoveredFen;
        if (amountFen == 0 || amountFen > leftFen) {
            revert Errors.VoucherLedger_RecoveryAmount(id, amountFen, leftFen);
        }
        uint16 programmeId = uint16(id >> 32);
        ledger.redemptions[book.programmes[programmeId].group][ref.settlementKey].recoveredFen += amountFen;
        _budget(book, programmeId, r.period).recoveredFen += amountFen;
        emit IVoucherLedger.Recovered(id, r.voucherId, recoveryRef, amountFen);
    }

    /// @dev Moves what a run of redemptions came to, in the one budget that they draw on.
    function _settle(ProgrammeBook storage book, Run memory run) private {
        if (run.amountFen == 0) return;
        Budget storage b = _budget(book, run.programmeId, run.period);
        b.redeemedFen -= run.amountFen;
        b.writtenOffFen += run.amountFen;
    }

    /// @dev Looks up each word of 256 organisations once for as long as they stand together.
    function _requireNotFrozen(IEntityRegistry registry, FrozenWord memory word, uint24 holder) private view {
        uint256 index = holder >> 8;
        if (word.place != index + 1) (word.place, word.bits) = (index + 1, registry.frozenWord(uint16(index)));
        if (word.bits >> (holder & 255) & 1 != 0) revert Errors.EntityRegistry_Frozen(registry.idOf(holder));
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

    /// @dev Check: the redemption that was found under a key is the one that was named.
    function _requireIs(ProgrammeBook storage book, uint48 found, uint48 redemptionId, bytes32 settlementKey)
        private
        view
    {
        uint32 serial = uint32(redemptionId);
        if (found == redemptionId && serial != 0) return;
        if (serial == 0 || serial > book.programmes[uint16(redemptionId >> 32)].redemptions) {
            revert Errors.VoucherLedger_UnknownRedemption(redemptionId);
        }
        revert Errors.VoucherLedger_KeyMismatch(redemptionId, settlementKey, found);
    }

    function _requireState(Redemption memory r, RedemptionState state, uint48 redemptionId) private pure {
        if (r.state != state) revert Errors.VoucherLedger_RedemptionState(redemptionId, r.state);
    }
}
