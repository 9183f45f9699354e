// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// @notice The least that a token does: OpenZeppelin's ERC-721 and a mint without any check.
contract MintableToken is ERC721 {
    constructor() ERC721("Mintable", "MINT") {}

    function mint(address to, uint256 tokenId) external {
        _mint(to, tokenId);
    }
}
