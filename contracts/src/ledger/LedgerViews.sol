// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IVoucherLedger} from "../interfaces/IVoucherLedger.sol";
import {Lifecycle} from "../libraries/Lifecycle.sol";
import {Rules} from "../libraries/Rules.sol";
import {Tiers} from "../libraries/Tiers.sol";
import {Budget, Period, Programme, Tier} from "../types/Programme.sol";
import {Redemption, Voucher, VoucherBook, VoucherStatus} from "../types/Voucher.sol";
import {LedgerState} from "./LedgerState.sol";

/// @notice What anyone may ask of the books.
abstract contract LedgerViews is LedgerState, IVoucherLedger {
    using Lifecycle for VoucherBook;

    /// @inheritdoc IVoucherLedger
    function status(uint256 voucherId) external view returns (VoucherStatus) {
        return Rules.status(_existing(voucherId), block.timestamp);
    }

    /// @inheritdoc IVoucherLedger
    function voucher(uint256 voucherId) external view returns (Voucher memory) {
        return _existing(voucherId);
    }

    /// @inheritdoc IVoucherLedger
    function redemption(uint48 redemptionId, bytes32 settlementKey) external view returns (Redemption memory) {
        return _ledger.redemptionOf(_book, redemptionId, settlementKey);
    }

    /// @inheritdoc IVoucherLedger
    function programme(uint16 programmeId) external view returns (Programme memory) {
        return _book.programmes[programmeId];
    }

    /// @inheritdoc IVoucherLedger
    function period(uint16 programmeId, uint8 index) external view returns (Period memory) {
        return _book.periods[programmeId][index];
    }

    /// @inheritdoc IVoucherLedger
    function budget(uint16 programmeId, uint8 index) external view returns (Budget memory b, uint256 availableFen) {
        b = _book.budgets[programmeId][index];
        availableFen = Rules.available(b);
    }

    /// @inheritdoc IVoucherLedger
    function tier(uint16 programmeId, uint16 index) external view returns (Tier memory) {
        return Tiers.load(_book.tiers[programmeId][index]);
    }

    /// @inheritdoc IVoucherLedger
    function used(uint16 programmeId, bytes32 entity, uint8 periodIndex)
        external
        view
        returns (uint48 periodFen, uint48 totalFen)
    {
        uint48[25] storage use = _ledger.used[programmeId][REGISTRY.numberOf(entity)];
        return (use[periodIndex + 1], use[0]);
    }

    /// @inheritdoc IVoucherLedger
    function settlement(uint32 group, bytes32 settlementKey) external view returns (uint256 redemptionId) {
        Redemption storage r = _ledger.redemptions[group][settlementKey];
        return Rules.uses(r) ? Rules.redemptionId(r.voucherId, r.serial) : 0;
    }
}
