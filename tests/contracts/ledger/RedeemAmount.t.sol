// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {Basis, Budget, Limit, ProgrammeTerms} from "suanquan/types/Programme.sol";
import {Trade, TradeAttributes} from "suanquan/types/Trade.sol";
import {IssueOrder, Quote} from "suanquan/types/Voucher.sol";

/// @notice How much a trade is subsidised with: rate, rounding, and each of the five limits.
contract RedeemAmountTest is LedgerBase {
    /* WORKED BY HAND FROM THE POLICY */

    /// @dev Zhengzhou, in-zone enterprise: 30 % up to 300,000 yuan a year. 800,000 settled pays 240,000; another 800,000
    /// pays the 60,000 that are left; a third pays nothing; next year starts anew.
    function test_Zhengzhou_InZoneEnterprise() public {
        assertQuote(makeTrade(BUYER), yuan(240_000), Limit.None);
        redeem(voucherId, makeTrade(BUYER));

        Trade memory second = makeTrade(BUYER);
        assertQuote(second, yuan(60_000), Limit.PeriodCap);
        redeem(voucherId, second);

        Trade memory third = makeTrade(BUYER);
        expectNothing(third, Limit.PeriodCap);
        vm.warp(START + YEAR);
        third.tradedAt = START + YEAR;
        assertQuote(third, yuan(240_000), Limit.None);
    }

    /// @dev Zhengzhou, out of zone: 3 %, 30,000 yuan over the whole policy. 800,000 pays 24,000, next year 6,000 is left.
    function test_Zhengzhou_OutOfZone() public {
        IssueOrder memory o = makeOrder(zhengzhou, 2, OTHER_BUYER);
        o.tier = 6;
        uint48 id = issue(o);
        redeem(id, makeTrade(OTHER_BUYER));
        assertEq(ledger.voucher(id).redeemedFen, yuan(24_000));

        vm.warp(START + YEAR);
        redeem(id, makeTrade(OTHER_BUYER));
        assertEq(ledger.voucher(id).redeemedFen, yuan(30_000));

        Trade memory third = makeTrade(OTHER_BUYER);
        vm.expectRevert(nothing(id, third.settledFen, 300, Limit.TotalCap));
        ledger.quote(id, third);
    }

    /// @dev Beijing E-Town: 30 %, or 40 % on domestic intelligent compute.
    function test_Etown_DomesticChipPaysMore() public {
        Trade memory t = makeTrade(BUYER);
        assertEq(ledger.quote(reservedId, t).amountFen, yuan(240_000));
        t.attributes |= TradeAttributes.DOMESTIC_CHIP;
        Quote memory q = ledger.quote(reservedId, t);
        assertEq(q.amountFen, yuan(320_000));
        assertEq(q.rateBps, 4000);
    }

    /* ROUNDING */

    function test_AmountIsRoundedDown() public {
        Trade memory t = makeTrade(BUYER);
        t.settledFen = 9999; // 30 % is 2,999.7 fen
        assertQuote(t, 2999, Limit.None);
        t.settledFen = 4; // 1.2 fen
        assertQuote(t, 1, Limit.None);
    }

    function test_RevertWhen_AmountRoundsToZero() public {
        Trade memory t = makeTrade(BUYER);
        t.settledFen = 3; // 0.9 fen
        expectNothing(t, Limit.None);
    }

    function test_LargestSettledAmountDoesNotOverflow() public {
        Trade memory t = makeTrade(BUYER);
        t.settledFen = type(uint64).max;
        assertQuote(t, yuan(300_000), Limit.PeriodCap);
    }

    /* SUPPORT CEILING */

    function test_SupportCeiling_CutsByOtherSupport() public {
        Trade memory t = makeTrade(BUYER);
        t.otherSupportFen = yuan(560_000); // with 240,000 exactly the whole
        assertQuote(t, yuan(240_000), Limit.None);
        t.otherSupportFen = yuan(560_000) + 1;
        assertQuote(t, yuan(240_000) - 1, Limit.SupportCeiling);
        t.otherSupportFen = yuan(800_000) - 1;
        assertQuote(t, 1, Limit.SupportCeiling);
    }

    function test_RevertWhen_SupportCeilingIsReachedByOthers() public {
        Trade memory t = makeTrade(BUYER);
        t.otherSupportFen = yuan(800_000);
        expectNothing(t, Limit.SupportCeiling);
        t.otherSupportFen = type(uint64).max;
        expectNothing(t, Limit.SupportCeiling);
    }

    function test_SupportCeiling_BelowTheWhole() public {
        ProgrammeTerms memory terms = makeZhengzhou();
        terms.supportCeilingBps = 5000;
        uint48 id = issue(publish(terms), 1, BUYER);
        Trade memory t = makeTrade(BUYER);
        t.otherSupportFen = yuan(200_000); // 50 % is 400,000
        Quote memory q = ledger.quote(id, t);
        assertEq(q.amountFen, yuan(200_000));
        assertEq(uint8(q.limit), uint8(Limit.SupportCeiling));
    }

    /* VOUCHER FACE */

    function test_VoucherFace_LastPartIsCut() public {
        IssueOrder memory o = makeOrder(etown, 2, BUYER);
        o.faceFen = uint40(yuan(300_000));
        uint48 id = issue(o);
        redeem(id, makeTrade(BUYER));
        Trade memory t = makeTrade(BUYER);
        Quote memory q = ledger.quote(id, t);
        assertEq(q.amountFen, yuan(60_000));
        assertEq(uint8(q.limit), uint8(Limit.VoucherFace));
        redeem(id, t);

        t = makeTrade(BUYER);
        vm.expectRevert(nothing(id, t.settledFen, 3000, Limit.VoucherFace));
        ledger.quote(id, t);
    }

    /* CAPS */

    function test_PeriodCap_CountsAllVouchersOfTheEntity() public {
        redeem(voucherId, makeTrade(BUYER));
        uint48 second = issue(zhengzhou, 2, BUYER);
        Trade memory t = makeTrade(BUYER);
        Quote memory q = ledger.quote(second, t);
        assertEq(q.amountFen, yuan(60_000));
        assertEq(uint8(q.limit), uint8(Limit.PeriodCap));
    }

    function test_PeriodCap_DoesNotCountOtherEntities() public {
        redeem(voucherId, makeTrade(BUYER));
        uint48 other = issue(zhengzhou, 2, OTHER_BUYER);
        assertEq(ledger.quote(other, makeTrade(OTHER_BUYER)).amountFen, yuan(240_000));
    }

    function test_PeriodCap_IsTheVouchersTier() public {
        redeem(voucherId, makeTrade(BUYER)); // 240,000 used under the cap of 300,000
        IssueOrder memory o = makeOrder(zhengzhou, 2, BUYER);
        o.tier = 2; // 200,000
        uint48 second = issue(o);
        Trade memory t = makeTrade(BUYER);
        vm.expectRevert(nothing(second, t.settledFen, 3000, Limit.PeriodCap));
        ledger.quote(second, t);
    }

    /// @dev A reserved voucher counts where its face is held, whenever it is used.
    function test_PeriodCap_OfReservedVoucherIsThatOfItsPeriod() public {
        vm.warp(START + YEAR);
        Trade memory t = makeTrade(BUYER);
        assertEq(ledger.quote(reservedId, t).period, 0);
        redeem(reservedId, t);
        (uint48 first,) = ledger.used(etown, BUYER, 0);
        (uint48 later, uint48 total) = ledger.used(etown, BUYER, 1);
        assertEq(first, yuan(240_000));
        assertEq(later, 0);
        assertEq(total, yuan(240_000));
        IssueOrder memory o = makeOrder(etown, 903, BUYER);
        o.period = 1;
        redeem(issue(o), makeTrade(BUYER));
        (first, total) = ledger.used(etown, BUYER, 0);
        assertEq(first, yuan(240_000));
        assertEq(total, yuan(480_000));
    }

    function test_TotalCap_AcrossPeriods() public {
        ProgrammeTerms memory terms = makeZhengzhou();
        terms.tiers[0].periodCapFen = Rules.NO_CAP;
        terms.tiers[0].totalCapFen = yuan(240_001);
        uint48 id = issue(publish(terms), 1, BUYER);
        redeem(id, makeTrade(BUYER));
        vm.warp(START + YEAR);
        Quote memory q = ledger.quote(id, makeTrade(BUYER));
        assertEq(q.amountFen, 100);
        assertEq(uint8(q.limit), uint8(Limit.TotalCap));
    }

    /* BUDGET */

    function test_Budget_ExactlyExhausted() public {
        ProgrammeTerms memory terms = makeZhengzhou();
        terms.budgetsFen[0] = yuan(240_000);
        uint16 id = publish(terms);
        uint48 v = issue(id, 1, BUYER);
        Trade memory t = makeTrade(BUYER);
        assertEq(uint8(ledger.quote(v, t).limit), uint8(Limit.None));
        redeem(v, t);
        assertBudget(id, 0, Budget(yuan(240_000), 0, yuan(240_000), 0, 0));

        uint48 late = issue(id, 2, OTHER_BUYER);
        t = makeTrade(OTHER_BUYER);
        vm.expectRevert(nothing(late, t.settledFen, 3000, Limit.Budget));
        ledger.quote(late, t);
    }

    function test_Budget_LastClaimIsPaidInPart() public {
        ProgrammeTerms memory terms = makeZhengzhou();
        terms.budgetsFen[0] = yuan(240_000) + 1;
        uint16 id = publish(terms);
        redeem(issue(id, 1, BUYER), makeTrade(BUYER));

        uint48 last = issue(id, 2, OTHER_BUYER);
        Trade memory t = makeTrade(OTHER_BUYER);
        Quote memory q = ledger.quote(last, t);
        assertEq(q.amountFen, 1);
        assertEq(uint8(q.limit), uint8(Limit.Budget));
        redeem(last, t);
        assertBudget(id, 0, Budget(yuan(240_000) + 1, 0, yuan(240_000) + 1, 0, 0));
    }

    /// @dev Zhengzhou's years share one budget.
    function test_Budget_SharedByPeriods() public {
        ProgrammeTerms memory terms = makeZhengzhou();
        terms.budgetsFen[0] = yuan(300_000);
        uint48 id = issue(publish(terms), 1, BUYER);
        redeem(id, makeTrade(BUYER));
        vm.warp(START + YEAR);
        Quote memory q = ledger.quote(id, makeTrade(BUYER));
        assertEq(q.amountFen, yuan(60_000));
        assertEq(uint8(q.limit), uint8(Limit.Budget));
    }

    /// @dev The face is held already, so a reserved voucher pays although nothing is available.
    function test_Budget_ReservedVoucherDrawsOnItsReservation() public {
        ProgrammeTerms memory terms = makeEtown();
        terms.budgetsFen[0] = yuan(1_000_000);
        uint16 id = publish(terms);
        uint48 v = issue(id, 1, BUYER);
        assertBudget(id, 0, Budget(yuan(1_000_000), yuan(1_000_000), 0, 0, 0));
        redeem(v, makeTrade(BUYER));
        assertBudget(id, 0, Budget(yuan(1_000_000), yuan(760_000), yuan(240_000), 0, 0));
    }

    /* BASIS */

    function test_Basis_ContractValue() public {
        ProgrammeTerms memory terms = makeZhengzhou();
        terms.basis = Basis.Contract;
        terms.oneClaimPerContract = true;
        uint48 id = issue(publish(terms), 1, BUYER);
        assertEq(ledger.quote(id, makeTrade(BUYER)).amountFen, yuan(300_000)); // 30 % of 1,000,000
    }

    function assertQuote(Trade memory t, uint256 amountFen, Limit limit) private view {
        Quote memory q = ledger.quote(voucherId, t);
        assertEq(q.amountFen, amountFen, "amount");
        assertEq(uint8(q.limit), uint8(limit), "limit");
        assertEq(q.rateBps, 3000, "rate");
    }

    function expectNothing(Trade memory t, Limit limit) private {
        vm.expectRevert(nothing(voucherId, t.settledFen, 3000, limit));
        ledger.quote(voucherId, t);
    }

    function nothing(uint48 id, uint64 basisFen, uint16 rateBps, Limit limit) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.VoucherLedger_NothingToPay.selector, uint256(id), limit, basisFen, rateBps);
    }
}
