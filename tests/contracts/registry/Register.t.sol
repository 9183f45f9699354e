// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Base} from "../support/Base.sol";
import {IEntityRegistry} from "suanquan/interfaces/IEntityRegistry.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Entity, EntityKind, EntityRoles, KeyPurpose, Registration, Standing} from "suanquan/types/Entity.sol";

contract RegisterTest is Base {
    bytes32 private constant NEW = keccak256("new");

    function test_Register_RecordsTheOrganisation() public {
        Registration memory r = makeRegistration(NEW, EntityKind.ResearchInstitute, EntityRoles.BUYER);
        vm.expectEmit(address(registry));
        emit IEntityRegistry.EntityRegistered(NEW, 7, r.account, r);
        register(r);

        Entity memory e = registry.entity(NEW);
        assertEq(
            abi.encode(e),
            abi.encode(
                Entity(7, r.kind, r.roles, r.region, Standing.Good, r.standingUntil, false, r.controller, r.account)
            )
        );
        assertEq(registry.numberOf(NEW), 7);
        assertEq(registry.idOf(7), NEW);
        assertEq(registry.entityOf(r.account), NEW);
        assertEq(registry.accountOf(7), r.account);
        assertEq(registry.evidenceKeyAt(NEW, NOW), address(0));
    }

    function test_Register_PlatformWithItsKey() public {
        Registration memory r = makeRegistration(NEW, EntityKind.Platform, EntityRoles.PLATFORM);
        r.custodial = true;
        vm.expectEmit(address(registry));
        emit IEntityRegistry.KeyChanged(NEW, KeyPurpose.Evidence, r.evidenceKey, true);
        register(r);
        assertEq(registry.evidenceKeyAt(NEW, NOW - 1), address(0));
        assertEq(registry.evidenceKeyAt(NEW, NOW), r.evidenceKey);
    }

    function test_Register_AllOrNothing() public {
        Registration[] memory list = new Registration[](2);
        list[0] = makeRegistration(NEW, EntityKind.Enterprise, EntityRoles.BUYER);
        list[1] = makeRegistration(BUYER, EntityKind.Enterprise, EntityRoles.BUYER);
        vm.prank(registrar);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_AlreadyRegistered.selector, BUYER));
        registry.register(list);
        assertEq(registry.numberOf(NEW), 0);
    }

    function test_RevertWhen_IdIsZero() public {
        Registration memory r = makeRegistration(0, EntityKind.Enterprise, EntityRoles.BUYER);
        expectRefused(r, abi.encodeWithSelector(Errors.EntityRegistry_ZeroValue.selector));
    }

    function test_RevertWhen_AccountIsZero() public {
        Registration memory r = makeRegistration(NEW, EntityKind.Enterprise, EntityRoles.BUYER);
        r.account = address(0);
        expectRefused(r, abi.encodeWithSelector(Errors.EntityRegistry_ZeroValue.selector));
    }

    function test_RevertWhen_AccountIsTaken() public {
        Registration memory r = makeRegistration(NEW, EntityKind.Enterprise, EntityRoles.BUYER);
        r.account = accountOf(BUYER);
        expectRefused(r, abi.encodeWithSelector(Errors.EntityRegistry_AccountTaken.selector, r.account, BUYER));
    }

    function test_RevertWhen_PlatformHasNoKey() public {
        Registration memory r = makeRegistration(NEW, EntityKind.Platform, EntityRoles.PLATFORM);
        r.evidenceKey = address(0);
        expectRefused(
            r, abi.encodeWithSelector(Errors.EntityRegistry_EvidenceKeyMismatch.selector, NEW, EntityRoles.PLATFORM)
        );
    }

    function test_RevertWhen_KeyWithoutPlatform() public {
        Registration memory r = makeRegistration(NEW, EntityKind.Supplier, EntityRoles.SUPPLIER);
        r.evidenceKey = stranger;
        expectRefused(
            r, abi.encodeWithSelector(Errors.EntityRegistry_EvidenceKeyMismatch.selector, NEW, EntityRoles.SUPPLIER)
        );
    }

    function test_RevertWhen_UnknownOrganisationIsRead() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_Unknown.selector, NOBODY));
        registry.entity(NOBODY);
        assertEq(registry.numberOf(NOBODY), 0);
        assertEq(registry.idOf(99), 0);
        assertEq(registry.entityOf(stranger), 0);
        assertEq(registry.accountOf(99), address(0));
        assertEq(registry.frozenWord(0), 0);
    }

    function expectRefused(Registration memory r, bytes memory reason) private {
        Registration[] memory list = new Registration[](1);
        list[0] = r;
        vm.prank(registrar);
        vm.expectRevert(reason);
        registry.register(list);
    }
}
