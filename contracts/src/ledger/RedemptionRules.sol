// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "../libraries/Errors.sol";
import {Rules} from "../libraries/Rules.sol";
import {Tiers} from "../libraries/Tiers.sol";
import {Party} from "../types/Entity.sol";
import {Basis, Funding, Limit, Period, Programme, TierRecord} from "../types/Programme.sol";
import {Trade} from "../types/Trade.sol";
import {Quote, Redemption, Voucher, VoucherState} from "../types/Voucher.sol";
import {LedgerState} from "./LedgerState.sol";

/// @notice Whether a trade can be redeemed with a voucher, and with how much. Changes nothing; evidence is not looked at.
abstract contract RedemptionRules is LedgerState {
    /// @param v Record of the voucher.
    /// @param p Record of its programme.
    function _quote(uint256 voucherId, Voucher memory v, Programme memory p, Trade calldata trade)
        internal
        view
        returns (Quote memory q)
    {
        // Check: the voucher is usable.
        Rules.requireOpen(v.programmeId, p, block.timestamp);
        if (v.state != VoucherState.Live) revert Errors.VoucherLedger_VoucherState(voucherId, v.state);
        if (block.timestamp > v.validUntil) {
            revert Errors.VoucherLedger_ValidityOver(voucherId, v.validUntil, block.timestamp);
        }

        _requireParties(voucherId, v, p, trade);
        q.rateBps = _requireScope(v, p, trade);
        q.period = _requireTime(voucherId, v, p, trade);
        _requireUnused(v, p, trade);
        _limit(voucherId, v, p, trade, q);
    }

    /// @dev Check: buyer, supplier and platform are active, buyer is the holder, and the parties are unrelated; nor may a
    /// buyer attest its own purchase.
    function _requireParties(uint256 voucherId, Voucher memory v, Programme memory p, Trade calldata trade)
        private
        view
    {
        (Party memory buyer, Party memory supplier) =
            REGISTRY.requireAllActive(trade.buyer, trade.supplier, trade.platform);
        if (buyer.number != v.entity) {
            revert Errors.VoucherLedger_NotHolder(voucherId, REGISTRY.idOf(v.entity), trade.buyer);
        }
        if (
            trade.buyer == trade.platform || buyer.number == supplier.number
                || (buyer.controller != 0 && buyer.controller == supplier.controller)
                || (p.suppliersListed && _book.suppliers[v.programmeId][trade.buyer])
        ) {
            revert Errors.VoucherLedger_RelatedParties(trade.buyer, trade.supplier, buyer.controller);
        }
    }

    /// @dev Check: supplier, platform, kind, attributes, region and size are within the programme's scope.
    function _requireScope(Voucher memory v, Programme memory p, Trade calldata trade)
        private
        view
        returns (uint16 rateBps)
    {
        uint16 id = v.programmeId;
        if (p.suppliersListed && !_book.suppliers[id][trade.supplier]) {
            revert Errors.VoucherLedger_SupplierNotListed(id, trade.supplier);
        }
        if (p.platformsListed && !_book.platforms[id][trade.platform]) {
            revert Errors.VoucherLedger_PlatformNotListed(id, trade.platform);
        }
        rateBps = Tiers.rate(_book.tiers[id][v.tier], Rules.rateIndex(trade.kind, trade.computeType, trade.attributes));
        if (rateBps == 0) revert Errors.VoucherLedger_OutOfScope(id, v.tier, trade.kind, trade.computeType);
        if (trade.attributes & p.requiredAttributes != p.requiredAttributes) {
            revert Errors.VoucherLedger_AttributeMissing(trade.attributes, p.requiredAttributes);
        }
        if (p.regionsListed) {
            mapping(uint32 => bool) storage regions = _book.regions[id];
            uint32 r = trade.region;
            if (!regions[r] && !regions[r / 100 * 100] && !regions[r / 10_000 * 10_000]) {
                revert Errors.VoucherLedger_RegionOutOfScope(id, r);
            }
        }
        if (trade.settledFen < p.minTradeFen) {
            revert Errors.VoucherLedger_BelowMinimum(trade.settledFen, p.minTradeFen);
        }
    }

    /// @dev Check: the trade lies in the voucher's time and in a period, its agreement within the programme's dates.
    function _requireTime(uint256 voucherId, Voucher memory v, Programme memory p, Trade calldata trade)
        private
        view
        returns (uint8)
    {
        uint256 earliest = p.tradeBeforeIssue ? 0 : v.issuedAt;
        if (trade.tradedAt < earliest || trade.tradedAt > block.timestamp) {
            revert Errors.VoucherLedger_TradeTime(voucherId, trade.tradedAt, earliest, block.timestamp);
        }
        if (trade.contractSignedAt < p.contractsFrom || trade.contractSignedAt > p.contractsTo) {
            revert Errors.VoucherLedger_ContractDate(trade.contractSignedAt, p.contractsFrom, p.contractsTo);
        }
        for (uint8 i = 0; i < p.periods; ++i) {
            Period memory q = _book.periods[v.programmeId][i];
            if (trade.tradedAt >= q.startsAt && trade.tradedAt < q.endsAt) {
                // A reserved voucher counts where its face is held, also when it is used in a later period.
                return v.period == Rules.NO_PERIOD ? i : v.period;
            }
        }
        revert Errors.VoucherLedger_OutsidePeriods(v.programmeId, trade.tradedAt);
    }

    /// @dev Check: the trade is unused in the group, and no later trade was paid before it.
    function _requireUnused(Voucher memory v, Programme memory p, Trade calldata trade) private view {
        Redemption storage r = _ledger.redemptions[p.group][trade.settlementKey];
        if (Rules.uses(r)) {
            uint256 usedBy = Rules.redemptionId(r.voucherId, r.serial);
            revert Errors.VoucherLedger_SettlementUsed(p.group, trade.settlementKey, usedBy);
        }
        if (p.oneClaimPerContract) {
            uint256 usedBy = _ledger.contracts[p.group][trade.contractKey];
            if (usedBy != 0) revert Errors.VoucherLedger_ContractUsed(p.group, trade.contractKey, usedBy);
        }
        if (p.inTradeOrder && trade.tradedAt < p.lastTradedAt) {
            revert Errors.VoucherLedger_OutOfOrder(v.programmeId, trade.tradedAt, p.lastTradedAt);
        }
    }

    /// @dev Sets amount and limit: ⌊basis × rate⌋, cut by support ceiling, voucher, period cap, total cap and budget.
    function _limit(uint256 voucherId, Voucher memory v, Programme memory p, Trade calldata trade, Quote memory q)
        private
        view
    {
        uint64 basisFen = p.basis == Basis.Settled ? trade.settledFen : trade.contractFen;
        uint256 amount = Rules.share(basisFen, q.rateBps);
        Limit limit = Limit.None;
        uint256 ceiling = Rules.share(basisFen, p.supportCeilingBps);
        (amount, limit) = Rules.tighten(amount, limit, Rules.left(ceiling, trade.otherSupportFen), Limit.SupportCeiling);
        (amount, limit) = Rules.tighten(amount, limit, v.faceFen - v.redeemedFen, Limit.VoucherFace);

        TierRecord storage t = _book.tiers[v.programmeId][v.tier];
        uint48[25] storage use = _ledger.used[v.programmeId][v.entity];
        (uint48 periodCap, uint48 totalCap) = (t.periodCapFen, t.totalCapFen);
        if (periodCap != Rules.NO_CAP) {
            (amount, limit) = Rules.tighten(amount, limit, Rules.left(periodCap, use[q.period + 1]), Limit.PeriodCap);
        }
        if (totalCap != Rules.NO_CAP) {
            (amount, limit) = Rules.tighten(amount, limit, Rules.left(totalCap, use[0]), Limit.TotalCap);
        }
        // A reserved voucher's value is already held in the budget.
        if (p.funding == Funding.FirstCome) {
            (amount, limit) =
                Rules.tighten(amount, limit, Rules.available(_budget(v.programmeId, q.period)), Limit.Budget);
        }
        if (amount == 0) revert Errors.VoucherLedger_NothingToPay(voucherId, limit, basisFen, q.rateBps);
        // Safe: no more than the voucher's face, which is a uint40.
        q.amountFen = uint40(amount);
        q.limit = limit;
    }
}
