"""Chain values as columns hold them."""

from enum import IntEnum
from functools import lru_cache
from typing import Any

from chain.enums import NO_CAP

_LARGEST = 2**63 - 1


@lru_cache(maxsize=256, typed=True)
def word(value: Any) -> str:
    """An enum's name in lower case; a number beyond the enum, from a newer contract, as its digits."""
    return value.name.lower() if isinstance(value, IntEnum) else str(value)


def short_text(value: bytes) -> str:
    """The ASCII text in a bytes32; what is not ASCII is replaced, for anybody may have written it."""
    text = value.rstrip(b"\0").decode("ascii", errors="replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def text(value: str) -> str:
    """A text without NULs, which PostgreSQL refuses."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


def account(value: str) -> bytes:
    """The 20 bytes of an address."""
    return bytes.fromhex(value.removeprefix("0x"))


def nonzero(value: bytes) -> bytes | None:
    """None for zero, which stands for none on chain."""
    return value if any(value) else None


def cap(value: int) -> int | None:
    """None for a cap that does not bind."""
    return None if value == NO_CAP else value


def bounded(value: int) -> int:
    """A uint64 in a signed column: an absurd figure (above nine trillion yuan) is cut; its event has it whole."""
    return min(value, _LARGEST)
