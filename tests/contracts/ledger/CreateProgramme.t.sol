// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Base} from "../support/Base.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Roles} from "suanquan/libraries/Roles.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {
    Basis,
    Budget,
    Funding,
    Period,
    Programme,
    ProgrammeStatus,
    ProgrammeTerms,
    Stage,
    Tier
} from "suanquan/types/Programme.sol";

contract CreateProgrammeTest is Base {
    function test_Create_RecordsTheTerms() public {
        ProgrammeTerms memory t = makeZhengzhou();
        t.minTradeFen = 1000;
        t.requiredAttributes = 2;
        t.contractsFrom = START - YEAR;
        t.contractsTo = START + YEAR;
        t.regions = new uint32[](1);
        t.regions[0] = 410_100;
        for (uint16 i = 0; i < t.tiers[0].rateBps.length; ++i) {
            t.tiers[0].rateBps[i] = i + 1;
        }
        vm.expectEmit(address(ledger));
        emit IVoucherLedger.ProgrammeCreated(1, t.policyHash, t.group, t);
        uint16 id = create(t);
        assertEq(id, 1);

        Programme memory p = ledger.programme(id);
        assertEq(uint8(p.status), uint8(ProgrammeStatus.Draft));
        assertEq(uint8(p.funding), uint8(Funding.FirstCome));
        assertEq(uint8(p.basis), uint8(Basis.Settled));
        assertTrue(p.inTradeOrder && p.tradeBeforeIssue && p.suppliersListed && p.platformsListed && p.regionsListed);
        assertFalse(p.oneClaimPerContract);
        assertEq(p.group, t.group);
        assertEq(p.challengeSeconds, CHALLENGE);
        assertEq(p.supportCeilingBps, Rules.FULL_BPS);
        assertEq(p.claimsUntil, t.claimsUntil);
        assertEq(p.minTradeFen, 1000);
        assertEq(p.requiredAttributes, 2);
        assertEq(p.contractsFrom, START - YEAR);
        assertEq(p.contractsTo, START + YEAR);
        assertEq(p.periods, 3);
        assertEq(p.budgets, 1);
        assertEq(p.tiers, 8);
        assertEq(p.stages, 2);
        assertEq(p.lastTradedAt, 0);
        assertEq(p.redemptions, 0);
        for (uint8 i = 0; i < 3; ++i) {
            assertEq(abi.encode(ledger.period(id, i)), abi.encode(t.periods[i]));
        }
        for (uint16 i = 0; i < 8; ++i) {
            assertEq(abi.encode(ledger.tier(id, i)), abi.encode(t.tiers[i]));
        }
        assertBudget(id, 0, Budget(t.budgetsFen[0], 0, 0, 0, 0));
    }

    function test_Create_DatesAtTheirEdges() public {
        ProgrammeTerms memory t = makeZhengzhou();
        (t.contractsFrom, t.contractsTo) = (START, START);
        t.periods[0].startsAt = 0;
        create(t);
    }

    function test_Create_NumbersFromOne() public {
        assertEq(create(makeZhengzhou()), 1);
        assertEq(create(makeEtown()), 2);
        assertEq(uint8(ledger.programme(3).status), uint8(ProgrammeStatus.None));
    }

    function test_Create_MostPeriodsAndBudgets() public {
        ProgrammeTerms memory t = withPeriods(Rules.MAX_PERIODS);
        t.budgetsFen = new uint48[](Rules.MAX_PERIODS);
        for (uint256 i = 0; i < Rules.MAX_PERIODS; ++i) {
            t.budgetsFen[i] = 1;
        }
        assertEq(ledger.programme(create(t)).periods, Rules.MAX_PERIODS);
    }

    function test_RevertWhen_TermsContradictThemselves() public {
        ProgrammeTerms memory t = makeZhengzhou();
        t.policyHash = 0;
        expectBad(t, "policyHash");

        t = makeZhengzhou();
        t.group = 0;
        expectBad(t, "group");

        t = makeZhengzhou();
        t.claimsUntil = 0;
        expectBad(t, "claimsUntil");

        t = makeZhengzhou();
        t.contractsFrom = START;
        t.contractsTo = START - 1;
        expectBad(t, "contractDates");

        t = makeZhengzhou();
        t.supportCeilingBps = 0;
        expectBad(t, "supportCeilingBps");
        t.supportCeilingBps = Rules.FULL_BPS + 1;
        expectBad(t, "supportCeilingBps");

        t = makeZhengzhou();
        t.basis = Basis.Contract;
        expectBad(t, "contractBasis");
    }

    function test_RevertWhen_BudgetsAreBad() public {
        ProgrammeTerms memory t = makeZhengzhou();
        t.budgetsFen = new uint48[](0);
        expectBad(t, "budgets");
        t.budgetsFen = new uint48[](Rules.MAX_PERIODS + 1);
        expectBad(t, "budgets");
        t.budgetsFen = new uint48[](1);
        expectBad(t, "budgetFen");
    }

    function test_RevertWhen_PeriodsAreBad() public {
        ProgrammeTerms memory t = makeZhengzhou();
        t.periods = new Period[](0);
        expectBad(t, "periods");
        expectBad(withPeriods(Rules.MAX_PERIODS + 1), "periods");

        t = makeZhengzhou();
        t.periods[1].startsAt -= 1; // overlaps the first
        expectBad(t, "periodOrder");

        t = makeZhengzhou();
        t.periods[2].endsAt = t.periods[2].startsAt;
        expectBad(t, "periodOrder");

        t = makeZhengzhou();
        t.periods[2].budget = 1;
        expectBad(t, "periodBudget");
    }

    function test_RevertWhen_TiersAreBad() public {
        ProgrammeTerms memory t = makeZhengzhou();
        t.tiers = new Tier[](0);
        expectBad(t, "tiers");
        t.tiers = new Tier[](256);
        expectBad(t, "tiers");

        t = makeZhengzhou();
        for (uint256 i = 0; i < t.tiers[7].rateBps.length; ++i) {
            t.tiers[7].rateBps[i] = Rules.FULL_BPS + 1;
            expectBad(t, "rateBps");
            t.tiers[7].rateBps[i] = Rules.FULL_BPS;
        }
        create(t);
    }

    function test_RevertWhen_StagesAreBad() public {
        ProgrammeTerms memory t = makeZhengzhou();
        t.stages = new Stage[](0);
        expectBad(t, "stages");
        t.stages = new Stage[](255);
        expectBad(t, "stages");

        t = makeZhengzhou();
        t.stages[1].required = 0;
        expectBad(t, "stageRequired");
        t.stages[1].required = 4;
        expectBad(t, "stageRequired");
        t.stages[1].required = 3;
        create(t);
    }

    function test_RevertWhen_ApproverIsNoReviewer() public {
        ProgrammeTerms memory t = makeZhengzhou();
        t.stages[1].approvers[2] = operator;
        vm.prank(operator);
        expectMissing(Roles.REVIEWER, operator);
        ledger.createProgramme(t);
    }

    function withPeriods(uint256 count) private view returns (ProgrammeTerms memory t) {
        t = makeZhengzhou();
        t.periods = new Period[](count);
        for (uint40 i = 0; i < count; ++i) {
            t.periods[i] = Period(START + i, START + i + 1, 0);
        }
    }

    function expectBad(ProgrammeTerms memory t, bytes32 rule) private {
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_BadTerms.selector, rule));
        ledger.createProgramme(t);
    }
}
