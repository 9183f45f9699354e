// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {IEntityRegistry} from "../interfaces/IEntityRegistry.sol";
import {ProgrammeBook, Tier} from "../types/Programme.sol";
import {IssueOrder, ReviewApproval} from "../types/Voucher.sol";
import {Errors} from "./Errors.sol";
import {Roles} from "./Roles.sol";
import {Signatures} from "./Signatures.sol";

/// @notice What reviewers sign, as EIP-712 typed data, and whether enough of them did.
library Approvals {
    bytes32 private constant ISSUE_TYPEHASH = keccak256(
        "IssueApproval(uint256 voucherId,bytes32 entity,uint16 tier,uint8 period,uint40 faceFen,uint32 validUntil,bytes32 documents,uint8 stage,uint40 deadline)"
    );
    bytes32 private constant AGREEMENT_TYPEHASH =
        keccak256("AgreementApproval(uint16 programmeId,uint16 tier,bytes32 termsHash,uint8 stage,uint40 deadline)");

    /// @notice Type hash and leading members of an issue approval; stage and deadline follow.
    function issueSubject(IssueOrder calldata o) internal pure returns (bytes memory) {
        return abi.encode(ISSUE_TYPEHASH, o.voucherId, o.entity, o.tier, o.period, o.faceFen, o.validUntil, o.documents);
    }

    /// @notice Type hash and leading members of an agreement approval; `termsHash` is keccak256(abi.encode(tier)).
    function agreementSubject(uint16 programmeId, uint16 tierIndex, Tier calldata tier)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encode(AGREEMENT_TYPEHASH, programmeId, tierIndex, keccak256(abi.encode(tier)));
    }

    /// @notice EIP-712 digest of an approval.
    function digest(bytes32 domainSeparator, bytes memory subject, uint8 stage, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        bytes32 structHash = keccak256(bytes.concat(subject, abi.encode(stage, deadline)));
        return MessageHashUtils.toTypedDataHash(domainSeparator, structHash);
    }

    /// @notice Reverts unless each stage has as many approvals of distinct approvers as it requires. Issues and
    /// agreements both come through here.
    /// @param subject Type hash and leading members of what was approved.
    function requireAll(
        ProgrammeBook storage book,
        IEntityRegistry registry,
        bytes32 domainSeparator,
        uint16 programmeId,
        bytes memory subject,
        ReviewApproval[] calldata approvals
    ) internal view {
        uint8 stages = book.programmes[programmeId].stages;
        uint8[] memory given = new uint8[](stages);
        address previous = address(0);
        for (uint256 i = 0; i < approvals.length; ++i) {
            ReviewApproval calldata a = approvals[i];
            if (a.signer <= previous) revert Errors.VoucherLedger_ApprovalOrder(previous, a.signer);
            if (block.timestamp > a.deadline) {
                revert Errors.VoucherLedger_ApprovalExpired(a.signer, a.deadline, block.timestamp);
            }
            if (a.stage >= stages || !book.approvers[programmeId][a.stage][a.signer]) {
                revert Errors.VoucherLedger_NotApprover(programmeId, a.stage, a.signer);
            }
            registry.checkRole(Roles.REVIEWER, a.signer);
            if (!Signatures.isValid(a.signer, digest(domainSeparator, subject, a.stage, a.deadline), a.signature)) {
                revert Errors.VoucherLedger_BadApproval(a.signer);
            }
            previous = a.signer;
            ++given[a.stage];
        }
        for (uint8 stage = 0; stage < stages; ++stage) {
            uint8 required = book.approvalsRequired[programmeId][stage];
            if (given[stage] < required) {
                revert Errors.VoucherLedger_ApprovalsMissing(programmeId, stage, required, given[stage]);
            }
        }
    }
}
