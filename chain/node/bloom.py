"""Logs blooms (Yellow Paper, section 4.3.1)."""

from collections.abc import Iterable
from functools import lru_cache

from .codec import keccak


# Addresses and event signatures repeat in almost every log.
@lru_cache(maxsize=16_384)
def _bits(value: bytes) -> int:
    digest = keccak(value)
    bits = 0
    for start in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") & 2047)
    return bits


def logs_bloom(logs: Iterable[tuple[bytes, tuple[bytes, ...]]]) -> bytes:
    """Bloom of (address, topics) pairs, 256 bytes."""
    bloom = 0
    for address, topics in logs:
        bloom |= _bits(address)
        for topic in topics:
            bloom |= _bits(topic)
    return bloom.to_bytes(256, "big")


def union(blooms: Iterable[bytes]) -> bytes:
    """Bloom of everything that is in any of the blooms."""
    bits = 0
    for bloom in blooms:
        bits |= int.from_bytes(bloom, "big")
    return bits.to_bytes(256, "big")
