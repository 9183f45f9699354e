"""Block headers as Cancun has them."""

from dataclasses import dataclass, fields
from functools import cached_property

from .codec import EMPTY_TRIE_ROOT, Item, int_to_bytes, keccak, rlp_decode, rlp_encode

_NO_UNCLES_HASH = keccak(rlp_encode([]))


@dataclass(frozen=True)
class Header:
    """A header; the fields are in the order in which they are hashed (EIP-1559, 4895, 4844, 4788). Wei and gas."""

    parent_hash: bytes
    uncles_hash: bytes
    coinbase: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    bloom: bytes
    difficulty: int
    number: int
    gas_limit: int
    gas_used: int
    timestamp: int
    extra_data: bytes
    mix_hash: bytes
    nonce: bytes
    base_fee_per_gas: int
    withdrawals_root: bytes
    blob_gas_used: int
    excess_blob_gas: int
    parent_beacon_block_root: bytes

    @cached_property
    def encoded(self) -> bytes:
        """RLP."""
        values = (getattr(self, field.name) for field in fields(self))
        return rlp_encode([int_to_bytes(value) if isinstance(value, int) else value for value in values])

    @cached_property
    def hash(self) -> bytes:
        """The block hash."""
        return keccak(self.encoded)

    @classmethod
    def decode(cls, encoded: bytes) -> "Header":
        """A header from its RLP."""
        items: Item = rlp_decode(encoded)
        values = {
            field.name: int.from_bytes(item, "big") if field.type == "int" or field.type is int else item
            for field, item in zip(fields(cls), items, strict=True)
            if isinstance(item, bytes)
        }
        return cls(**values)  # type: ignore[arg-type]


def new_header(
    *, parent_hash: bytes, state_root: bytes, number: int, gas_limit: int, timestamp: int, base_fee_per_gas: int
) -> Header:
    """The header of a block without transactions: what proof of work and of stake used is zero."""
    return Header(
        parent_hash=parent_hash,
        uncles_hash=_NO_UNCLES_HASH,
        coinbase=bytes(20),
        state_root=state_root,
        transactions_root=EMPTY_TRIE_ROOT,
        receipts_root=EMPTY_TRIE_ROOT,
        bloom=bytes(256),
        difficulty=0,
        number=number,
        gas_limit=gas_limit,
        gas_used=0,
        timestamp=timestamp,
        extra_data=b"",
        mix_hash=bytes(32),
        nonce=bytes(8),
        base_fee_per_gas=base_fee_per_gas,
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=bytes(32),
    )
