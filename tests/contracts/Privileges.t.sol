// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {LedgerBase} from "./support/LedgerBase.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Roles} from "suanquan/libraries/Roles.sol";
import {EntityKind, KeyPurpose, Registration, Standing} from "suanquan/types/Entity.sol";
import {SubmissionProof} from "suanquan/types/Evidence.sol";
import {BatchClaim, Claim, RedemptionRef} from "suanquan/types/Voucher.sol";

/// @notice Every privileged function, called by every officer who may not.
contract PrivilegesTest is LedgerBase {
    struct Privilege {
        address target;
        bytes call;
        bytes32 role;
    }

    Privilege[] private _privileges;

    function setUp() public override {
        super.setUp();
        bytes32[] memory list = only(SUPPLIER);
        Claim memory claim = makeClaim(voucherId, makeTrade(BUYER));

        add(address(registry), Roles.REGISTRAR, abi.encodeCall(registry.register, (new Registration[](0))));
        add(
            address(registry),
            Roles.REGISTRAR,
            abi.encodeCall(registry.update, (BUYER, EntityKind.Enterprise, 1, 410_100, bytes16(0)))
        );
        add(
            address(registry),
            Roles.REGISTRAR,
            abi.encodeCall(registry.setStanding, (BUYER, Standing.Good, START + YEAR))
        );
        add(
            address(registry),
            Roles.REGISTRAR,
            abi.encodeCall(registry.proposeKey, (BUYER, KeyPurpose.Account, stranger, false))
        );
        add(
            address(registry),
            Roles.REGULATOR,
            abi.encodeCall(registry.confirmKey, (BUYER, KeyPurpose.Account, stranger))
        );
        add(address(registry), Roles.REGULATOR, abi.encodeCall(registry.freeze, (BUYER, REASON)));
        add(address(registry), Roles.REGULATOR, abi.encodeCall(registry.unfreeze, (BUYER)));

        add(
            address(evidence), Roles.RELAYER, abi.encodeCall(evidence.append, (PLATFORM, 2, 2, REASON, 1, START, START))
        );

        add(address(ledger), Roles.OPERATOR, abi.encodeCall(ledger.createProgramme, (makeZhengzhou())));
        add(address(ledger), Roles.OPERATOR, abi.encodeCall(ledger.publishProgramme, (zhengzhou)));
        add(address(ledger), Roles.OPERATOR, abi.encodeCall(ledger.terminateProgramme, (zhengzhou, REASON)));
        add(address(ledger), Roles.OPERATOR, abi.encodeCall(ledger.setApprover, (zhengzhou, 0, stranger, true)));
        add(address(ledger), Roles.OPERATOR, abi.encodeCall(ledger.setSuppliers, (zhengzhou, list, true)));
        add(address(ledger), Roles.OPERATOR, abi.encodeCall(ledger.setPlatforms, (zhengzhou, list, true)));
        add(address(ledger), Roles.OPERATOR, abi.encodeCall(ledger.cancel, (voucherId, REASON)));
        add(address(ledger), Roles.REGULATOR, abi.encodeCall(ledger.freeze, (voucherId, REASON)));
        add(address(ledger), Roles.REGULATOR, abi.encodeCall(ledger.unfreeze, (voucherId)));
        add(address(ledger), Roles.RELAYER, abi.encodeCall(ledger.redeem, (claim)));
        add(
            address(ledger),
            Roles.RELAYER,
            abi.encodeCall(ledger.redeemMany, (new SubmissionProof[](0), new BatchClaim[](0)))
        );
        add(address(ledger), Roles.FINANCE, abi.encodeCall(ledger.writeOff, (new RedemptionRef[](0), PAYMENT)));
        add(address(ledger), Roles.FINANCE, abi.encodeCall(ledger.reject, (refTo(1, 0), bytes32(0), REASON, false)));
        add(address(ledger), Roles.FINANCE, abi.encodeCall(ledger.recover, (refTo(1, 0), 1, REASON)));
    }

    function test_RevertWhen_AnyOtherRoleCalls() public {
        address[8] memory callers =
            [admin, operator, finance, regulator, registrar, relayer, reviewers[0].addr, stranger];
        uint256 refused = 0;
        for (uint256 i = 0; i < _privileges.length; ++i) {
            Privilege memory p = _privileges[i];
            for (uint256 j = 0; j < callers.length; ++j) {
                if (access.hasRole(p.role, callers[j])) continue;
                vm.prank(callers[j]);
                (bool done, bytes memory answer) = p.target.call(p.call);
                assertFalse(done, "a caller without the role got through");
                assertEq(answer, abi.encodeWithSelector(Errors.RoleMissing.selector, p.role, callers[j]));
                ++refused;
            }
        }
        assertEq(refused, _privileges.length * (callers.length - 1));
    }

    function test_RequireRole() public {
        registry.checkRole(Roles.FINANCE, finance);
        expectMissing(Roles.FINANCE, operator);
        registry.checkRole(Roles.FINANCE, operator);
    }

    /* SEPARATION OF DUTIES */

    function test_RevertWhen_ReviewerBecomesFinance() public {
        address reviewer = reviewers[0].addr;
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(Errors.RoleConflict.selector, reviewer, Roles.REVIEWER, Roles.FINANCE));
        access.grantRole(Roles.FINANCE, reviewer);
    }

    function test_RevertWhen_FinanceBecomesReviewer() public {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(Errors.RoleConflict.selector, finance, Roles.FINANCE, Roles.REVIEWER));
        access.grantRole(Roles.REVIEWER, finance);
    }

    function test_FinanceMayReviewAfterGivingUpFinance() public {
        vm.startPrank(admin);
        access.revokeRole(Roles.FINANCE, finance);
        access.grantRole(Roles.REVIEWER, finance);
        assertTrue(access.hasRole(Roles.REVIEWER, finance));
    }

    function test_RevertWhen_AnyoneButTheAdminGrants() public {
        address[6] memory callers = [operator, finance, regulator, registrar, relayer, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.prank(callers[i]);
            expectMissing(bytes32(0), callers[i]);
            access.grantRole(Roles.OPERATOR, callers[i]);
        }
    }

    /* ADMIN */

    function test_AdminHandover_TakesTwoStepsAndADelay() public {
        vm.prank(admin);
        rules().beginDefaultAdminTransfer(stranger);
        uint48 from = uint48(block.timestamp + 1 days);
        vm.warp(from);
        vm.prank(stranger);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, from
            )
        );
        rules().acceptDefaultAdminTransfer();
        vm.warp(from + 1);
        vm.prank(stranger);
        rules().acceptDefaultAdminTransfer();
        assertEq(rules().defaultAdmin(), stranger);
    }

    function test_RevertWhen_AdminRoleIsGrantedDirectly() public {
        vm.prank(admin);
        vm.expectRevert(IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminRules.selector);
        access.grantRole(bytes32(0), stranger);
    }

    function test_RegistrySaysWhatItSupports() public view {
        assertTrue(IERC165(address(registry)).supportsInterface(type(IAccessControl).interfaceId));
        assertTrue(IERC165(address(registry)).supportsInterface(type(IAccessControlDefaultAdminRules).interfaceId));
    }

    function rules() private view returns (IAccessControlDefaultAdminRules) {
        return IAccessControlDefaultAdminRules(address(registry));
    }

    function add(address target, bytes32 role, bytes memory call) private {
        _privileges.push(Privilege(target, call, role));
    }
}
