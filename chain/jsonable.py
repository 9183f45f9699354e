"""Chain values as JSON: bytes as 0x-hex, integers that JavaScript would round as decimal strings."""

from collections.abc import Mapping
from typing import Any

_LARGEST_EXACT = 2**53


def jsonable(value: Any) -> Any:
    """A decoded argument in JSON's types. Enums become numbers; a text loses its NULs, which PostgreSQL refuses."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        number = int(value)
        return number if abs(number) <= _LARGEST_EXACT else str(number)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {str(name): jsonable(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(member) for member in value]
    return str(value).replace("\0", "\N{REPLACEMENT CHARACTER}")
