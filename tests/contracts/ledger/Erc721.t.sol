// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {LedgerBase} from "../support/LedgerBase.sol";
import {IERC5192} from "suanquan/interfaces/IERC5192.sol";
import {IERC6454} from "suanquan/interfaces/IERC6454.sol";
import {IVoucherLedger} from "suanquan/interfaces/IVoucherLedger.sol";
import {Errors} from "suanquan/libraries/Errors.sol";
import {KeyPurpose} from "suanquan/types/Entity.sol";

/// @notice A voucher is read like an ERC-721 token and never moves.
contract Erc721Test is LedgerBase {
    IERC721Metadata private _token;
    uint256 private _unknown;

    function setUp() public override {
        super.setUp();
        _token = IERC721Metadata(address(ledger));
        _unknown = uint256(voucherId) + 1;
    }

    function test_Metadata() public view {
        assertEq(_token.name(), "Suanquan Compute Voucher");
        assertEq(_token.symbol(), "SUANQUAN");
        assertEq(_token.tokenURI(voucherId), "https://example.org/zhengzhou-htz.yaml");
        assertEq(_token.tokenURI(reservedId), "https://example.org/beijing-etown.yaml");
    }

    function test_SupportsInterface() public view {
        assertEq(type(IERC5192).interfaceId, bytes4(0xb45a3c0e));
        assertEq(type(IERC6454).interfaceId, bytes4(0x91a6262f));
        bytes4[6] memory ids = [
            type(IERC165).interfaceId,
            type(IERC721).interfaceId,
            type(IERC721Metadata).interfaceId,
            type(IERC5192).interfaceId,
            type(IERC6454).interfaceId,
            type(IVoucherLedger).interfaceId
        ];
        for (uint256 i = 0; i < 6; ++i) {
            assertTrue(_token.supportsInterface(ids[i]));
        }
        assertFalse(_token.supportsInterface(0xffffffff));
    }

    function test_OwnerFollowsTheRegistry() public {
        assertEq(_token.ownerOf(voucherId), accountOf(BUYER));
        assertEq(_token.balanceOf(accountOf(BUYER)), 2);
        vm.prank(registrar);
        registry.proposeKey(BUYER, KeyPurpose.Account, stranger, false);
        vm.prank(regulator);
        registry.confirmKey(BUYER, KeyPurpose.Account, stranger);
        assertEq(_token.ownerOf(voucherId), stranger);
        assertEq(_token.balanceOf(stranger), 2);
        assertEq(_token.balanceOf(accountOf(BUYER)), 0);
    }

    function test_EndedVouchersStayVisible() public {
        cancel(voucherId);
        assertEq(_token.ownerOf(voucherId), accountOf(BUYER));
        assertEq(_token.balanceOf(accountOf(BUYER)), 2);
    }

    function test_BalanceOfStrangers() public {
        assertEq(_token.balanceOf(stranger), 0);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidOwner.selector, address(0)));
        _token.balanceOf(address(0));
    }

    function test_LockedAndNobodyApproved() public view {
        assertTrue(IERC5192(address(ledger)).locked(voucherId));
        assertFalse(IERC6454(address(ledger)).isTransferable(voucherId, accountOf(BUYER), stranger));
        assertEq(_token.getApproved(voucherId), address(0));
        assertFalse(_token.isApprovedForAll(accountOf(BUYER), stranger));
    }

    function test_RevertWhen_TokenIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, _unknown));
        _token.ownerOf(_unknown);
        bytes memory unknown = abi.encodeWithSelector(Errors.VoucherLedger_UnknownVoucher.selector, _unknown);
        vm.expectRevert(unknown);
        _token.tokenURI(_unknown);
        vm.expectRevert(unknown);
        _token.getApproved(_unknown);
        vm.expectRevert(unknown);
        IERC5192(address(ledger)).locked(_unknown);
        vm.expectRevert(unknown);
        ledger.voucher(_unknown);
        vm.expectRevert(unknown);
        ledger.status(_unknown);
    }

    function testFuzz_RevertWhen_Transferred(address caller, address from, address to, uint256 id, bytes memory data)
        public
    {
        bytes memory refused = abi.encodeWithSelector(Errors.VoucherLedger_NonTransferable.selector);
        if (id % 2 == 0) id = voucherId;
        if (id % 3 == 0) (caller, from) = (accountOf(BUYER), accountOf(BUYER));
        vm.startPrank(caller);
        vm.expectRevert(refused);
        _token.transferFrom(from, to, id);
        vm.expectRevert(refused);
        _token.safeTransferFrom(from, to, id);
        vm.expectRevert(refused);
        _token.safeTransferFrom(from, to, id, data);
        vm.expectRevert(refused);
        _token.approve(to, id);
        vm.expectRevert(refused);
        _token.setApprovalForAll(to, true);
    }
}
