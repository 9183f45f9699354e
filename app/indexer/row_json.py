"""Rows as JSON and back, by the types of their columns: for the undo log and for the digest."""

from collections.abc import Mapping
from typing import Any

from .tables import Model, table_info


def encode(model: Model, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row, or a part of one, in JSON's types: bytes as hex."""
    binary = table_info(model).binary
    return {name: value.hex() if value is not None and name in binary else value for name, value in row.items()}


def decode(model: Model, row: Mapping[str, Any]) -> dict[str, Any]:
    """What `encode` was given."""
    binary = table_info(model).binary
    return {
        name: bytes.fromhex(value) if value is not None and name in binary else value for name, value in row.items()
    }
