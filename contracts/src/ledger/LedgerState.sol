// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEntityRegistry} from "../interfaces/IEntityRegistry.sol";
import {Errors} from "../libraries/Errors.sol";
import {Budget, ProgrammeBook} from "../types/Programme.sol";
import {Voucher, VoucherBook, VoucherState} from "../types/Voucher.sol";

/// @notice What the parts of VoucherLedger share: its storage, and the registry.
abstract contract LedgerState {
    IEntityRegistry public immutable REGISTRY;

    /* STORAGE */

    ProgrammeBook internal _book;
    VoucherBook internal _ledger;

    constructor(IEntityRegistry registry) {
        REGISTRY = registry;
    }

    /// @dev The budget that a period draws on.
    function _budget(uint16 programmeId, uint8 period) internal view returns (Budget storage) {
        return _book.budgets[programmeId][_book.periods[programmeId][period].budget];
    }

    function _existing(uint256 voucherId) internal view returns (Voucher storage v) {
        v = _ledger.vouchers[voucherId];
        if (v.state == VoucherState.None) revert Errors.VoucherLedger_UnknownVoucher(voucherId);
    }
}
