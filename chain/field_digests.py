"""Digests of a flat record from which single fields can be disclosed later, and proved without the others.

    field salts  = SHAKE256(record salt), 16 bytes for each field in order of field name
    field digest = sha256(field salt ‖ canonical JSON of [name, value])
    details      = sha256(schema name ‖ 0x00 ‖ field digests in order of field name)

Whoever is shown a value gets its field salt: that tells neither the record's salt nor any other field's. Without the
salt a value cannot be found by trying, however few values it may have. Fields that are absent have the value null and
a digest like all others, so it does not show which there are.

Canonical JSON is RFC 8785. For strings without control characters, integers below 2⁵³, booleans and null, compact JSON
in UTF-8 is the same bytes.
"""

import struct
from collections.abc import Callable, Sequence
from hashlib import sha256, shake_256
from operator import methodcaller
from typing import Any, TypeAlias

import msgspec

Value: TypeAlias = str | int | bool | None

RECORD_SALT_BYTES = 32
FIELD_SALT_BYTES = 16

_to_json = msgspec.json.Encoder().encode
_digest: Callable[[Any], bytes] = methodcaller("digest")


class FieldSchema:
    """The names of a record's fields, under a schema name that is bound into every digest of details."""

    def __init__(self, name: str, fields: Sequence[str]) -> None:
        self.name = name
        self.fields = tuple(sorted(fields))
        self._heads = {field: b"[" + _to_json(field) + b"," for field in self.fields}
        self._salts = struct.Struct(f"{FIELD_SALT_BYTES}s" * len(self.fields))
        self._ends = (b"]",) * len(self.fields)
        self._prefix = name.encode() + b"\0"

    def digests(self, values: Sequence[Value], record_salt: bytes) -> list[bytes]:
        """Digests of all fields, 32 bytes each.

        Args:
            values: in order of field name, null where a field is absent.
            record_salt: 32 secret random bytes, of this record alone.

        Raises:
            ValueError: there is not one value for each field, or the salt has another length.
        """
        # In C from end to end: this is most of what taking a record costs.
        salts = self._field_salts(record_salt)
        parts = zip(salts, self._heads.values(), map(_to_json, values), self._ends, strict=True)
        return list(map(_digest, map(sha256, map(b"".join, parts))))

    def details(self, digests: Sequence[bytes]) -> bytes:
        """The digest that stands in the trade, 32 bytes.

        Raises:
            ValueError: there is not one digest of 32 bytes for each field.
        """
        if len(digests) != len(self.fields) or set(map(len, digests)) != {32}:
            raise ValueError(f"{self.name} has {len(self.fields)} digests of 32 bytes")
        return sha256(self._prefix + b"".join(digests)).digest()

    def salt(self, record_salt: bytes, field: str) -> bytes:
        """What discloses one field: 16 bytes."""
        return self._field_salts(record_salt)[self.fields.index(field)]

    def digest(self, field: str, value: Value, salt: bytes) -> bytes:
        """Digest of a disclosed field.

        Raises:
            KeyError: the schema has no such field.
            ValueError: the salt has another length.
        """
        if len(salt) != FIELD_SALT_BYTES:
            raise ValueError(f"a field salt has {FIELD_SALT_BYTES} bytes, not {len(salt)}")
        return sha256(salt + self._heads[field] + _to_json(value) + b"]").digest()

    def _field_salts(self, record_salt: bytes) -> Sequence[bytes]:
        """The salts of all fields."""
        if len(record_salt) != RECORD_SALT_BYTES:
            raise ValueError(f"a record's salt has {RECORD_SALT_BYTES} bytes, not {len(record_salt)}")
        return self._salts.unpack(shake_256(record_salt).digest(self._salts.size))
