// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Vm} from "forge-std/Vm.sol";

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IEntityRegistry} from "suanquan/interfaces/IEntityRegistry.sol";
import {IEvidenceLog} from "suanquan/interfaces/IEvidenceLog.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {Roles} from "suanquan/libraries/Roles.sol";
import {EntityKind, EntityRoles, Registration, Standing} from "suanquan/types/Entity.sol";

/// @notice The three contracts, their officers and organisations, with which each test begins.
/// @dev Tests know the contracts by interface and take their code from artifacts, so that they themselves compile without
/// the optimiser, which costs ten times as long; contracts/README.md says how.
abstract contract World is Test {
    /// @dev 28 April 2024, midnight in Beijing: the day from which the Zhengzhou policy is in force.
    uint40 internal constant START = 1_714_233_600;
    uint40 internal constant YEAR = 365 days;
    /// @dev Where the clock stands when a test begins.
    uint40 internal constant NOW = START + 30 days;
    uint32 internal constant CHALLENGE = 7 days;

    bytes32 internal constant BUYER = keccak256("buyer");
    bytes32 internal constant OTHER_BUYER = keccak256("other buyer");
    bytes32 internal constant SUPPLIER = keccak256("supplier");
    bytes32 internal constant OTHER_SUPPLIER = keccak256("other supplier");
    bytes32 internal constant PLATFORM = keccak256("platform");
    bytes32 internal constant OTHER_PLATFORM = keccak256("other platform");
    bytes32 internal constant NOBODY = keccak256("nobody");
    bytes32 internal constant REASON = keccak256("reason");
    bytes32 internal constant PAYMENT = keccak256("payment");

    address internal admin = makeAddr("admin");
    address internal operator = makeAddr("operator");
    address internal finance = makeAddr("finance");
    address internal regulator = makeAddr("regulator");
    address internal registrar = makeAddr("registrar");
    address internal relayer = makeAddr("relayer");
    address internal stranger = makeAddr("stranger");
    /// @dev Stage 0 takes one approval of {0, 1}, stage 1 two of {2, 3, 4}; a single stage takes one of {0}.
    Vm.Wallet[5] internal reviewers;
    mapping(bytes32 platform => uint256 privateKey) internal evidenceKeys;

    IEntityRegistry internal registry;
    IEvidenceLog internal evidence;
    IVoucherLedger internal ledger;
    /// @dev The registry again, for its officers' roles.
    IAccessControl internal access;

    function setUp() public virtual {
        vm.warp(NOW);
        registry = IEntityRegistry(deployCode("EntityRegistry.sol:EntityRegistry", abi.encode(admin, uint48(1 days))));
        evidence = IEvidenceLog(deployCode("EvidenceLog.sol:EvidenceLog", abi.encode(registry)));
        ledger = deployLedger();

        access = IAccessControl(address(registry));

        vm.startPrank(admin);
        access.grantRole(Roles.OPERATOR, operator);
        access.grantRole(Roles.FINANCE, finance);
        access.grantRole(Roles.REGULATOR, regulator);
        access.grantRole(Roles.REGISTRAR, registrar);
        access.grantRole(Roles.RELAYER, relayer);
        for (uint256 i = 0; i < reviewers.length; ++i) {
            reviewers[i] = vm.createWallet(string.concat("reviewer", vm.toString(i)));
            access.grantRole(Roles.REVIEWER, reviewers[i].addr);
        }
        vm.stopPrank();

        register(BUYER, EntityKind.Enterprise, EntityRoles.BUYER);
        register(OTHER_BUYER, EntityKind.University, EntityRoles.BUYER);
        register(SUPPLIER, EntityKind.Supplier, EntityRoles.SUPPLIER);
        register(OTHER_SUPPLIER, EntityKind.Supplier, EntityRoles.SUPPLIER);
        register(PLATFORM, EntityKind.Platform, EntityRoles.PLATFORM);
        register(OTHER_PLATFORM, EntityKind.Platform, EntityRoles.PLATFORM);
    }

    function deployLedger() internal returns (IVoucherLedger) {
        bytes memory arguments = abi.encode(registry, evidence, address(0));
        return IVoucherLedger(deployCode("VoucherLedger.sol:VoucherLedger", arguments));
    }

    /* ORGANISATIONS */

    function accountOf(bytes32 id) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("account", id)))));
    }

    function makeRegistration(bytes32 id, EntityKind kind, uint8 roles) internal returns (Registration memory r) {
        r = Registration({
            id: id,
            account: accountOf(id),
            kind: kind,
            roles: roles,
            region: 410_100,
            standing: Standing.Good,
            standingUntil: START + 20 * YEAR,
            controller: bytes16(id),
            evidenceKey: address(0),
            custodial: false
        });
        if (roles & EntityRoles.PLATFORM != 0) {
            evidenceKeys[id] = uint256(keccak256(abi.encode("evidence key", id))) >> 8;
            r.evidenceKey = vm.addr(evidenceKeys[id]);
        }
    }

    function register(bytes32 id, EntityKind kind, uint8 roles) internal {
        register(makeRegistration(id, kind, roles));
    }

    function register(Registration memory r) internal {
        Registration[] memory list = new Registration[](1);
        list[0] = r;
        vm.prank(registrar);
        registry.register(list);
    }

    function expectMissing(bytes32 role, address account) internal {
        vm.expectRevert(abi.encodeWithSelector(Errors.RoleMissing.selector, role, account));
    }

    /* PLAIN VALUES */

    /// @dev Yuan in fen.
    function yuan(uint48 amount) internal pure returns (uint48) {
        return amount * 100;
    }

    function only(bytes32 value) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = value;
    }

    function only(uint256 value) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = value;
    }

    function sign(uint256 privateKey, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(r, s, v);
    }

    function typedData(string memory name, address verifier, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
