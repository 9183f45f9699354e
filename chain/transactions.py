"""Transactions as bytes: what is signed, and what is broadcast. Legacy with a chain id (EIP-155) and EIP-1559.

Written out here, as a signer elsewhere (`web3signer`) is sent the bytes that it signs, which eth-account does not show.
"""

from collections.abc import Mapping
from typing import Any

import rlp  # type: ignore[import-untyped]

from .abi import to_bytes

_DYNAMIC_FEE = b"\x02"
_KNOWN = frozenset(
    {"chainId", "nonce", "to", "value", "data", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas"}
)


def unsigned_bytes(fields: Mapping[str, Any]) -> bytes:
    """The bytes whose keccak256 is signed.

    Args:
        fields: named as in JSON-RPC. `chainId`, `nonce`, `gas` and either `gasPrice` or `maxFeePerGas` and
            `maxPriorityFeePerGas` must be there; without `to` a contract is created.

    Raises:
        ValueError: a field is missing or unknown.
    """
    body = _body(fields)
    if "maxFeePerGas" in fields:
        return _DYNAMIC_FEE + _encoded(body)
    return _encoded([*body, fields["chainId"], 0, 0])


def signed_bytes(fields: Mapping[str, Any], signature: bytes) -> bytes:
    """The raw transaction.

    Args:
        fields: as `unsigned_bytes` was given them.
        signature: r ‖ s ‖ v over the keccak256 of those bytes, v being 27 or 28.
    """
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    parity = signature[64] - 27
    if "maxFeePerGas" in fields:
        return _DYNAMIC_FEE + _encoded([*_body(fields), parity, r, s])
    return _encoded([*_body(fields), 2 * fields["chainId"] + 35 + parity, r, s])


def _body(fields: Mapping[str, Any]) -> list[Any]:
    unknown = fields.keys() - _KNOWN
    if unknown:
        raise ValueError(f"unknown fields of a transaction: {', '.join(sorted(unknown))}")
    try:
        call = [to_bytes(fields.get("to") or b""), fields.get("value", 0), to_bytes(fields.get("data", b""))]
        if "maxFeePerGas" in fields:
            fees = [fields["maxPriorityFeePerGas"], fields["maxFeePerGas"]]
            return [fields["chainId"], fields["nonce"], *fees, fields["gas"], *call, []]
        return [fields["nonce"], fields["gasPrice"], fields["gas"], *call]
    except KeyError as missing:
        raise ValueError(f"a transaction needs the field {missing}") from None


def _encoded(items: list[Any]) -> bytes:
    encoded: bytes = rlp.encode(items)
    return encoded
