// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IERC5192} from "../interfaces/IERC5192.sol";
import {IERC6454} from "../interfaces/IERC6454.sol";
import {IVoucherLedger} from "../interfaces/IVoucherLedger.sol";
import {Errors} from "../libraries/Errors.sol";
import {Voucher, VoucherState} from "../types/Voucher.sol";
import {LedgerState} from "./LedgerState.sol";

/// @notice How wallets and explorers see vouchers: the read side of ERC-721, with ERC-5192, ERC-6454 and ERC-165. Every
/// transfer and approval reverts.
abstract contract VoucherToken is LedgerState, IERC721, IERC721Metadata, IERC5192, IERC6454, IERC721Errors {
    /// @notice ERC-721 name.
    function name() external pure returns (string memory) {
        return "Suanquan Compute Voucher";
    }

    /// @notice ERC-721 symbol.
    function symbol() external pure returns (string memory) {
        return "SUANQUAN";
    }

    /// @notice Where the policy of the voucher's programme is published.
    function tokenURI(uint256 voucherId) external view returns (string memory) {
        return _book.policyURIs[_existing(voucherId).programmeId];
    }

    /// @notice The present account of the organisation that holds the voucher.
    function ownerOf(uint256 voucherId) public view returns (address) {
        Voucher storage v = _ledger.vouchers[voucherId];
        if (v.state == VoucherState.None) revert ERC721NonexistentToken(voucherId);
        return REGISTRY.accountOf(v.entity);
    }

    /// @notice Vouchers ever issued to the organisation behind an account; those that ended stay visible.
    function balanceOf(address owner) external view returns (uint256) {
        if (owner == address(0)) revert ERC721InvalidOwner(owner);
        return _ledger.balances[REGISTRY.numberOf(REGISTRY.entityOf(owner))];
    }

    /// @notice Nobody is ever approved.
    function getApproved(uint256 voucherId) external view returns (address) {
        _existing(voucherId);
        return address(0);
    }

    /// @notice Nobody is ever approved.
    function isApprovedForAll(address, address) external pure returns (bool) {
        return false;
    }

    /// @inheritdoc IERC5192
    function locked(uint256 voucherId) external view returns (bool) {
        _existing(voucherId);
        return true;
    }

    /// @inheritdoc IERC6454
    function isTransferable(uint256, address, address) external pure returns (bool) {
        return false;
    }

    /// @notice Always reverts.
    function transferFrom(address, address, uint256) external pure {
        revert Errors.VoucherLedger_NonTransferable();
    }

    /// @notice Always reverts.
    function safeTransferFrom(address, address, uint256) external pure {
        revert Errors.VoucherLedger_NonTransferable();
    }

    /// @notice Always reverts.
    function safeTransferFrom(address, address, uint256, bytes calldata) external pure {
        revert Errors.VoucherLedger_NonTransferable();
    }

    /// @notice Always reverts.
    function approve(address, uint256) external pure {
        revert Errors.VoucherLedger_NonTransferable();
    }

    /// @notice Always reverts.
    function setApprovalForAll(address, bool) external pure {
        revert Errors.VoucherLedger_NonTransferable();
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IERC721).interfaceId
            || interfaceId == type(IERC721Metadata).interfaceId || interfaceId == type(IERC5192).interfaceId
            || interfaceId == type(IERC6454).interfaceId || interfaceId == type(IVoucherLedger).interfaceId;
    }
}
