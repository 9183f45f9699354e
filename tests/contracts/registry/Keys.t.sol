// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Base} from "../support/Base.sol";
import {IEntityRegistry} from "suanquan/interfaces/IEntityRegistry.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Roles} from "suanquan/libraries/Roles.sol";
import {EntityKind, EntityRoles, KeyPurpose} from "suanquan/types/Entity.sol";

/// @notice A key changes by two approvals, of the registrar and the regulator.
contract KeysTest is Base {
    address private immutable KEY = makeAddr("new key");

    function test_Account_ChangesByTwoApprovals() public {
        vm.expectEmit(address(registry));
        emit IEntityRegistry.KeyProposed(BUYER, KeyPurpose.Account, KEY, false, registrar);
        propose(BUYER, KeyPurpose.Account, KEY);
        assertEq(registry.entity(BUYER).account, accountOf(BUYER), "one approval changes nothing");

        vm.expectEmit(address(registry));
        emit IEntityRegistry.KeyChanged(BUYER, KeyPurpose.Account, KEY, false);
        confirm(BUYER, KeyPurpose.Account, KEY);
        assertEq(registry.entity(BUYER).account, KEY);
        assertEq(registry.entityOf(KEY), BUYER);
        assertEq(registry.entityOf(accountOf(BUYER)), 0, "the old account is free");
    }

    function test_EvidenceKey_KeepsItsHistory() public {
        address first = vm.addr(evidenceKeys[PLATFORM]);
        vm.warp(NOW + 100);
        propose(PLATFORM, KeyPurpose.Evidence, KEY);
        confirm(PLATFORM, KeyPurpose.Evidence, KEY);
        assertEq(registry.evidenceKeyAt(PLATFORM, NOW - 1), address(0));
        assertEq(registry.evidenceKeyAt(PLATFORM, NOW), first);
        assertEq(registry.evidenceKeyAt(PLATFORM, NOW + 99), first);
        assertEq(registry.evidenceKeyAt(PLATFORM, NOW + 100), KEY);
    }

    function test_EvidenceKey_SaysWhetherItIsInCustody() public {
        vm.prank(registrar);
        registry.proposeKey(PLATFORM, KeyPurpose.Evidence, KEY, true);
        vm.expectEmit(address(registry));
        emit IEntityRegistry.KeyChanged(PLATFORM, KeyPurpose.Evidence, KEY, true);
        confirm(PLATFORM, KeyPurpose.Evidence, KEY);
    }

    /// @dev How an organisation becomes a platform later on.
    function test_EvidenceKey_ThenPlatformRole() public {
        propose(SUPPLIER, KeyPurpose.Evidence, KEY);
        confirm(SUPPLIER, KeyPurpose.Evidence, KEY);
        uint8 both = EntityRoles.SUPPLIER | EntityRoles.PLATFORM;
        vm.prank(registrar);
        registry.update(SUPPLIER, EntityKind.Supplier, both, 410_100, 0);
        registry.requireActive(SUPPLIER, EntityRoles.PLATFORM);
    }

    function test_LaterProposalReplacesTheOpenOne() public {
        propose(BUYER, KeyPurpose.Account, stranger);
        propose(BUYER, KeyPurpose.Account, KEY);
        expectNotProposed(BUYER, KeyPurpose.Account, stranger);
        confirm(BUYER, KeyPurpose.Account, KEY);
    }

    function test_ProposalsOfTwoPurposesStandApart() public {
        propose(PLATFORM, KeyPurpose.Account, KEY);
        expectNotProposed(PLATFORM, KeyPurpose.Evidence, KEY);
    }

    function test_RevertWhen_NothingProposed() public {
        expectNotProposed(BUYER, KeyPurpose.Account, KEY);
        expectNotProposed(BUYER, KeyPurpose.Account, address(0));
    }

    function test_RevertWhen_ConfirmedTwice() public {
        propose(BUYER, KeyPurpose.Account, KEY);
        confirm(BUYER, KeyPurpose.Account, KEY);
        expectNotProposed(BUYER, KeyPurpose.Account, KEY);
    }

    function test_RevertWhen_ProposerConfirms() public {
        vm.prank(admin);
        access.grantRole(Roles.REGULATOR, registrar);
        propose(BUYER, KeyPurpose.Account, KEY);
        vm.prank(registrar);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_SameApprover.selector, registrar));
        registry.confirmKey(BUYER, KeyPurpose.Account, KEY);
    }

    /// @dev Both approvals must be good when the key comes into force.
    function test_RevertWhen_ProposerLostTheRole() public {
        propose(BUYER, KeyPurpose.Account, KEY);
        vm.prank(admin);
        access.revokeRole(Roles.REGISTRAR, registrar);
        vm.prank(regulator);
        expectMissing(Roles.REGISTRAR, registrar);
        registry.confirmKey(BUYER, KeyPurpose.Account, KEY);
    }

    function test_RevertWhen_ProposedKeyIsZero() public {
        vm.prank(registrar);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_ZeroValue.selector));
        registry.proposeKey(BUYER, KeyPurpose.Account, address(0), false);
    }

    function test_RevertWhen_ProposedAccountIsTaken() public {
        address taken = accountOf(SUPPLIER);
        vm.prank(registrar);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_AccountTaken.selector, taken, SUPPLIER));
        registry.proposeKey(BUYER, KeyPurpose.Account, taken, false);
    }

    function test_RevertWhen_AccountIsTakenMeanwhile() public {
        propose(BUYER, KeyPurpose.Account, KEY);
        propose(SUPPLIER, KeyPurpose.Account, KEY);
        confirm(SUPPLIER, KeyPurpose.Account, KEY);
        vm.prank(regulator);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_AccountTaken.selector, KEY, SUPPLIER));
        registry.confirmKey(BUYER, KeyPurpose.Account, KEY);
    }

    function test_RevertWhen_KeyOfUnknown() public {
        vm.prank(registrar);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_Unknown.selector, NOBODY));
        registry.proposeKey(NOBODY, KeyPurpose.Account, KEY, false);
        vm.prank(regulator);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_Unknown.selector, NOBODY));
        registry.confirmKey(NOBODY, KeyPurpose.Account, KEY);
    }

    function propose(bytes32 id, KeyPurpose purpose, address key) private {
        vm.prank(registrar);
        registry.proposeKey(id, purpose, key, false);
    }

    function confirm(bytes32 id, KeyPurpose purpose, address key) private {
        vm.prank(regulator);
        registry.confirmKey(id, purpose, key);
    }

    function expectNotProposed(bytes32 id, KeyPurpose purpose, address key) private {
        vm.prank(regulator);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_NotProposed.selector, id, purpose, key));
        registry.confirmKey(id, purpose, key);
    }
}
