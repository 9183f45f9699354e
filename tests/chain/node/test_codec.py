"""Encodings against the libraries that others verify with."""

import pytest
import rlp
from eth_bloom import BloomFilter
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from chain.node.bloom import logs_bloom
from chain.node.codec import ordered_trie_root
from chain.node.header import Header, new_header


def inserted_root(items: list[bytes]) -> bytes:
    trie = HexaryTrie({})
    for index, item in enumerate(items):
        trie[rlp.encode(index)] = item
    return trie.root_hash


# The key rlp(index) grows to two bytes at 128 and to three at 256; items below 32 bytes are embedded in their parent.
@pytest.mark.parametrize("count", [0, 1, 2, 3, 15, 16, 17, 127, 128, 129, 130, 255, 256, 257, 300])
@pytest.mark.parametrize("size", [1, 31, 200])
def test_ordered_root_is_the_inserted_root(count: int, size: int) -> None:
    items = [bytes([1 + index % 255]) * size for index in range(count)]
    assert ordered_trie_root(items) == inserted_root(items)


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=40))
def test_ordered_root_of_any_items_is_the_inserted_root(items: list[bytes]) -> None:
    assert ordered_trie_root(items) == inserted_root(items)


@given(st.lists(st.tuples(st.binary(min_size=20, max_size=20), st.lists(st.binary(min_size=32, max_size=32)))))
def test_bloom_is_that_of_eth_bloom(logs: list[tuple[bytes, list[bytes]]]) -> None:
    bloom = BloomFilter()
    for address, topics in logs:
        bloom.add(address)
        bloom.extend(topics)
    assert int.from_bytes(logs_bloom((address, tuple(topics)) for address, topics in logs), "big") == int(bloom)


def test_header_survives_its_encoding() -> None:
    header = new_header(
        parent_hash=b"\1" * 32, state_root=b"\2" * 32, number=0, gas_limit=10**8, timestamp=1, base_fee_per_gas=10**9
    )
    assert Header.decode(header.encoded) == header
