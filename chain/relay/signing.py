"""A signed transaction, as a row that is not in any session yet."""

import time
from typing import Any

from eth_hash.auto import keccak

from chain.abi import checksum_address
from chain.keys import Signer

from .fees import Fees
from .models import ChainTransaction, TransactionStatus

NOOP_GAS = 21_000


def sign(
    signer: Signer,
    chain_id: int,
    *,
    to: bytes,
    data: bytes,
    gas_limit: int,
    nonce: int,
    fees: Fees,
    bumps: int = 0,
    noop: bool = False,
) -> ChainTransaction:
    """A signed call of a contract."""
    fields: dict[str, Any] = {
        "chainId": chain_id,
        "nonce": nonce,
        "to": checksum_address(to),
        "value": 0,
        "data": data,
        "gas": gas_limit,
        **fees.fields(),
    }
    raw = signer.sign_transaction(fields)
    return ChainTransaction(
        signer=address_of(signer),
        nonce=nonce,
        hash=keccak(raw),
        raw=raw,
        gas_limit=gas_limit,
        max_fee_wei=fees.max_fee_wei,
        tip_wei=fees.tip_wei,
        bumps=bumps,
        noop=noop,
        status=TransactionStatus.SIGNED,
        waiting_since=time.time(),
    )


def sign_noop(signer: Signer, chain_id: int, *, nonce: int, fees: Fees, bumps: int = 0) -> ChainTransaction:
    """A signed transfer of nothing to itself: it uses up a nonce and has no effect."""
    to = address_of(signer)
    return sign(signer, chain_id, to=to, data=b"", gas_limit=NOOP_GAS, nonce=nonce, fees=fees, bumps=bumps, noop=True)


def address_of(signer: Signer) -> bytes:
    """A key's address, 20 bytes."""
    return bytes.fromhex(signer.address.removeprefix("0x"))
