"""Rows as JSON and back, by the types of their columns: for the undo log and for the digest."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import LargeBinary, inspect

from chain.sql import Base


def encode(model: type[Base], row: Mapping[str, Any]) -> dict[str, Any]:
    """A row, or a part of one, in JSON's types: bytes as hex."""
    binary = _binary_columns(model)
    return {name: value.hex() if value is not None and name in binary else value for name, value in row.items()}


def decode(model: type[Base], row: Mapping[str, Any]) -> dict[str, Any]:
    """What `encode` was given."""
    binary = _binary_columns(model)
    return {
        name: bytes.fromhex(value) if value is not None and name in binary else value for name, value in row.items()
    }


@cache
def _binary_columns(model: type[Base]) -> frozenset[str]:
    return frozenset(column.name for column in inspect(model).columns if isinstance(column.type, LargeBinary))
