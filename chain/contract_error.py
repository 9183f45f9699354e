"""What a contract answers when it refuses: the named error and its numbers."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

# Solidity's own codes (docs.soliditylang.org, "Panic via assert and Error via require").
PANIC_REASONS = {
    0x00: "generic compiler panic",
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "value outside its enum",
    0x22: "storage array badly encoded",
    0x31: "pop of an empty array",
    0x32: "array index out of bounds",
    0x41: "too much memory",
    0x51: "call of an uninitialised function",
}


class ContractError(Exception):
    """A contract refused.

    Attributes:
        name: the error as declared, for example `VoucherLedger_NothingToPay`; `Error` and `Panic` as Solidity has
            them; `Unknown` for bytes of no known error; `Reverted` where the contract gave no reason.
        arguments: its arguments by name; amounts in fen, rates in basis points, times in Unix seconds.
        data: the bytes that the contract returned.
    """

    def __init__(self, name: str, arguments: Mapping[str, Any], data: bytes = b"") -> None:
        self.name = name
        self.arguments = dict(arguments)
        self.data = data
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The name with its arguments, bytes as 0x-hex and enums by name."""
        shown = ", ".join(f"{name}={_show(value)}" for name, value in self.arguments.items())
        return f"{self.name}({shown})"

    def __reduce__(self) -> tuple[type["ContractError"], tuple[str, dict[str, Any], bytes]]:
        return type(self), (self.name, self.arguments, self.data)


def _show(value: object) -> str:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, IntEnum):
        return value.name
    return repr(value) if isinstance(value, str) and not value.startswith("0x") else str(value)
