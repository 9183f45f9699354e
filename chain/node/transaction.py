"""Raw signed transactions: decoding, sender recovery, and the checks that need no state.

Decoded once, on entry. py-evm's own classes recover the sender and verify the signature again at every execution;
this one carries the attributes py-evm's executor reads and nothing else.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from coincurve import PublicKey
from eth_typing import Address

from .codec import Item, int_to_bytes, keccak, rlp_decode, rlp_encode
from .errors import TransactionRejected

LEGACY, ACCESS_LIST, DYNAMIC_FEE = 0, 1, 2

_SECP256K1_HALF_N = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_MAX_RAW_BYTES = 128 * 1024  # geth's txMaxSize
_MAX_INITCODE_BYTES = 49_152  # EIP-3860
_FIELD_COUNT = {LEGACY: 9, ACCESS_LIST: 11, DYNAMIC_FEE: 12}

AccessList: TypeAlias = tuple[tuple[Address, tuple[int, ...]], ...]


@dataclass(frozen=True)
class SignedTransaction:
    """A transaction with a valid signature. Fees in wei, `to` empty for a contract creation."""

    raw: bytes
    hash: bytes
    sender: Address
    type_id: int
    chain_id: int
    nonce: int
    max_priority_fee_per_gas: int
    max_fee_per_gas: int
    gas: int
    to: Address
    value: int
    data: bytes
    access_list: AccessList
    v: int
    r: int
    s: int

    @cached_property
    def intrinsic_gas(self) -> int:
        """Gas taken before execution, as py-evm counts it: initcode words are charged by the EVM itself."""
        return intrinsic_gas(self.to, self.data, self.access_list)

    @property
    def worst_case_cost(self) -> int:
        """Wei the sender must own for the transaction to be executable."""
        return self.gas * self.max_fee_per_gas + self.value

    def effective_gas_price(self, base_fee: int) -> int:
        """Wei per gas paid in a block with this base fee (EIP-1559)."""
        return min(self.max_fee_per_gas, base_fee + self.max_priority_fee_per_gas)


def intrinsic_gas(to: bytes, data: bytes, access_list: AccessList) -> int:
    """Gas taken before execution (EIP-2028, EIP-2930), without EIP-3860's initcode words."""
    zeros = data.count(0)
    slots = sum(len(keys) for _, keys in access_list)
    return (21_000 if to else 53_000) + 4 * zeros + 16 * (len(data) - zeros) + 2_400 * len(access_list) + 1_900 * slots


