// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LedgerBase} from "../support/LedgerBase.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {EntityKind, EntityRoles, KeyPurpose, Standing} from "suanquan/types/Entity.sol";
import {Trade} from "suanquan/types/Trade.sol";

/// @notice Who bought from whom, and on whose word.
contract RedeemPartiesTest is LedgerBase {
    Trade private _trade;

    function setUp() public override {
        super.setUp();
        _trade = makeTrade(BUYER);
    }

    function test_RevertWhen_BuyerIsNotTheHolder() public {
        _trade.buyer = OTHER_BUYER;
        expectRefused(
            abi.encodeWithSelector(Errors.VoucherLedger_NotHolder.selector, uint256(voucherId), BUYER, OTHER_BUYER)
        );
    }

    /* ACTIVE */

    function test_RevertWhen_APartyIsUnknown() public {
        bytes memory unknown = abi.encodeWithSelector(Errors.EntityRegistry_Unknown.selector, NOBODY);
        _trade.buyer = NOBODY;
        expectRefused(unknown);
        _trade.buyer = BUYER;
        _trade.supplier = NOBODY;
        expectRefused(unknown);
        _trade.supplier = SUPPLIER;
        _trade.platform = NOBODY;
        expectRefused(unknown);
    }

    function test_RevertWhen_APartyIsFrozen() public {
        bytes32[3] memory parties = [BUYER, SUPPLIER, PLATFORM];
        for (uint256 i = 0; i < 3; ++i) {
            freezeEntity(parties[i]);
            expectRefused(abi.encodeWithSelector(Errors.EntityRegistry_Frozen.selector, parties[i]));
            vm.prank(regulator);
            registry.unfreeze(parties[i]);
        }
        ledger.quote(voucherId, _trade);
    }

    function test_RevertWhen_APartyIsExcluded() public {
        bytes32[3] memory parties = [BUYER, SUPPLIER, PLATFORM];
        for (uint256 i = 0; i < 3; ++i) {
            setStanding(parties[i], Standing.Dishonest, START + YEAR);
            expectRefused(
                abi.encodeWithSelector(
                    Errors.EntityRegistry_Excluded.selector, parties[i], Standing.Dishonest, START + YEAR
                )
            );
            setStanding(parties[i], Standing.Good, START + YEAR);
        }
        ledger.quote(voucherId, _trade);
    }

    function test_RevertWhen_StandingLapsed() public {
        setStanding(SUPPLIER, Standing.Good, NOW);
        ledger.quote(voucherId, _trade);
        vm.warp(NOW + 1);
        expectRefused(abi.encodeWithSelector(Errors.EntityRegistry_StandingLapsed.selector, SUPPLIER, NOW));
    }

    function test_RevertWhen_SupplierIsNone() public {
        _trade.supplier = OTHER_BUYER;
        expectRefused(
            abi.encodeWithSelector(
                Errors.EntityRegistry_RoleMissing.selector, OTHER_BUYER, EntityRoles.BUYER, EntityRoles.SUPPLIER
            )
        );
    }

    function test_RevertWhen_PlatformIsNone() public {
        _trade.platform = SUPPLIER;
        expectRefused(
            abi.encodeWithSelector(
                Errors.EntityRegistry_RoleMissing.selector, SUPPLIER, EntityRoles.SUPPLIER, EntityRoles.PLATFORM
            )
        );
    }

    /* RELATED */

    function test_RevertWhen_BuyerIsTheSupplier() public {
        update(BUYER, EntityRoles.BUYER | EntityRoles.SUPPLIER, bytes16(BUYER));
        _trade.supplier = BUYER;
        expectRelated(BUYER, bytes16(BUYER));
    }

    /// @dev One without a controlling group is still itself.
    function test_RevertWhen_BuyerWithoutControllerIsTheSupplier() public {
        update(BUYER, EntityRoles.BUYER | EntityRoles.SUPPLIER, 0);
        _trade.supplier = BUYER;
        expectRelated(BUYER, 0);
    }

    function test_RevertWhen_PartiesShareAController() public {
        update(SUPPLIER, EntityRoles.SUPPLIER, bytes16(BUYER));
        expectRelated(SUPPLIER, bytes16(BUYER));
    }

    function test_PartiesWithoutControllerAreUnrelated() public {
        update(BUYER, EntityRoles.BUYER, 0);
        update(SUPPLIER, EntityRoles.SUPPLIER, 0);
        ledger.quote(voucherId, _trade);
    }

    function test_RevertWhen_BuyerIsAListedSupplier() public {
        vm.prank(operator);
        ledger.setSuppliers(zhengzhou, only(BUYER), true);
        expectRelated(SUPPLIER, bytes16(BUYER));
    }

    function test_ListOfSuppliersDoesNotBindWhereItIsNotUsed() public {
        vm.prank(operator);
        ledger.setSuppliers(etown, only(BUYER), true);
        ledger.quote(reservedId, _trade);
    }

    /// @dev Nobody states its own purchase.
    function test_RevertWhen_BuyerIsThePlatform() public {
        vm.prank(registrar);
        registry.proposeKey(BUYER, KeyPurpose.Evidence, stranger, false);
        vm.prank(regulator);
        registry.confirmKey(BUYER, KeyPurpose.Evidence, stranger);
        update(BUYER, EntityRoles.BUYER | EntityRoles.PLATFORM, bytes16(BUYER));
        vm.prank(operator);
        ledger.setPlatforms(zhengzhou, only(BUYER), true);
        _trade.platform = BUYER;
        expectRelated(SUPPLIER, bytes16(BUYER));
    }

    /// @dev A centre that sells on a platform of its own is common.
    function test_SupplierMayBeThePlatform() public {
        update(PLATFORM, EntityRoles.PLATFORM | EntityRoles.SUPPLIER, bytes16(PLATFORM));
        vm.prank(operator);
        ledger.setSuppliers(zhengzhou, only(PLATFORM), true);
        _trade.supplier = PLATFORM;
        ledger.quote(voucherId, _trade);
    }

    function setStanding(bytes32 id, Standing standing, uint40 until) private {
        vm.prank(registrar);
        registry.setStanding(id, standing, until);
    }

    function update(bytes32 id, uint8 roles, bytes16 controller) private {
        vm.prank(registrar);
        registry.update(id, EntityKind.Enterprise, roles, 410_100, controller);
    }

    function expectRelated(bytes32 supplier, bytes16 controller) private {
        expectRefused(abi.encodeWithSelector(Errors.VoucherLedger_RelatedParties.selector, BUYER, supplier, controller));
    }

    function expectRefused(bytes memory reason) private {
        Trade memory t = _trade;
        vm.expectRevert(reason);
        ledger.quote(voucherId, t);
    }
}
