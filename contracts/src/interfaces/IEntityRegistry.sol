// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Entity, EntityKind, KeyPurpose, Party, Registration, Standing} from "../types/Entity.sol";

/// @title Organisations, their keys and standing, and the roles of officers
/// @notice Entities are known by `id`, a keyed digest of the USCC, so that the public list cannot be tried against it.
/// Officers' roles for all three contracts live here, so one list answers who may do what. Assumption: the admin is a
/// multi-signature account in production; see contracts/SECURITY.md.
interface IEntityRegistry {
    event EntityRegistered(
        bytes32 indexed id, uint24 indexed number, address indexed account, Registration registration
    );
    event EntityUpdated(bytes32 indexed id, EntityKind kind, uint8 roles, uint24 region, bytes16 controller);
    event StandingSet(bytes32 indexed id, Standing standing, uint40 until);
    event EntityFrozen(bytes32 indexed id, bytes32 reason);
    event EntityUnfrozen(bytes32 indexed id);
    event KeyProposed(
        bytes32 indexed id, KeyPurpose purpose, address indexed key, bool custodial, address indexed proposer
    );
    event KeyChanged(bytes32 indexed id, KeyPurpose purpose, address indexed key, bool custodial);

    /// @notice Registers organisations. All or nothing: a list with a mistake is sent back whole.
    /// @dev Emits {EntityRegistered}, and {KeyChanged} where an evidence key is given.
    /// Requirements: caller is REGISTRAR_ROLE; id and account non-zero and new; an evidence key with PLATFORM and only there.
    function register(Registration[] calldata registrations) external;

    /// @notice Changes what is recorded of an organisation, keys and standing aside.
    /// @dev Emits {EntityUpdated}. Requirements: caller is REGISTRAR_ROLE; PLATFORM needs an evidence key on record.
    function update(bytes32 id, EntityKind kind, uint8 roles, uint24 region, bytes16 controller) external;

    /// @notice Records the standing of an organisation until a date, after which it counts as unknown.
    /// @dev Emits {StandingSet}. Requirements: caller is REGISTRAR_ROLE.
    /// @param until Last Unix second at which the standing holds.
    function setStanding(bytes32 id, Standing standing, uint40 until) external;

    /// @notice Freezes an organisation everywhere: nothing is issued to it, redeemed by it or written off for it.
    /// @dev Emits {EntityFrozen}. Requirements: caller is REGULATOR_ROLE; not frozen.
    function freeze(bytes32 id, bytes32 reason) external;

    /// @notice Ends a freeze.
    /// @dev Emits {EntityUnfrozen}. Requirements: caller is REGULATOR_ROLE; frozen.
    function unfreeze(bytes32 id) external;

    /// @notice First of the two approvals that change a key of an organisation. A later proposal replaces an open one.
    /// @dev Emits {KeyProposed}. Requirements: caller is REGISTRAR_ROLE; the key is not zero; an account is not taken.
    /// @param custodial For an evidence key: whether the gateway keeps it.
    function proposeKey(bytes32 id, KeyPurpose purpose, address key, bool custodial) external;

    /// @notice Second approval: puts the proposed key in force.
    /// @dev Emits {KeyChanged}. Requirements: caller is REGULATOR_ROLE and not the proposer, who is
    /// still REGISTRAR_ROLE; `key` is the one proposed.
    function confirmKey(bytes32 id, KeyPurpose purpose, address key) external;

    /// @notice The record of an organisation. Reverts if unknown.
    function entity(bytes32 id) external view returns (Entity memory);

    /// @notice An organisation that may take part now in the given role: known, not frozen, in good
    /// standing, holding the role. Reverts with the reason otherwise.
    function requireActive(bytes32 id, uint8 role) external view returns (uint24 number, address account);

    /// @notice The parties of a trade, each required to be active in its role, in the order buyer, supplier, platform.
    function requireAllActive(bytes32 buyer, bytes32 supplier, bytes32 platform)
        external
        view
        returns (Party memory buyerParty, Party memory supplierParty);

    /// @notice The short number of an organisation; zero if unknown.
    function numberOf(bytes32 id) external view returns (uint24);

    /// @notice The id behind a short number; zero if unknown.
    function idOf(uint24 number) external view returns (bytes32);

    /// @notice The organisation whose account this is; zero if none.
    function entityOf(address account) external view returns (bytes32);

    /// @notice The account of the organisation with this short number; zero if unknown.
    function accountOf(uint24 number) external view returns (address);

    /// @notice Which of 256 organisations are frozen: bit i stands for the one with number index × 256 + i. A list of
    /// holders is looked up with a word for many of them.
    function frozenWord(uint16 index) external view returns (uint256);

    /// @notice The key with which a platform's submissions were signed at a moment; zero if it had none.
    /// @param moment Unix seconds.
    function evidenceKeyAt(bytes32 id, uint256 moment) external view returns (address);

    /// @notice Reverts unless the account holds the role.
    function checkRole(bytes32 role, address account) external view;
}
