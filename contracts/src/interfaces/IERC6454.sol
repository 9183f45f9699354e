// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title ERC-6454 Minimal transferable token detection; interface id 0x91a6262f
interface IERC6454 {
    /// @notice Whether the token can be transferred from `from` to `to`.
    function isTransferable(uint256 tokenId, address from, address to) external view returns (bool);
}
