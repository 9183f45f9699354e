// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {IEntityRegistry} from "./interfaces/IEntityRegistry.sol";
import {Errors} from "./libraries/Errors.sol";
import {Roles} from "./libraries/Roles.sol";
import {
    Entity,
    EntityKind,
    EntityRoles,
    EvidenceKey,
    KeyPurpose,
    Party,
    Registration,
    Standing
} from "./types/Entity.sol";

/// @title EntityRegistry
/// @notice See {IEntityRegistry}.
contract EntityRegistry is IEntityRegistry, AccessControlDefaultAdminRules {
    using Checkpoints for Checkpoints.Trace160;

    /// @notice A key change that waits for its second approval.
    struct KeyProposal {
        address key;
        bool custodial;
        address proposer;
    }

    /* STORAGE */

    mapping(bytes32 id => Entity) private _entities;
    mapping(uint24 number => bytes32 id) private _idOf;
    mapping(address account => bytes32 id) private _entityOf;
    mapping(bytes32 id => EvidenceKey) private _evidenceKeys;
    /// @dev Evidence keys that were replaced, by the moment from which each held.
    mapping(bytes32 id => Checkpoints.Trace160) private _formerKeys;
    mapping(bytes32 id => mapping(KeyPurpose purpose => KeyProposal)) private _proposals;
    /// @dev Says the same as the records' `frozen`, keyed by number: one word serves 256 holders of a write-off batch.
    mapping(uint256 index => uint256 bits) private _frozenWords;
    uint24 private _count;

    /// @param adminDelay Seconds that a handover of the admin role waits between its two steps.
    constructor(address admin, uint48 adminDelay) AccessControlDefaultAdminRules(adminDelay, admin) {}

    /* ORGANISATIONS */

    /// @inheritdoc IEntityRegistry
    function register(Registration[] calldata registrations) external onlyRole(Roles.REGISTRAR) {
        for (uint256 i = 0; i < registrations.length; ++i) {
            _register(registrations[i]);
        }
    }

    /// @inheritdoc IEntityRegistry
    function update(bytes32 id, EntityKind kind, uint8 roles, uint24 region, bytes16 controller)
        external
        onlyRole(Roles.REGISTRAR)
    {
        Entity storage record = _known(id);
        bool platform = roles & EntityRoles.PLATFORM != 0;
        if (platform && _evidenceKeys[id].key == address(0)) {
            revert Errors.EntityRegistry_EvidenceKeyMismatch(id, roles);
        }

        record.kind = kind;
        record.roles = roles;
        record.region = region;
        record.controller = controller;
        emit EntityUpdated(id, kind, roles, region, controller);
    }

    /// @inheritdoc IEntityRegistry
    function setStanding(bytes32 id, Standing standing, uint40 until) external onlyRole(Roles.REGISTRAR) {
        Entity storage record = _known(id);
        record.standing = standing;
        record.standingUntil = until;
        emit StandingSet(id, standing, until);
    }

    /// @inheritdoc IEntityRegistry
    function freeze(bytes32 id, bytes32 reason) external onlyRole(Roles.REGULATOR) {
        Entity storage record = _known(id);
        if (record.frozen) revert Errors.EntityRegistry_Frozen(id);
        _setFrozen(record, true);
        emit EntityFrozen(id, reason);
    }

    /// @inheritdoc IEntityRegistry
    function unfreeze(bytes32 id) external onlyRole(Roles.REGULATOR) {
        Entity storage record = _known(id);
        if (!record.frozen) revert Errors.EntityRegistry_NotFrozen(id);
        _setFrozen(record, false);
        emit EntityUnfrozen(id);
    }

    /* KEYS */

    /// @inheritdoc IEntityRegistry
    function proposeKey(bytes32 id, KeyPurpose purpose, address key, bool custodial)
        external
        onlyRole(Roles.REGISTRAR)
    {
        _known(id);
        if (key == address(0)) revert Errors.EntityRegistry_ZeroValue();
        if (purpose == KeyPurpose.Account) _requireFreeAccount(key);
        _proposals[id][purpose] = KeyProposal(key, custodial, msg.sender);
        emit KeyProposed(id, purpose, key, custodial, msg.sender);
    }

    /// @inheritdoc IEntityRegistry
    function confirmKey(bytes32 id, KeyPurpose purpose, address key) external onlyRole(Roles.REGULATOR) {
        Entity storage record = _known(id);
        KeyProposal memory proposal = _proposals[id][purpose];
        if (key == address(0) || proposal.key != key) revert Errors.EntityRegistry_NotProposed(id, purpose, key);
        if (proposal.proposer == msg.sender) revert Errors.EntityRegistry_SameApprover(msg.sender);
        // Both approvals must be good now: a proposal of a registrar who was removed since, perhaps a thief, is none.
        _checkRole(Roles.REGISTRAR, proposal.proposer);

        delete _proposals[id][purpose];
        if (purpose == KeyPurpose.Account) {
            // Anew: the account may have been taken since it was proposed.
            _requireFreeAccount(key);
            delete _entityOf[record.account];
            _entityOf[key] = id;
            record.account = key;
        } else {
            _replaceEvidenceKey(id, key);
        }
        emit KeyChanged(id, purpose, key, proposal.custodial);
    }

    /* VIEWS */

    /// @inheritdoc IEntityRegistry
    function entity(bytes32 id) external view returns (Entity memory) {
        return _known(id);
    }

    /// @inheritdoc IEntityRegistry
    function requireActive(bytes32 id, uint8 role) external view returns (uint24 number, address account) {
        return (_requireActive(id, role).number, _entities[id].account);
    }

    /// @inheritdoc IEntityRegistry
    function requireAllActive(bytes32 buyer, bytes32 supplier, bytes32 platform)
        external
        view
        returns (Party memory buyerParty, Party memory supplierParty)
    {
        buyerParty = _requireActive(buyer, EntityRoles.BUYER);
        supplierParty = _requireActive(supplier, EntityRoles.SUPPLIER);
        _requireActive(platform, EntityRoles.PLATFORM);
    }

    /// @inheritdoc IEntityRegistry
    function numberOf(bytes32 id) external view returns (uint24) {
        return _entities[id].number;
    }

    /// @inheritdoc IEntityRegistry
    function idOf(uint24 number) external view returns (bytes32) {
        return _idOf[number];
    }

    /// @inheritdoc IEntityRegistry
    function entityOf(address account) external view returns (bytes32) {
        return _entityOf[account];
    }

    /// @inheritdoc IEntityRegistry
    function accountOf(uint24 number) external view returns (address) {
        return _entities[_idOf[number]].account;
    }

    /// @inheritdoc IEntityRegistry
    function frozenWord(uint16 index) external view returns (uint256) {
        return _frozenWords[index];
    }

    /// @inheritdoc IEntityRegistry
    function evidenceKeyAt(bytes32 id, uint256 moment) external view returns (address) {
        EvidenceKey memory current = _evidenceKeys[id];
        if (moment >= current.since) return current.key;
        return address(_formerKeys[id].upperLookupRecent(uint96(moment)));
    }

    /// @inheritdoc IEntityRegistry
    function checkRole(bytes32 role, address account) external view {
        if (!hasRole(role, account)) revert Errors.RoleMissing(role, account);
    }

    /* INTERNAL */

    function _register(Registration calldata r) private {
        if (r.id == 0 || r.account == address(0)) revert Errors.EntityRegistry_ZeroValue();
        if (_entities[r.id].number != 0) revert Errors.EntityRegistry_AlreadyRegistered(r.id);
        _requireFreeAccount(r.account);
        bool platform = r.roles & EntityRoles.PLATFORM != 0;
        if (platform != (r.evidenceKey != address(0))) revert Errors.EntityRegistry_EvidenceKeyMismatch(r.id, r.roles);

        uint24 number = ++_count;
        _entities[r.id] = Entity({
            number: number,
            kind: r.kind,
            roles: r.roles,
            region: r.region,
            standing: r.standing,
            standingUntil: r.standingUntil,
            frozen: false,
            controller: r.controller,
            account: r.account
        });
        _idOf[number] = r.id;
        _entityOf[r.account] = r.id;
        emit EntityRegistered(r.id, number, r.account, r);

        if (platform) {
            _evidenceKeys[r.id] = EvidenceKey(r.evidenceKey, uint40(block.timestamp));
            emit KeyChanged(r.id, KeyPurpose.Evidence, r.evidenceKey, r.custodial);
        }
    }

    function _requireActive(bytes32 id, uint8 role) private view returns (Party memory) {
        Entity storage record = _known(id);
        if (record.frozen) revert Errors.EntityRegistry_Frozen(id);
        if (record.roles & role == 0) revert Errors.EntityRegistry_RoleMissing(id, record.roles, role);
        if (block.timestamp > record.standingUntil) {
            revert Errors.EntityRegistry_StandingLapsed(id, record.standingUntil);
        }
        if (record.standing != Standing.Good) {
            revert Errors.EntityRegistry_Excluded(id, record.standing, record.standingUntil);
        }
        return Party(record.number, record.controller);
    }

    function _setFrozen(Entity storage record, bool frozen) private {
        record.frozen = frozen;
        uint256 number = record.number;
        _frozenWords[number >> 8] ^= 1 << (number & 255);
    }

    /// @dev A key that is replaced in the second in which it was set never held.
    function _replaceEvidenceKey(bytes32 id, address key) private {
        EvidenceKey memory former = _evidenceKeys[id];
        if (former.since < block.timestamp) _formerKeys[id].push(former.since, uint160(former.key));
        _evidenceKeys[id] = EvidenceKey(key, uint40(block.timestamp));
    }

    function _known(bytes32 id) private view returns (Entity storage record) {
        record = _entities[id];
        if (record.number == 0) revert Errors.EntityRegistry_Unknown(id);
    }

    function _requireFreeAccount(address account) private view {
        bytes32 holder = _entityOf[account];
        if (holder != 0) revert Errors.EntityRegistry_AccountTaken(account, holder);
    }

    /// @dev Separation of duties: no key both approves and settles.
    function _grantRole(bytes32 role, address account) internal override returns (bool) {
        if (role == Roles.REVIEWER && hasRole(Roles.FINANCE, account)) {
            revert Errors.RoleConflict(account, Roles.FINANCE, role);
        }
        if (role == Roles.FINANCE && hasRole(Roles.REVIEWER, account)) {
            revert Errors.RoleConflict(account, Roles.REVIEWER, role);
        }
        return super._grantRole(role, account);
    }

    /// @dev The error of the three contracts, rather than OpenZeppelin's.
    function _checkRole(bytes32 role, address account) internal view override {
        if (!hasRole(role, account)) revert Errors.RoleMissing(role, account);
    }
}
