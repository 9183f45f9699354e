// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {World} from "./World.sol";
import {Rules} from "suanquan/libraries/Rules.sol";
import {Funding, Period, ProgrammeTerms, Stage, Tier} from "suanquan/types/Programme.sol";
import {ComputeType, TradeKind} from "suanquan/types/Trade.sol";
import {IssueOrder, ReviewApproval} from "suanquan/types/Voucher.sol";

/// @notice Programmes and vouchers, with the signatures of those who approve.
abstract contract Vouchers is World {
    /* PROGRAMMES */

    /// @dev Zhengzhou: trade first and claim afterwards, paid by trade time, yearly caps over one budget of three years.
    function makeZhengzhou() internal view returns (ProgrammeTerms memory t) {
        t.policyHash = keccak256("zhengzhou-htz");
        t.policyURI = "https://example.org/zhengzhou-htz.yaml";
        t.group = 1;
        t.funding = Funding.FirstCome;
        t.inTradeOrder = true;
        t.tradeBeforeIssue = true;
        t.suppliersListed = true;
        t.platformsListed = true;
        t.supportCeilingBps = Rules.FULL_BPS;
        t.challengeSeconds = CHALLENGE;
        t.contractsTo = type(uint40).max;
        t.claimsUntil = START + 4 * YEAR;
        t.budgetsFen = new uint48[](1);
        t.budgetsFen[0] = yuan(50_000_000);
        t.periods = new Period[](3);
        for (uint40 i = 0; i < 3; ++i) {
            t.periods[i] = Period(START + i * YEAR, START + (i + 1) * YEAR, 0);
        }
        t.tiers = new Tier[](8);
        t.tiers[0] = makeTier("in_zone", 3000, yuan(300_000), Rules.NO_CAP);
        t.tiers[1] = makeTier("in_zone_small", 1500, yuan(300_000), Rules.NO_CAP);
        t.tiers[2] = makeTier("institute", 3000, yuan(200_000), Rules.NO_CAP);
        t.tiers[3] = makeTier("university", 3000, yuan(1_000_000), Rules.NO_CAP);
        t.tiers[4] = makeTier("double_first_class", 3000, yuan(2_000_000), Rules.NO_CAP);
        t.tiers[5] = makeTier("large_model", 3000, yuan(1_000_000), Rules.NO_CAP);
        t.tiers[6] = makeTier("out_of_zone", 300, Rules.NO_CAP, yuan(30_000));
        t.tiers[7] = makeTier("newly_settled", 3000, yuan(300_000), Rules.NO_CAP);
        t.stages = new Stage[](2);
        t.stages[0] = Stage("first_review", 1, new address[](2));
        t.stages[1] = Stage("second_review", 2, new address[](3));
        for (uint256 i = 0; i < reviewers.length; ++i) {
            if (i < 2) t.stages[0].approvers[i] = reviewers[i].addr;
            else t.stages[1].approvers[i - 2] = reviewers[i].addr;
        }
    }

    /// @dev Beijing E-Town: claim and use at once in several parts, a budget per year reserved at issue.
    function makeEtown() internal view returns (ProgrammeTerms memory t) {
        t.policyHash = keccak256("beijing-etown");
        t.policyURI = "https://example.org/beijing-etown.yaml";
        t.group = 2;
        t.funding = Funding.ReservedAtIssue;
        t.supportCeilingBps = Rules.FULL_BPS;
        t.challengeSeconds = CHALLENGE;
        t.contractsTo = type(uint40).max;
        t.claimsUntil = START + 3 * YEAR;
        t.budgetsFen = new uint48[](2);
        t.periods = new Period[](2);
        for (uint40 i = 0; i < 2; ++i) {
            t.budgetsFen[i] = yuan(100_000_000);
            t.periods[i] = Period(START + i * YEAR, START + (i + 1) * YEAR, uint8(i));
        }
        t.tiers = new Tier[](1);
        t.tiers[0] = makeTier("enterprise", 3000, yuan(20_000_000), Rules.NO_CAP);
        t.tiers[0].rateBps[Rules.rateIndex(TradeKind.Compute, ComputeType.Intelligent, 1)] = 4000;
        t.stages = new Stage[](1);
        t.stages[0] = Stage("review", 1, new address[](1));
        t.stages[0].approvers[0] = reviewers[0].addr;
    }

    /// @dev A tier for supercomputing and intelligent compute, one rate whether the chip is domestic or not.
    function makeTier(bytes32 name, uint16 rateBps, uint48 periodCapFen, uint48 totalCapFen)
        internal
        pure
        returns (Tier memory t)
    {
        t.name = name;
        t.periodCapFen = periodCapFen;
        t.totalCapFen = totalCapFen;
        for (uint32 domestic = 0; domestic < 2; ++domestic) {
            t.rateBps[Rules.rateIndex(TradeKind.Compute, ComputeType.Intelligent, domestic)] = rateBps;
            t.rateBps[Rules.rateIndex(TradeKind.Compute, ComputeType.Super, domestic)] = rateBps;
        }
    }

    function create(ProgrammeTerms memory terms) internal returns (uint16 programmeId) {
        vm.prank(operator);
        return ledger.createProgramme(terms);
    }

    /// @dev Created, published, with one supplier and one platform on the lists.
    function publish(ProgrammeTerms memory terms) internal returns (uint16 programmeId) {
        programmeId = create(terms);
        vm.startPrank(operator);
        ledger.setSuppliers(programmeId, only(SUPPLIER), true);
        ledger.setPlatforms(programmeId, only(PLATFORM), true);
        ledger.publishProgramme(programmeId);
        vm.stopPrank();
    }

    function terminate(uint16 programmeId) internal {
        vm.prank(operator);
        ledger.terminateProgramme(programmeId, REASON);
    }

    /* VOUCHERS */

    /// @dev An order without approvals: tier 0, a million yuan, in the first period where the programme reserves.
    function makeOrder(uint16 programmeId, uint32 serial, bytes32 entity) internal view returns (IssueOrder memory o) {
        o.voucherId = (uint48(programmeId) << 32) | serial;
        o.entity = entity;
        o.period = ledger.programme(programmeId).funding == Funding.FirstCome ? Rules.NO_PERIOD : 0;
        o.faceFen = uint40(yuan(1_000_000));
        o.validUntil = uint32(START + 3 * YEAR);
        o.documents = keccak256("documents");
    }

    /// @dev The same order with the approvals that its programme asks for.
    function signed(IssueOrder memory o) internal view returns (IssueOrder memory) {
        if (ledger.programme(uint16(o.voucherId >> 32)).stages == 1) {
            o.approvals = new ReviewApproval[](1);
            o.approvals[0] = signIssue(o, 0, 0);
        } else {
            o.approvals = sorted(signIssue(o, 0, 0), signIssue(o, 2, 1), signIssue(o, 3, 1));
        }
        return o;
    }

    function signIssue(IssueOrder memory o, uint256 reviewer, uint8 stage)
        internal
        view
        returns (ReviewApproval memory)
    {
        return signIssue(o, reviewer, stage, NOW + 10 * YEAR);
    }

    function signIssue(IssueOrder memory o, uint256 reviewer, uint8 stage, uint40 deadline)
        internal
        view
        returns (ReviewApproval memory)
    {
        return ReviewApproval(
            stage,
            deadline,
            reviewers[reviewer].addr,
            sign(reviewers[reviewer].privateKey, issueDigest(o, stage, deadline))
        );
    }

    /// @dev Written out anew rather than asked of the contract, so that a change of the wire format shows.
    function issueDigest(IssueOrder memory o, uint8 stage, uint40 deadline) internal view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "IssueApproval(uint256 voucherId,bytes32 entity,uint16 tier,uint8 period,uint40 faceFen,uint32 validUntil,bytes32 documents,uint8 stage,uint40 deadline)"
        );
        bytes memory head =
            abi.encode(typeHash, o.voucherId, o.entity, o.tier, o.period, o.faceFen, o.validUntil, o.documents);
        return typedData(
            "Suanquan VoucherLedger", address(ledger), keccak256(bytes.concat(head, abi.encode(stage, deadline)))
        );
    }

    function agreementDigest(uint16 programmeId, uint16 tierIndex, Tier memory tier, uint8 stage, uint40 deadline)
        internal
        view
        returns (bytes32)
    {
        bytes32 typeHash = keccak256(
            "AgreementApproval(uint16 programmeId,uint16 tier,bytes32 termsHash,uint8 stage,uint40 deadline)"
        );
        return typedData(
            "Suanquan VoucherLedger",
            address(ledger),
            keccak256(abi.encode(typeHash, programmeId, tierIndex, keccak256(abi.encode(tier)), stage, deadline))
        );
    }

    function signAgreement(uint16 programmeId, uint16 tierIndex, Tier memory tier)
        internal
        view
        returns (ReviewApproval[] memory)
    {
        return sorted(
            _signAgreement(programmeId, tierIndex, tier, 0, 0),
            _signAgreement(programmeId, tierIndex, tier, 2, 1),
            _signAgreement(programmeId, tierIndex, tier, 3, 1)
        );
    }

    function _signAgreement(uint16 programmeId, uint16 tierIndex, Tier memory tier, uint256 reviewer, uint8 stage)
        private
        view
        returns (ReviewApproval memory)
    {
        uint40 deadline = NOW + 10 * YEAR;
        bytes32 digest = agreementDigest(programmeId, tierIndex, tier, stage, deadline);
        return ReviewApproval(stage, deadline, reviewers[reviewer].addr, sign(reviewers[reviewer].privateKey, digest));
    }

    /// @dev Approvals in ascending order of signer, as the contract demands.
    function sorted(ReviewApproval memory a, ReviewApproval memory b, ReviewApproval memory c)
        internal
        pure
        returns (ReviewApproval[] memory list)
    {
        list = new ReviewApproval[](3);
        (list[0], list[1], list[2]) = (a, b, c);
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = i + 1; j < 3; ++j) {
                if (list[j].signer < list[i].signer) (list[i], list[j]) = (list[j], list[i]);
            }
        }
    }

    /// @dev Signs and sends an order.
    function issue(IssueOrder memory o) internal returns (uint48 voucherId) {
        ledger.issue(signed(o));
        return o.voucherId;
    }

    function issue(uint16 programmeId, uint32 serial, bytes32 entity) internal returns (uint48 voucherId) {
        return issue(makeOrder(programmeId, serial, entity));
    }
}
