// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @notice OpenZeppelin's standard Merkle tree: double-keccak leaves in ascending order, pairs sorted, the tree in one
/// array with the root first, as the npm package merkle-tree of OpenZeppelin builds it.
library MerkleTree {
    /// @notice Standard leaf of an ABI-encoded value.
    function leaf(bytes memory encoded) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(encoded)));
    }

    /// @notice Root over leaves in any order.
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        return build(leaves)[0];
    }

    /// @notice Path from a leaf to the root.
    function proof(bytes32[] memory leaves, bytes32 of_) internal pure returns (bytes32[] memory path) {
        bytes32[] memory nodes = build(leaves);
        uint256 place = nodes.length;
        for (uint256 i = leaves.length - 1; i < nodes.length; ++i) {
            if (nodes[i] == of_) place = i;
        }
        require(place < nodes.length, "leaf not in tree");
        uint256 depth = 0;
        for (uint256 i = place; i != 0; i = (i - 1) / 2) {
            ++depth;
        }
        path = new bytes32[](depth);
        for (uint256 i = 0; i < depth; ++i) {
            path[i] = nodes[place % 2 == 1 ? place + 1 : place - 1];
            place = (place - 1) / 2;
        }
    }

    /// @notice Root of a tree in which a leaf has the given path; stands for a tree too large to build in a test.
    function climb(bytes32 node, bytes32[] memory path) internal pure returns (bytes32) {
        for (uint256 i = 0; i < path.length; ++i) {
            node = Hashes.commutativeKeccak256(node, path[i]);
        }
        return node;
    }

    /// @notice All nodes, root first.
    function build(bytes32[] memory leaves) internal pure returns (bytes32[] memory nodes) {
        uint256 count = leaves.length;
        bytes32[] memory sorted = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 j = i;
            for (; j > 0 && sorted[j - 1] > leaves[i]; --j) {
                sorted[j] = sorted[j - 1];
            }
            sorted[j] = leaves[i];
        }
        nodes = new bytes32[](2 * count - 1);
        for (uint256 i = 0; i < count; ++i) {
            nodes[nodes.length - 1 - i] = sorted[i];
        }
        for (uint256 i = count - 1; i > 0; --i) {
            nodes[i - 1] = Hashes.commutativeKeccak256(nodes[2 * i - 1], nodes[2 * i]);
        }
    }
}
