// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Tier, TierRecord} from "../types/Programme.sol";

/// @notice Tiers as they are stored: what most redemptions read, the caps and the rates of compute, in one word.
library Tiers {
    /// @dev Rates of kind Compute, which come first.
    uint256 private constant COMPUTE_RATES = 8;

    /// @notice Stores a tier.
    function store(TierRecord storage record, Tier memory tier) internal {
        record.name = tier.name;
        record.entity = tier.entity;
        record.periodCapFen = tier.periodCapFen;
        record.totalCapFen = tier.totalCapFen;
        uint256 computeRates = 0;
        for (uint256 i = 0; i < tier.rateBps.length; ++i) {
            if (i < COMPUTE_RATES) computeRates |= uint256(tier.rateBps[i]) << (i * 16);
            else record.otherRates[i - COMPUTE_RATES] = tier.rateBps[i];
        }
        record.computeRates = uint128(computeRates);
    }

    /// @notice A tier as it was published.
    function load(TierRecord storage record) internal view returns (Tier memory tier) {
        tier.name = record.name;
        tier.entity = record.entity;
        tier.periodCapFen = record.periodCapFen;
        tier.totalCapFen = record.totalCapFen;
        for (uint256 i = 0; i < tier.rateBps.length; ++i) {
            tier.rateBps[i] = rate(record, i);
        }
    }

    /// @notice Rate in basis points at a {Rules.rateIndex}.
    function rate(TierRecord storage record, uint256 index) internal view returns (uint16) {
        if (index >= COMPUTE_RATES) return record.otherRates[index - COMPUTE_RATES];
        return uint16(record.computeRates >> (index * 16));
    }
}
