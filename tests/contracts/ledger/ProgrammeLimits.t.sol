// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {ProgrammeTerms, Stage, Tier} from "suanquan/types/Programme.sol";

/// @notice The largest programmes that there may be, and those one larger.
contract ProgrammeLimitsTest is LedgerBase {
    function test_Create_MostTiersAndStages() public {
        ProgrammeTerms memory t = makeTerms(255, 254);
        uint16 id = create(t);
        assertEq(ledger.programme(id).tiers, 255);
        assertEq(ledger.programme(id).stages, 254);
        assertEq(abi.encode(ledger.tier(id, 254)), abi.encode(t.tiers[254]));
    }

    function test_RevertWhen_TiersOrStagesAreOneTooMany() public {
        ProgrammeTerms memory tiers = makeTerms(256, 1);
        vm.startPrank(operator);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_BadTerms.selector, bytes32("tiers")));
        ledger.createProgramme(tiers);
        ProgrammeTerms memory stages = makeTerms(1, 255);
        vm.expectRevert(abi.encodeWithSelector(Errors.VoucherLedger_BadTerms.selector, bytes32("stages")));
        ledger.createProgramme(stages);
    }

    function makeTerms(uint256 tiers, uint256 stages) private view returns (ProgrammeTerms memory t) {
        t = makeEtown();
        (Tier memory tier, Stage memory stage) = (t.tiers[0], t.stages[0]);
        (t.tiers, t.stages) = (new Tier[](tiers), new Stage[](stages));
        for (uint256 i = 0; i < tiers; ++i) {
            t.tiers[i] = tier;
        }
        for (uint256 i = 0; i < stages; ++i) {
            t.stages[i] = stage;
        }
    }
}
