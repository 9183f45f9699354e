"""Checks posted records one by one and makes of each what stands on chain for it."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from chain.field_digests import RECORD_SALT_BYTES
from chain.record import Record, RecordError, from_dict, to_trade
from chain.trade import Trade

MAX_SKEW_S = 60
"""How far a platform's clock may be ahead of ours. A batch waits until its trades are past, since the chain takes none
from the future."""
_SALT = re.compile(rf"0x[0-9a-f]{{{2 * RECORD_SALT_BYTES}}}")

_to_json = msgspec.json.Encoder(order="sorted").encode
_from_json = msgspec.json.Decoder().decode


class Checked(msgspec.Struct, frozen=True):
    """A good record.

    Attributes:
        position: Place in the body, from 0.
        content: Canonical JSON, UTF-8.
        content_digest: SHA-256 of it.
        salt: 32 bytes.
    """

    position: int
    record: Record
    content: bytes
    content_digest: bytes
    salt: bytes
    trade: Trade
    leaf: bytes


class Faults(msgspec.Struct, frozen=True):
    """A bad record: `{"pointer", "rule", "detail"}` each, the pointer from the body's root."""

    position: int
    trade_id: str | None
    errors: list[dict[str, str]]


class Checker:
    """Checks the records of one submission.

    Args:
        platform: USCC that every record must name.
        custody: Whether the gateway salts and signs; then no record brings a salt, else each does.
        key: Jurisdiction key.
        now: Unix seconds.
    """

    def __init__(self, *, platform: str, custody: bool, key: bytes, now: int) -> None:
        self._platform = platform
        self._custody = custody
        self._key = key
        self._latest = now + MAX_SKEW_S

    def check(self, position: int, text: bytes | msgspec.Raw) -> Checked | Faults:
        """A record, good or bad."""
        try:
            content = _from_json(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return self._faulty(position, None, [("", "json", f"is not JSON in UTF-8: {error}")])
        if not isinstance(content, dict):
            return self._faulty(position, None, [("", "type", "a record is a JSON object")])
        salt = content.pop("salt", None)
        trade_id = content.get("trade_id")
        name = trade_id if isinstance(trade_id, str) else None
        wrong = self._salt_fault(salt)
        try:
            record = from_dict(content, now=self._latest)
        except RecordError as error:
            wrong += [(problem.pointer, problem.rule, problem.message) for problem in error.problems]
            return self._faulty(position, name, wrong)
        if record.platform != self._platform:
            wrong.append(("/platform", "same_platform", "must be the platform that posts"))
        if wrong:
            return self._faulty(position, name, wrong)
        salt_bytes = secrets.token_bytes(RECORD_SALT_BYTES) if salt is None else bytes.fromhex(salt[2:])
        canonical = _to_json(record)
        trade = to_trade(record, salt_bytes, self._key, custody=self._custody)
        return Checked(
            position=position,
            record=record,
            content=canonical,
            content_digest=hashlib.sha256(canonical).digest(),
            salt=salt_bytes,
            trade=trade,
            leaf=trade.leaf(),
        )

    def _salt_fault(self, salt: Any) -> list[tuple[str, str, str]]:
        if self._custody:
            return [] if salt is None else [("/salt", "custody", "in custody the gateway chooses the salt")]
        if isinstance(salt, str) and _SALT.fullmatch(salt):
            return []
        return [("/salt", "salt", f"must be 0x and {2 * RECORD_SALT_BYTES} lower-case hex digits")]

    @staticmethod
    def _faulty(position: int, trade_id: str | None, wrong: Sequence[tuple[str, str, str]]) -> Faults:
        errors = [
            {"pointer": f"/records/{position}{pointer}", "rule": rule, "detail": detail}
            for pointer, rule, detail in wrong
        ]
        return Faults(position, trade_id, errors)


def stored_record(content: bytes) -> Record:
    """A record as it was stored."""
    return msgspec.json.decode(content, type=Record)
