// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Base} from "./Base.sol";

/// @notice Both programmes published, a voucher of each issued to BUYER.
abstract contract LedgerBase is Base {
    uint16 internal zhengzhou;
    uint16 internal etown;
    /// @dev First come, paid by trade time, tier 0: 30 %, 300,000 yuan a year.
    uint48 internal voucherId;
    /// @dev Reserved in the first year's budget.
    uint48 internal reservedId;

    function setUp() public virtual override {
        super.setUp();
        zhengzhou = publish(makeZhengzhou());
        etown = publish(makeEtown());
        // Redemptions are counted from 1: with other serials, no redemption's id is that of its voucher.
        voucherId = issue(zhengzhou, 901, BUYER);
        reservedId = issue(etown, 902, BUYER);
    }
}
