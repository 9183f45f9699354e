// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Roles of officers, granted in the EntityRegistry by its admin.
library Roles {
    /// @notice Programme owner: programmes, lists, approvers, cancellation.
    bytes32 internal constant OPERATOR = keccak256("OPERATOR_ROLE");
    /// @notice May be named an approver and sign approvals.
    bytes32 internal constant REVIEWER = keccak256("REVIEWER_ROLE");
    /// @notice Write-off, rejection, recovery.
    bytes32 internal constant FINANCE = keccak256("FINANCE_ROLE");
    /// @notice Freezes; second approval of key changes.
    bytes32 internal constant REGULATOR = keccak256("REGULATOR_ROLE");
    /// @notice Organisations and their standing; first approval of key changes.
    bytes32 internal constant REGISTRAR = keccak256("REGISTRAR_ROLE");
    /// @notice The gateway: anchors evidence and presents claims.
    bytes32 internal constant RELAYER = keccak256("RELAYER_ROLE");
}
