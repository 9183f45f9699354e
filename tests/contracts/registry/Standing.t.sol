// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Base} from "../support/Base.sol";
import {IEntityRegistry} from "suanquan/interfaces/IEntityRegistry.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Entity, EntityKind, EntityRoles, Party, Standing} from "suanquan/types/Entity.sol";

/// @notice Who may take part: update, standing, freeze and what {requireActive} makes of them.
contract StandingTest is Base {
    uint40 private constant UNTIL = NOW + 10 days;

    /* ACTIVE */

    function test_RequireActive_GivesTheParty() public view {
        (uint24 number, address account) = registry.requireActive(BUYER, EntityRoles.BUYER);
        assertEq(number, 1);
        assertEq(account, accountOf(BUYER));
    }

    function test_RequireParties_GivesBuyerAndSupplier() public view {
        (Party memory buyer, Party memory supplier) = registry.requireAllActive(BUYER, SUPPLIER, PLATFORM);
        assertEq(abi.encode(buyer), abi.encode(Party(1, bytes16(BUYER))));
        assertEq(abi.encode(supplier), abi.encode(Party(3, bytes16(SUPPLIER))));
    }

    function test_RevertWhen_ActiveIsUnknown() public {
        expectInactive(
            NOBODY, EntityRoles.BUYER, abi.encodeWithSelector(Errors.EntityRegistry_Unknown.selector, NOBODY)
        );
    }

    function test_RevertWhen_RoleIsNotHeld() public {
        expectInactive(
            BUYER,
            EntityRoles.SUPPLIER,
            abi.encodeWithSelector(
                Errors.EntityRegistry_RoleMissing.selector, BUYER, EntityRoles.BUYER, EntityRoles.SUPPLIER
            )
        );
    }

    /* STANDING */

    function test_SetStanding_HoldsUntilItsLastSecond() public {
        vm.expectEmit(address(registry));
        emit IEntityRegistry.StandingSet(BUYER, Standing.Good, UNTIL);
        setStanding(Standing.Good, UNTIL);
        vm.warp(UNTIL);
        registry.requireActive(BUYER, EntityRoles.BUYER);
        vm.warp(UNTIL + 1);
        expectInactive(
            BUYER,
            EntityRoles.BUYER,
            abi.encodeWithSelector(Errors.EntityRegistry_StandingLapsed.selector, BUYER, UNTIL)
        );
    }

    function test_RevertWhen_Dishonest() public {
        expectExcluded(Standing.Dishonest);
    }

    function test_RevertWhen_TaxBlacklisted() public {
        expectExcluded(Standing.TaxBlacklisted);
    }

    /// @dev An exclusion that ran out is not good standing: it must be checked anew.
    function test_RevertWhen_ExclusionRanOut() public {
        setStanding(Standing.Dishonest, UNTIL);
        vm.warp(UNTIL + 1);
        expectInactive(
            BUYER,
            EntityRoles.BUYER,
            abi.encodeWithSelector(Errors.EntityRegistry_StandingLapsed.selector, BUYER, UNTIL)
        );
    }

    function test_RevertWhen_StandingOfUnknown() public {
        vm.prank(registrar);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_Unknown.selector, NOBODY));
        registry.setStanding(NOBODY, Standing.Good, UNTIL);
    }

    /* UPDATE */

    function test_Update_ChangesTheRecordButNotKeysAndStanding() public {
        Entity memory was = registry.entity(BUYER);
        uint8 both = EntityRoles.BUYER | EntityRoles.SUPPLIER;
        vm.expectEmit(address(registry));
        emit IEntityRegistry.EntityUpdated(BUYER, EntityKind.Maker, both, 110_115, bytes16("group"));
        vm.prank(registrar);
        registry.update(BUYER, EntityKind.Maker, both, 110_115, bytes16("group"));

        was.kind = EntityKind.Maker;
        was.roles = both;
        was.region = 110_115;
        was.controller = bytes16("group");
        assertEq(abi.encode(registry.entity(BUYER)), abi.encode(was));
        registry.requireActive(BUYER, EntityRoles.SUPPLIER);
    }

    function test_RevertWhen_UpdateMakesAPlatformWithoutKey() public {
        vm.prank(registrar);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.EntityRegistry_EvidenceKeyMismatch.selector, BUYER, EntityRoles.PLATFORM)
        );
        registry.update(BUYER, EntityKind.Platform, EntityRoles.PLATFORM, 410_100, 0);
    }

    function test_Update_KeepsAPlatformOne() public {
        vm.prank(registrar);
        registry.update(PLATFORM, EntityKind.Platform, EntityRoles.PLATFORM, 110_000, 0);
        assertEq(registry.entity(PLATFORM).region, 110_000);
    }

    function test_RevertWhen_UpdateOfUnknown() public {
        vm.prank(registrar);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_Unknown.selector, NOBODY));
        registry.update(NOBODY, EntityKind.Maker, EntityRoles.BUYER, 0, 0);
    }

    /* FREEZE */

    function test_Freeze_AndUnfreeze() public {
        vm.expectEmit(address(registry));
        emit IEntityRegistry.EntityFrozen(BUYER, REASON);
        freezeEntity(BUYER);
        assertTrue(registry.entity(BUYER).frozen);
        assertFalse(registry.entity(OTHER_BUYER).frozen);
        assertEq(registry.frozenWord(0), 1 << 1, "the bit of number 1, and no neighbour's");
        expectInactive(BUYER, EntityRoles.BUYER, abi.encodeWithSelector(Errors.EntityRegistry_Frozen.selector, BUYER));

        vm.expectEmit(address(registry));
        emit IEntityRegistry.EntityUnfrozen(BUYER);
        vm.prank(regulator);
        registry.unfreeze(BUYER);
        assertEq(registry.frozenWord(0), 0);
        registry.requireActive(BUYER, EntityRoles.BUYER);
    }

    function test_RevertWhen_FrozenTwice() public {
        freezeEntity(BUYER);
        vm.prank(regulator);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_Frozen.selector, BUYER));
        registry.freeze(BUYER, REASON);
    }

    function test_RevertWhen_UnfrozenWithoutFreeze() public {
        vm.prank(regulator);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_NotFrozen.selector, BUYER));
        registry.unfreeze(BUYER);
    }

    function test_RevertWhen_FreezeOfUnknown() public {
        vm.startPrank(regulator);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_Unknown.selector, NOBODY));
        registry.freeze(NOBODY, REASON);
        vm.expectRevert(abi.encodeWithSelector(Errors.EntityRegistry_Unknown.selector, NOBODY));
        registry.unfreeze(NOBODY);
    }

    function setStanding(Standing standing, uint40 until) private {
        vm.prank(registrar);
        registry.setStanding(BUYER, standing, until);
    }

    function expectExcluded(Standing standing) private {
        setStanding(standing, UNTIL);
        expectInactive(
            BUYER,
            EntityRoles.BUYER,
            abi.encodeWithSelector(Errors.EntityRegistry_Excluded.selector, BUYER, standing, UNTIL)
        );
    }

    function expectInactive(bytes32 id, uint8 role, bytes memory reason) private {
        vm.expectRevert(reason);
        registry.requireActive(id, role);
    }
}
