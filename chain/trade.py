"""A trade as it stands on chain: 16 words, hashed to a leaf."""

import struct
from typing import Any

import msgspec

from .enums import ComputeType, TradeKind
from .merkle import leaf_hash

# bytes32 ×4, uint8 ×2, uint32 ×2, uint40 ×2 (their range is checked apart), uint64 ×3, bytes32 ×3: a word each.
_WORDS = struct.Struct(">32s32s32s32s 31xB31xB 28xI28xI 24xQ24xQ 24xQ24xQ24xQ 32s32s32s")
_UINT40_END = 1 << 40


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """contracts/src/types/Trade.sol, in its order. A msgspec struct because 10,000 are made for one submission.

    Attributes:
        platform: registry id of the platform, 32 bytes as all ids, keys and digests.
        trade_id: keyed digest of the platform's trade number.
        buyer: registry id.
        supplier: registry id.
        kind: `TradeKind`.
        compute_type: `ComputeType`.
        attributes: `TradeAttributes`.
        region: GB/T 2260 code of the place of delivery.
        traded_at: Unix seconds.
        contract_signed_at: Unix seconds.
        settled_fen: amount settled.
        contract_fen: value of the agreement.
        other_support_fen: public support from elsewhere.
        settlement_key: keyed digest of the invoice.
        contract_key: keyed digest of the agreement.
        details: digest of the record's salted fields.
    """

    platform: bytes
    trade_id: bytes
    buyer: bytes
    supplier: bytes
    kind: int
    compute_type: int
    attributes: int
    region: int
    traded_at: int
    contract_signed_at: int
    settled_fen: int
    contract_fen: int
    other_support_fen: int
    settlement_key: bytes
    contract_key: bytes
    details: bytes

    def to_abi(self) -> tuple[Any, ...]:
        """The struct as an argument of a call."""
        return msgspec.structs.astuple(self)

    def encoded(self) -> bytes:
        """`abi.encode(trade)`: 512 bytes.

        Raises:
            ValueError: a member is out of the range of its Solidity type.
        """
        values = msgspec.structs.astuple(self)
        if self.traded_at >= _UINT40_END or self.contract_signed_at >= _UINT40_END:
            raise ValueError("a time is beyond uint40")
        if self.kind >= len(TradeKind) or self.compute_type >= len(ComputeType):
            raise ValueError("a kind or compute type is beyond its enum")
        for value in values[:4] + values[13:]:
            if len(value) != 32:
                raise ValueError("an id, key or digest has 32 bytes")
        try:
            return _WORDS.pack(*values)
        except struct.error as error:
            raise ValueError(f"a number is out of range: {error}") from error

    def leaf(self) -> bytes:
        """Standard Merkle leaf, 32 bytes."""
        return leaf_hash(self.encoded())


SOLIDITY_NAMES = (
    "platform",
    "tradeId",
    "buyer",
    "supplier",
    "kind",
    "computeType",
    "attributes",
    "region",
    "tradedAt",
    "contractSignedAt",
    "settledFen",
    "contractFen",
    "otherSupportFen",
    "settlementKey",
    "contractKey",
    "details",
)
