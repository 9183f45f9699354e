"""Keyed digests that stand on chain for identifiers.

An unkeyed digest of a USCC could be found by trying them all; without the jurisdiction key (32 bytes, held by
onboarded platforms, auditors and the gateway) nothing can be tried. The same identifier has the same digest on every
platform, so one invoice is recognised wherever it is posted. Each kind has its own prefix, so that no digest serves for
another kind.

All are HMAC-SHA256 over UTF-8 text, parts joined by colons. Only the last part may hold colons of its own (a USCC never
does, a maker's document number may not, see `chain.record`), so two different lists of parts never make one text.
"""

import hmac
from functools import lru_cache

CONTROLLER_BYTES = 16
KEY_BYTES = 32
MAKER_PREFIX = "maker:"


@lru_cache(maxsize=16_384)  # a few organisations stand in very many trades
def entity_id(key: bytes, uscc: str) -> bytes:
    """Registry id of an organisation: 32 bytes.

    Args:
        key: jurisdiction key.
        uscc: 统一社会信用代码, or `maker:<document number>` for a claimant who is not a legal person.
    """
    return _digest(key, "entity", uscc)


def settlement_key(key: bytes, invoice_id: str) -> bytes:
    """Key of a settlement, by its invoice: 32 bytes, single-use within a group of programmes.

    Upper and lower case count as one, so that an invoice typed twice is the same invoice.
    """
    return _digest(key, "invoice", invoice_id.upper())


def contract_key(key: bytes, buyer: str, supplier: str, contract_number: str) -> bytes:
    """Key of an agreement: 32 bytes.

    Parties number their contracts themselves, so they are part of it. Upper and lower case count as one.
    """
    return _digest(key, "contract", buyer, supplier, contract_number.upper())


def trade_id(key: bytes, platform: str, number: str) -> bytes:
    """On-chain id of a platform's trade: 32 bytes."""
    return _digest(key, "trade", platform, number)


def content_key(key: bytes, content_sha256: bytes) -> bytes:
    """What is kept of a record whose content was erased: 32 bytes that recognise it and cannot be tried."""
    return _digest(key, "content", content_sha256.hex())


def controller_id(key: bytes, group: str | None) -> bytes:
    """On-chain id of a controlling group: 16 bytes; zeros, which relate nobody, where there is none."""
    return _digest(key, "controller", group)[:CONTROLLER_BYTES] if group else bytes(CONTROLLER_BYTES)


def _digest(key: bytes, *parts: str) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"the jurisdiction key has {KEY_BYTES} bytes, not {len(key)}")
    return hmac.digest(key, ":".join(parts).encode(), "sha256")
