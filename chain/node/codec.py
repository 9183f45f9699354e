"""RLP, keccak and the root of an ordered trie: the encodings blocks are hashed with.

py-evm builds the transaction and receipt tries by inserting one key after another (11 ms for 50 items, as long as
executing them). Their keys are known beforehand, so the root is computed here bottom-up, each node hashed once.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak as _keccak

Item: TypeAlias = "bytes | list[Item]"

EMPTY_TRIE_ROOT = _keccak(b"\x80")


def keccak(data: bytes) -> bytes:
    """Keccak-256 digest, 32 bytes."""
    return _keccak(data)


def rlp_encode(item: Item) -> bytes:
    """RLP of nested lists of bytes."""
    encoded: bytes = rlp.codec.encode_raw(item)
    return encoded


def rlp_decode(data: bytes) -> Item:
    """Nested lists of bytes from canonical RLP.

    Raises:
        ValueError: not RLP, not canonical, or bytes left over.
    """
    try:
        item: Item = rlp.decode(data)
    except rlp.exceptions.RLPException as error:
        raise ValueError(f"rlp: {error}") from error
    return item


def int_to_bytes(value: int) -> bytes:
    """Big-endian without leading zeros, as RLP wants integers; zero is the empty string."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def ordered_trie_root(items: Sequence[bytes]) -> bytes:
    """Root of the Merkle Patricia trie that maps rlp(index) to each item (Yellow Paper, section 4.3.2).

    The same root as a header's transactionsRoot and receiptsRoot.
    """
    if not items:
        return EMPTY_TRIE_ROOT
    leaves = sorted((_nibbles(rlp_encode(int_to_bytes(index))), item) for index, item in enumerate(items))
    return keccak(rlp_encode(_node(leaves, 0)))


@lru_cache(maxsize=4096)
def _nibbles(key: bytes) -> bytes:
    return bytes(half for byte in key for half in (byte >> 4, byte & 15))


def _path(nibbles: bytes, leaf: bool) -> bytes:
    """Hex-prefix encoding (Yellow Paper, appendix C)."""
    flag = 2 if leaf else 0
    padded = bytes([flag + 1]) + nibbles if len(nibbles) % 2 else bytes([flag, 0]) + nibbles
    return bytes(high << 4 | low for high, low in zip(padded[::2], padded[1::2], strict=True))


def _node(leaves: list[tuple[bytes, bytes]], depth: int) -> Item:
    if len(leaves) == 1:
        nibbles, item = leaves[0]
        return [_path(nibbles[depth:], leaf=True), item]
    # Sorted, so what the first and the last share, all share.
    first, last = leaves[0][0], leaves[-1][0]
    end = depth
    while end < len(first) and end < len(last) and first[end] == last[end]:
        end += 1
    if end > depth:
        return [_path(first[depth:end], leaf=False), _reference(_node(leaves, end))]
    children: list[list[tuple[bytes, bytes]]] = [[] for _ in range(16)]
    for leaf in leaves:
        children[leaf[0][depth]].append(leaf)
    # No rlp(index) is a prefix of another, so a branch never carries a value of its own.
    branch: list[Item] = [_reference(_node(child, depth + 1)) if child else b"" for child in children]
    return [*branch, b""]


def _reference(node: Item) -> Item:
    encoded = rlp_encode(node)
    return node if len(encoded) < 32 else keccak(encoded)
