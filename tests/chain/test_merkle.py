"""Trees against OpenZeppelin's own package, and proofs that hold for nothing but what they prove."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.merkle import MerkleTree, leaf_hash, pair_hash, root_from, verify
from scripts._anvil import program

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
LEAF_TYPES = ["bytes32", "uint64", "bytes32", "uint32"]
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000]

THEIRS = """
const { StandardMerkleTree } = require('@openzeppelin/merkle-tree');
const { types, trees } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const answer = trees.map(values => {
    const tree = StandardMerkleTree.of(values, types);
    return { root: tree.root, paths: values.map((_, index) => tree.getProof(index)) };
});
require('fs').writeSync(1, JSON.stringify(answer));
"""


def _values(size: int) -> list[list[Any]]:
    pick = random.Random(size)
    return [["0x" + pick.randbytes(32).hex(), n, "0x" + pick.randbytes(32).hex(), n % 7] for n in range(size)]


def _leaf(value: list[Any]) -> bytes:
    platform, sequence, root, count = value
    return leaf_hash(encode(LEAF_TYPES, [bytes.fromhex(platform[2:]), sequence, bytes.fromhex(root[2:]), count]))


def test_roots_and_paths_are_those_of_openzeppelins_package() -> None:
    trees = [_values(size) for size in SIZES]
    twice = _values(6)
    trees += [[*twice, *twice[:3]], [twice[0]] * 5]
    answer = subprocess.run(
        [CONTRACTS / "node_modules" / ".bin" / "node", "-e", THEIRS],
        input=json.dumps({"types": LEAF_TYPES, "trees": trees}).encode(),
        cwd=CONTRACTS,
        capture_output=True,
        check=True,
    ).stdout
    for values, theirs in zip(trees, json.loads(answer), strict=True):
        tree = MerkleTree([_leaf(value) for value in values])
        assert "0x" + tree.root.hex() == theirs["root"]
        for index, value in enumerate(values):
            path = ["0x" + node.hex() for node in tree.path(index)]
            if values.count(value) == 1:
                assert path == theirs["paths"][index]
            assert verify(tree.root, _leaf(value), tree.path(index))


def test_foundrys_cast_comes_to_the_same_leaf_and_root() -> None:
    values = _values(7)
    tree = MerkleTree([_leaf(value) for value in values])
    node = _cast("keccak", _cast("keccak", _cast("abi-encode", f"f({','.join(LEAF_TYPES)})", *map(str, values[3]))))
    assert node == "0x" + _leaf(values[3]).hex()
    for sibling in tree.path(3):
        first, second = sorted((node, "0x" + sibling.hex()))
        node = _cast("keccak", first + second[2:])
    assert node == "0x" + tree.root.hex()


def _cast(*words: str) -> str:
    return subprocess.run([program("cast"), *words], capture_output=True, check=True, text=True).stdout.strip()


LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


@given(leaves=LEAVES, data=st.data())
@settings(max_examples=200)
def test_a_path_proves_its_leaf_and_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    tree = MerkleTree(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = tree.path(index)
    assert verify(tree.root, leaves[index], path)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        bit = data.draw(st.integers(0, 255))
        tampered = (int.from_bytes(path[at], "big") ^ (1 << bit)).to_bytes(32, "big")
        assert not verify(tree.root, leaves[index], [*path[:at], tampered, *path[at + 1 :]])
        assert not verify(tree.root, leaves[index], path[:-1])
    assert not verify(tree.root, leaves[index], [*path, bytes(32)])


@given(leaves=LEAVES, seed=st.integers())
def test_the_root_does_not_depend_on_the_order(leaves: list[bytes], seed: int) -> None:
    shuffled = leaves[:]
    random.Random(seed).shuffle(shuffled)
    assert MerkleTree(shuffled).root == MerkleTree(leaves).root


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    leaves = [leaf_hash(bytes([n]) * 32) for n in range(4)]
    tree = MerkleTree(leaves)
    inner = pair_hash(*sorted(leaves)[:2])
    # Its hash does lead to the root; but no value is known of which it would be the double keccak.
    assert root_from(inner, tree.path(leaves.index(min(leaves)))[1:]) == tree.root
    assert leaf_hash(b"".join(sorted(leaves)[:2])) != inner


@pytest.mark.parametrize("leaves", [[], [b"short"], [bytes(32), bytes(33)]])
def test_what_is_no_tree_is_refused(leaves: list[bytes]) -> None:
    with pytest.raises(ValueError):
        MerkleTree(leaves)


def test_a_leaf_beyond_the_last_is_refused() -> None:
    tree = MerkleTree([bytes(32)])
    assert tree.root == bytes(32)
    assert tree.path(0) == []
    for index in (-1, 1):
        with pytest.raises(IndexError):
            tree.path(index)
