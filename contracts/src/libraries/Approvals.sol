// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {Tier} from "../types/Programme.sol";
import {IssueOrder} from "../types/Voucher.sol";

/// @notice What reviewers sign, as EIP-712 typed data.
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
}