def initcode_gas(to: bytes, data: bytes) -> int:
    """Gas for the initcode's words of a contract creation (EIP-3860), zero for a call."""
    return 0 if to else 2 * ((len(data) + 31) // 32)


def decode_transaction(raw: bytes, chain_id: int, *, sender: Address | None = None) -> SignedTransaction:
    """Decode a raw transaction of type 0, 1 or 2 and recover its sender.

    Args:
        sender: the sender where it is known already; then the signature is not looked at.

    Raises:
        TransactionRejected: malformed, another type, another chain, or no valid signature.
    """
    if len(raw) > _MAX_RAW_BYTES:
        raise TransactionRejected(f"oversized data: transaction size {len(raw)}, limit {_MAX_RAW_BYTES}")
    if not raw:
        raise TransactionRejected("typed transaction too short")
    type_id = LEGACY if raw[0] >= 0xC0 else raw[0]
    if type_id not in _FIELD_COUNT or raw[0] == 0:
        raise TransactionRejected("transaction type not supported")
    try:
        fields = rlp_decode(raw if type_id == LEGACY else raw[1:])
    except ValueError as error:
        raise TransactionRejected(str(error)) from error
    if not isinstance(fields, list) or len(fields) != _FIELD_COUNT[type_id]:
        raise TransactionRejected(f"rlp: expected a list of {_FIELD_COUNT[type_id]} fields")
    transaction = _build(raw, type_id, fields, chain_id, sender)
    if not transaction.to and len(transaction.data) > _MAX_INITCODE_BYTES:
        raise TransactionRejected(
            f"max initcode size exceeded: code size {len(transaction.data)}, limit {_MAX_INITCODE_BYTES}"
        )
    needed = transaction.intrinsic_gas + initcode_gas(transaction.to, transaction.data)
    if transaction.gas < needed:
        raise TransactionRejected(f"intrinsic gas too low: gas {transaction.gas}, minimum needed {needed}")
    if transaction.max_fee_per_gas < transaction.max_priority_fee_per_gas:
        raise TransactionRejected(
            "max priority fee per gas higher than max fee per gas: "
            f"maxPriorityFeePerGas: {transaction.max_priority_fee_per_gas}, "
            f"maxFeePerGas: {transaction.max_fee_per_gas}"
        )
    return transaction


def _build(raw: bytes, type_id: int, fields: list[Item], chain_id: int, sender: Address | None) -> SignedTransaction:
    names = iter(fields)
    signed_chain = 0 if type_id == LEGACY else _uint(next(names), "chainId")
    nonce = _uint(next(names), "nonce", 64)
    tip = _uint(next(names), "maxPriorityFeePerGas" if type_id == DYNAMIC_FEE else "gasPrice")
    fee = _uint(next(names), "maxFeePerGas") if type_id == DYNAMIC_FEE else tip
    gas = _uint(next(names), "gas", 64)
    to = _bytes(next(names), "to")
    if len(to) not in (0, 20):
        raise TransactionRejected(f"rlp: field to has {len(to)} bytes, want 0 or 20")
    value = _uint(next(names), "value")
    data = _bytes(next(names), "data")
    access_list = () if type_id == LEGACY else _access_list(next(names))
    v, r, s = (_uint(next(names), name) for name in "vrs")

    if type_id == LEGACY:
        if v < 35:
            raise TransactionRejected("only replay-protected (EIP-155) transactions allowed over RPC")
        signed_chain, parity = divmod(v - 35, 2)
        signed = rlp_encode([*fields[:6], int_to_bytes(signed_chain), b"", b""])
    else:
        parity = v
        signed = raw[:1] + rlp_encode(fields[:-3])
    if signed_chain != chain_id:
        raise TransactionRejected(f"invalid sender: invalid chain id for signer: have {signed_chain} want {chain_id}")
    return SignedTransaction(
        raw=raw,
        hash=keccak(raw),
        sender=sender or _recover(keccak(signed), parity, r, s),
        type_id=type_id,
        chain_id=signed_chain,
        nonce=nonce,
        max_priority_fee_per_gas=tip,
        max_fee_per_gas=fee,
        gas=gas,
        to=Address(to),
        value=value,
        data=data,
        access_list=access_list,
        v=v,
        r=r,
        s=s,
    )


def _recover(digest: bytes, parity: int, r: int, s: int) -> Address:
    # Only the low s (EIP-2): otherwise anyone could give a pending transaction a second hash.
    if parity > 1 or r == 0 or not 0 < s <= _SECP256K1_HALF_N:
        raise TransactionRejected("invalid sender: invalid transaction v, r, s values")
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception as error:  # coincurve raises bare Exception for a point that is not on the curve
        raise TransactionRejected("invalid sender: invalid transaction v, r, s values") from error
    return Address(keccak(key.format(compressed=False)[1:])[12:])


def _bytes(item: Item, name: str) -> bytes:
    if not isinstance(item, bytes):
        raise TransactionRejected(f"rlp: field {name} is a list, want bytes")
    return item


def _uint(item: Item, name: str, bits: int = 256) -> int:
    data = _bytes(item, name)
    if data[:1] == b"\x00":
        raise TransactionRejected(f"rlp: non-canonical integer (leading zero bytes) for field {name}")
    if len(data) * 8 > bits:
        raise TransactionRejected(f"rlp: field {name} does not fit {bits} bits")
    return int.from_bytes(data, "big")


def _access_list(item: Item) -> AccessList:
    entries = []
    for entry in item if isinstance(item, list) else [item]:
        match entry:
            case [bytes(address), list(keys)] if len(address) == 20 and all(
                isinstance(key, bytes) and len(key) == 32 for key in keys
            ):
                slots = tuple(int.from_bytes(key, "big") for key in keys if isinstance(key, bytes))
                entries.append((Address(address), slots))
            case _:
                raise TransactionRejected("rlp: malformed access list")
    return tuple(entries)
