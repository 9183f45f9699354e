// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEntityRegistry} from "../interfaces/IEntityRegistry.sol";
import {IVoucherLedger} from "../interfaces/IVoucherLedger.sol";
import {
    Basis,
    Period,
    Programme,
    ProgrammeBook,
    ProgrammeStatus,
    ProgrammeTerms,
    Stage,
    Tier
} from "../types/Programme.sol";
import {ReviewApproval} from "../types/Voucher.sol";
import {Approvals} from "./Approvals.sol";
import {Errors} from "./Errors.sol";
import {Roles} from "./Roles.sol";
import {Rules} from "./Rules.sol";
import {Tiers} from "./Tiers.sol";

/// @notice Keeps the book of programmes for VoucherLedger, which checks the caller's role first. A linked library, as
/// terms are bulky to decode and the ledger would pass the size limit of EIP-170; it holds no state and no money, and
/// its address is fixed in the ledger's bytecode.
library Programmes {
    /// @notice Records a programme as a draft. See {IVoucherLedger-createProgramme}.
    /// @param encodedTerms ProgrammeTerms, as ABI-encoded arguments of one function.
    function create(ProgrammeBook storage book, IEntityRegistry registry, bytes calldata encodedTerms)
        external
        returns (uint16 programmeId)
    {
        ProgrammeTerms memory terms = abi.decode(encodedTerms, (ProgrammeTerms));
        _requireTerm(terms.policyHash != 0, "policyHash");
        _requireTerm(terms.group != 0, "group");
        _requireTerm(terms.claimsUntil != 0, "claimsUntil");
        _requireTerm(terms.contractsFrom <= terms.contractsTo, "contractDates");
        _requireTerm(terms.supportCeilingBps != 0 && terms.supportCeilingBps <= Rules.FULL_BPS, "supportCeilingBps");
        _requireTerm(terms.basis == Basis.Settled || terms.oneClaimPerContract, "contractBasis");

        programmeId = ++book.count;
        Programme storage p = book.programmes[programmeId];
        p.status = ProgrammeStatus.Draft;
        p.funding = terms.funding;
        p.basis = terms.basis;
        p.inTradeOrder = terms.inTradeOrder;
        p.tradeBeforeIssue = terms.tradeBeforeIssue;
        p.oneClaimPerContract = terms.oneClaimPerContract;
        p.suppliersListed = terms.suppliersListed;
        p.platformsListed = terms.platformsListed;
        p.group = terms.group;
        p.challengeSeconds = terms.challengeSeconds;
        p.supportCeilingBps = terms.supportCeilingBps;
        p.claimsUntil = terms.claimsUntil;
        p.minTradeFen = terms.minTradeFen;
        p.requiredAttributes = terms.requiredAttributes;
        p.contractsFrom = terms.contractsFrom;
        p.contractsTo = terms.contractsTo;
        book.policyURIs[programmeId] = terms.policyURI;
        _storeBudgets(book, p, programmeId, terms);
        _storeTiers(book, p, programmeId, terms.tiers);
        _storeStages(book, p, registry, programmeId, terms.stages);
        p.regionsListed = terms.regions.length != 0;
        for (uint256 i = 0; i < terms.regions.length; ++i) {
            book.regions[programmeId][terms.regions[i]] = true;
        }
        emit IVoucherLedger.ProgrammeCreated(programmeId, terms.policyHash, terms.group, terms);
    }

    /// @notice See {IVoucherLedger-publishProgramme}.
    function publish(ProgrammeBook storage book, uint16 programmeId) external {
        Programme storage p = book.programmes[programmeId];
        if (p.status != ProgrammeStatus.Draft) revert Errors.VoucherLedger_ProgrammeStatus(programmeId, p.status);
        p.status = ProgrammeStatus.Published;
        emit IVoucherLedger.ProgrammePublished(programmeId);
    }

    /// @notice See {IVoucherLedger-terminateProgramme}.
    function terminate(ProgrammeBook storage book, uint16 programmeId, bytes32 reason) external {
        _running(book, programmeId).status = ProgrammeStatus.Terminated;
        emit IVoucherLedger.ProgrammeTerminated(programmeId, reason);
    }

    /// @notice See {IVoucherLedger-addAgreement}.
    function addAgreement(
        ProgrammeBook storage book,
        IEntityRegistry registry,
        bytes32 domainSeparator,
        uint16 programmeId,
        uint16 tierIndex,
        Tier calldata tier,
        ReviewApproval[] calldata approvals
    ) external {
        Programme storage p = book.programmes[programmeId];
        if (p.status != ProgrammeStatus.Published) revert Errors.VoucherLedger_ProgrammeStatus(programmeId, p.status);
        if (tierIndex != p.tiers) revert Errors.VoucherLedger_TierIndex(programmeId, tierIndex, p.tiers);
        _requireTerm(tier.entity != 0, "agreementEntity");
        bytes memory subject = Approvals.agreementSubject(programmeId, tierIndex, tier);
        Approvals.requireAll(book, registry, domainSeparator, programmeId, subject, approvals);

        p.tiers = tierIndex + 1;
        _storeTier(book, programmeId, tierIndex, tier);
        emit IVoucherLedger.AgreementAdded(programmeId, tierIndex, tier.entity, tier);
    }

    /// @notice See {IVoucherLedger-setApprover}.
    function setApprover(
        ProgrammeBook storage book,
        IEntityRegistry registry,
        uint16 programmeId,
        uint8 stage,
        address account,
        bool approver
    ) external {
        if (stage >= _running(book, programmeId).stages) {
            revert Errors.VoucherLedger_UnknownStage(programmeId, stage);
        }
        if (approver) registry.checkRole(Roles.REVIEWER, account);
        book.approvers[programmeId][stage][account] = approver;
        emit IVoucherLedger.ApproverSet(programmeId, stage, account, approver);
    }

    /// @notice See {IVoucherLedger-setSuppliers}.
    function setSuppliers(ProgrammeBook storage book, uint16 programmeId, bytes32[] calldata suppliers, bool listed)
        external
    {
        _running(book, programmeId);
        for (uint256 i = 0; i < suppliers.length; ++i) {
            book.suppliers[programmeId][suppliers[i]] = listed;
            emit IVoucherLedger.SupplierListed(programmeId, suppliers[i], listed);
        }
    }

    /// @notice See {IVoucherLedger-setPlatforms}.
    function setPlatforms(ProgrammeBook storage book, uint16 programmeId, bytes32[] calldata platforms, bool listed)
        external
    {
        _running(book, programmeId);
        for (uint256 i = 0; i < platforms.length; ++i) {
            book.platforms[programmeId][platforms[i]] = listed;
            emit IVoucherLedger.PlatformListed(programmeId, platforms[i], listed);
        }
    }

    function _storeBudgets(
        ProgrammeBook storage book,
        Programme storage p,
        uint16 programmeId,
        ProgrammeTerms memory terms
    ) private {
        uint256 budgets = terms.budgetsFen.length;
        uint256 count = terms.periods.length;
        _requireTerm(budgets != 0 && budgets <= Rules.MAX_PERIODS, "budgets");
        _requireTerm(count != 0 && count <= Rules.MAX_PERIODS, "periods");
        for (uint256 i = 0; i < budgets; ++i) {
            _requireTerm(terms.budgetsFen[i] != 0, "budgetFen");
            book.budgets[programmeId][uint8(i)].amountFen = terms.budgetsFen[i];
        }
        uint40 previousEnd = 0;
        for (uint256 i = 0; i < count; ++i) {
            Period memory q = terms.periods[i];
            _requireTerm(q.startsAt >= previousEnd && q.startsAt < q.endsAt, "periodOrder");
            _requireTerm(q.budget < budgets, "periodBudget");
            previousEnd = q.endsAt;
            book.periods[programmeId][uint8(i)] = q;
        }
        p.budgets = uint8(budgets);
        p.periods = uint8(count);
    }

    function _storeTiers(ProgrammeBook storage book, Programme storage p, uint16 programmeId, Tier[] memory tiers)
        private
    {
        _requireTerm(tiers.length != 0 && tiers.length <= type(uint8).max, "tiers");
        for (uint256 i = 0; i < tiers.length; ++i) {
            _storeTier(book, programmeId, uint16(i), tiers[i]);
        }
        p.tiers = uint16(tiers.length);
    }

    function _storeStages(
        ProgrammeBook storage book,
        Programme storage p,
        IEntityRegistry registry,
        uint16 programmeId,
        Stage[] memory stages
    ) private {
        _requireTerm(stages.length != 0 && stages.length < type(uint8).max, "stages");
        for (uint256 i = 0; i < stages.length; ++i) {
            Stage memory s = stages[i];
            _requireTerm(s.required != 0 && s.required <= s.approvers.length, "stageRequired");
            book.approvalsRequired[programmeId][uint8(i)] = s.required;
            for (uint256 j = 0; j < s.approvers.length; ++j) {
                registry.checkRole(Roles.REVIEWER, s.approvers[j]);
                book.approvers[programmeId][uint8(i)][s.approvers[j]] = true;
            }
        }
        p.stages = uint8(stages.length);
    }

    function _storeTier(ProgrammeBook storage book, uint16 programmeId, uint16 index, Tier memory tier) private {
        for (uint256 i = 0; i < tier.rateBps.length; ++i) {
            _requireTerm(tier.rateBps[i] <= Rules.FULL_BPS, "rateBps");
        }
        Tiers.store(book.tiers[programmeId][index], tier);
    }

    /// @dev A programme that is a draft or published.
    function _running(ProgrammeBook storage book, uint16 programmeId) private view returns (Programme storage p) {
        p = book.programmes[programmeId];
        if (p.status != ProgrammeStatus.Draft && p.status != ProgrammeStatus.Published) {
            revert Errors.VoucherLedger_ProgrammeStatus(programmeId, p.status);
        }
    }

    function _requireTerm(bool holds, bytes32 rule) private pure {
        if (!holds) revert Errors.VoucherLedger_BadTerms(rule);
    }
}
