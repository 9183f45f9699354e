"""Who signed a digest."""

from coincurve import PublicKey
from eth_hash.auto import keccak

from .abi import checksum_address

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def recover(digest: bytes, signature: bytes) -> str | None:
    """Address of the key that made a signature.

    Accepts what OpenZeppelin's ECDSA.tryRecover accepts: 65 bytes, v of 27 or 28, s in the lower half.

    Args:
        digest: 32 bytes.
        signature: r ‖ s ‖ v.

    Returns:
        EIP-55 address; None for bytes that are no such signature.
    """
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return None
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] - 27]), digest, hasher=None)
    except ValueError:
        return None
    return checksum_address(keccak(key.format(compressed=False)[1:])[12:])
