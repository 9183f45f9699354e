"""Merkle trees that OpenZeppelin's MerkleProof.sol verifies.

The shape is that of the npm package @openzeppelin/merkle-tree (StandardMerkleTree): leaves sorted by hash, so the root
does not depend on the order of the values; a complete binary tree in an array, the root at 0 and the children of i at
2i+1 and 2i+2, so no node is ever duplicated; pairs sorted before hashing. A leaf is a double keccak of the ABI
encoding, so that no inner node (one keccak of 64 bytes) can pass for a leaf.
"""

from collections.abc import Iterable, Sequence

from eth_hash.auto import keccak


def leaf_hash(encoded: bytes) -> bytes:
    """Standard leaf of an ABI-encoded value: keccak256(bytes.concat(keccak256(encoded))), 32 bytes."""
    return keccak(keccak(encoded))


def pair_hash(one: bytes, other: bytes) -> bytes:
    """Parent of two nodes in either order."""
    return keccak(one + other) if one < other else keccak(other + one)


class MerkleTree:
    """The tree over some leaves. Equal leaves each have their own place."""

    __slots__ = ("_nodes", "_places")

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Build the tree.

        Args:
            leaves: at least one, each 32 bytes from `leaf_hash`.

        Raises:
            ValueError: there is none, or one of another length.
        """
        count = len(leaves)
        if count == 0:
            raise ValueError("a tree has at least one leaf")
        if set(map(len, leaves)) != {32}:
            raise ValueError("a leaf has 32 bytes")
        size = 2 * count - 1
        nodes = [b""] * size
        places = [0] * count
        for rank, index in enumerate(sorted(range(count), key=leaves.__getitem__)):
            place = size - 1 - rank
            places[index] = place
            nodes[place] = leaves[index]
        for place in range(count - 2, -1, -1):
            left, right = nodes[2 * place + 1], nodes[2 * place + 2]
            nodes[place] = keccak(left + right) if left < right else keccak(right + left)
        self._nodes = nodes
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @property
    def root(self) -> bytes:
        """32 bytes; of a single leaf, the leaf itself."""
        return self._nodes[0]

    def path(self, index: int) -> list[bytes]:
        """Siblings from a leaf up to the root.

        Args:
            index: of the leaf, in the order in which the leaves were given.

        Raises:
            IndexError: there is no such leaf.
        """
        if not 0 <= index < len(self._places):
            raise IndexError(f"leaf {index} of {len(self._places)}")
        place = self._places[index]
        found = []
        while place > 0:
            found.append(self._nodes[place + 1 if place % 2 else place - 1])
            place = (place - 1) // 2
        return found


def root_from(leaf: bytes, path: Iterable[bytes]) -> bytes:
    """Root that a leaf and its path lead to."""
    node = leaf
    for sibling in path:
        node = pair_hash(node, sibling)
    return node


def verify(root: bytes, leaf: bytes, path: Iterable[bytes]) -> bool:
    """Whether the leaf is in the tree of the root, as MerkleProof.verify decides it."""
    return root_from(leaf, path) == root
