// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {ProgrammeTerms} from "suanquan/types/Programme.sol";
import {ComputeType, Trade, TradeAttributes, TradeKind} from "suanquan/types/Trade.sol";

/// @notice What was bought, where, and how much of it.
contract RedeemScopeTest is LedgerBase {
    uint16 private _id;
    uint48 private _voucher;

    /* LISTS */

    function test_RevertWhen_SupplierIsNotListed() public {
        Trade memory t = makeTrade(BUYER);
        t.supplier = OTHER_SUPPLIER;
        expectRefused(
            voucherId,
            t,
            abi.encodeWithSelector(Errors.VoucherLedger_SupplierNotListed.selector, zhengzhou, OTHER_SUPPLIER)
        );
        ledger.quote(reservedId, t); // E-Town has no list
    }

    function test_RevertWhen_PlatformIsNotListed() public {
        Trade memory t = makeTrade(BUYER);
        t.platform = OTHER_PLATFORM;
        expectRefused(
            voucherId,
            t,
            abi.encodeWithSelector(Errors.VoucherLedger_PlatformNotListed.selector, zhengzhou, OTHER_PLATFORM)
        );
        ledger.quote(reservedId, t);
    }

    /* KIND */

    function test_RevertWhen_KindHasNoRate() public {
        Trade memory t = makeTrade(BUYER);
        t.computeType = ComputeType.General;
        expectOutOfScope(t);
        t.kind = TradeKind.Data;
        t.computeType = ComputeType.None;
        expectOutOfScope(t);
    }

    /// @dev Each of the 40 places of the table is read for its own kind, compute type and chip.
    function test_RateTable_EveryPlace() public {
        ProgrammeTerms memory terms = makeEtown();
        for (uint256 i = 0; i < 40; ++i) {
            terms.tiers[0].rateBps[i] = uint16(100 + i);
        }
        open(terms);
        Trade memory t = makeTrade(BUYER);
        for (uint256 kind = 0; kind < 5; ++kind) {
            for (uint256 computeType = 0; computeType < 4; ++computeType) {
                for (uint32 domestic = 0; domestic < 2; ++domestic) {
                    t.kind = TradeKind(kind);
                    t.computeType = ComputeType(computeType);
                    t.attributes = TradeAttributes.BUYER_PAID | domestic;
                    assertEq(ledger.quote(_voucher, t).rateBps, 100 + kind * 8 + computeType * 2 + domestic);
                }
            }
        }
    }

    function test_RateOfTheWhole() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.tiers[0].rateBps[4] = Rules.FULL_BPS;
        open(terms);
        assertEq(ledger.quote(_voucher, makeTrade(BUYER)).amountFen, yuan(800_000));
    }

    /* ATTRIBUTES */

    function test_RevertWhen_AnAttributeIsMissing() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.requiredAttributes = TradeAttributes.BUYER_PAID | TradeAttributes.UNIFIED_DISPATCH;
        open(terms);
        Trade memory t = makeTrade(BUYER);
        uint32[3] memory short =
            [uint32(0), TradeAttributes.BUYER_PAID, TradeAttributes.UNIFIED_DISPATCH | TradeAttributes.CUSTODY_SIGNED];
        for (uint256 i = 0; i < 3; ++i) {
            t.attributes = short[i];
            expectRefused(
                _voucher,
                t,
                abi.encodeWithSelector(
                    Errors.VoucherLedger_AttributeMissing.selector, t.attributes, terms.requiredAttributes
                )
            );
        }
        t.attributes = terms.requiredAttributes | TradeAttributes.CUSTODY_SIGNED;
        ledger.quote(_voucher, t);
    }

    /* REGION */

    function test_Region_CityHoldsItsDistricts() public {
        openIn(410_100);
        expectIn(410_100);
        expectIn(410_105);
        expectOutside(410_200);
        expectOutside(410_000);
        expectOutside(110_000);
    }

    function test_Region_ProvinceHoldsItsCities() public {
        openIn(520_000);
        expectIn(520_000);
        expectIn(520_100);
        expectIn(520_115);
        expectOutside(510_000);
        expectOutside(0);
    }

    function test_Region_DistrictIsOnlyItself() public {
        openIn(110_115);
        expectIn(110_115);
        expectOutside(110_100);
        expectOutside(110_114);
    }

    function test_Region_AnywhereWhereNoneIsListed() public {
        Trade memory t = makeTrade(BUYER);
        t.region = 0;
        ledger.quote(voucherId, t);
    }

    /* SIZE */

    function test_RevertWhen_BelowTheMinimum() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.minTradeFen = 1000;
        open(terms);
        Trade memory t = makeTrade(BUYER);
        t.settledFen = 999;
        expectRefused(_voucher, t, abi.encodeWithSelector(Errors.VoucherLedger_BelowMinimum.selector, 999, 1000));
        t.settledFen = 1000;
        ledger.quote(_voucher, t);
    }

    function open(ProgrammeTerms memory terms) private {
        _id = publish(terms);
        _voucher = issue(_id, 1, BUYER);
    }

    function openIn(uint32 region) private {
        ProgrammeTerms memory terms = makeEtown();
        terms.regions = new uint32[](1);
        terms.regions[0] = region;
        open(terms);
    }

    function expectIn(uint32 region) private {
        Trade memory t = makeTrade(BUYER);
        t.region = region;
        ledger.quote(_voucher, t);
    }

    function expectOutside(uint32 region) private {
        Trade memory t = makeTrade(BUYER);
        t.region = region;
        expectRefused(_voucher, t, abi.encodeWithSelector(Errors.VoucherLedger_RegionOutOfScope.selector, _id, region));
    }

    function expectOutOfScope(Trade memory t) private {
        expectRefused(
            voucherId,
            t,
            abi.encodeWithSelector(Errors.VoucherLedger_OutOfScope.selector, zhengzhou, 0, t.kind, t.computeType)
        );
    }

    function expectRefused(uint48 id, Trade memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        ledger.quote(id, t);
    }
}
