"""JSON-RPC parameters to Python values. Whatever is wrong with one is said in an `InvalidParams`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_typing import Address

from .calls import Call
from .errors import InvalidParams
from .transaction import AccessList

MAX_SLOTS = 1024
TAGS = ("latest", "safe", "finalized", "earliest", "pending")


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block as a client names it: exactly one of the three is set."""

    tag: str | None = None
    number: int | None = None
    hash: bytes | None = None


class Params:
    """The positional parameters of one request, taken one after the other."""

    def __init__(self, values: Sequence[Any], most: int) -> None:
        """Take a request's parameters; `most` is how many the method knows."""
        if len(values) > most:
            raise InvalidParams(f"too many arguments, want at most {most}")
        self._values = values

    def required(self, index: int) -> Any:
        """A parameter that must be there."""
        if index >= len(self._values) or self._values[index] is None:
            raise InvalidParams(f"missing value for required argument {index}")
        return self._values[index]

    def optional(self, index: int) -> Any:
        """A parameter, None where it is left out."""
        return self._values[index] if index < len(self._values) else None


def hex_bytes(value: Any, name: str, size: int | None = None) -> bytes:
    """Bytes from 0x-hex, of a fixed size where one is given."""
    if not isinstance(value, str):
        raise InvalidParams(f"invalid argument {name}: want a hex string")
    if value[:2] not in ("0x", "0X"):
        raise InvalidParams(f"invalid argument {name}: hex string without 0x prefix")
    try:
        # fromhex would skip spaces.
        data = bytes.fromhex(value[2:]) if " " not in value else None
    except ValueError:
        data = None
    if data is None:
        raise InvalidParams(f"invalid argument {name}: invalid hex string")
    if size is not None and len(data) != size:
        raise InvalidParams(f"invalid argument {name}: has {len(data)} bytes, want {size}")
    return data


def address(value: Any, name: str) -> Address:
    """A 20-byte address; the case is not looked at (no EIP-55 check), as on other nodes."""
    return Address(hex_bytes(value, name, 20))


def quantity(value: Any, name: str, bits: int = 256) -> int:
    """An unsigned integer from 0x-hex without leading zeros."""
    if not isinstance(value, str):
        raise InvalidParams(f"invalid argument {name}: want a hex string")
    if value[:2] not in ("0x", "0X"):
        raise InvalidParams(f"invalid argument {name}: hex string without 0x prefix")
    digits = value[2:]
    if not digits:
        raise InvalidParams(f"invalid argument {name}: hex string of no digits")
    if len(digits) > 1 and digits[0] == "0":
        raise InvalidParams(f"invalid argument {name}: hex number with leading zero digits")
    if not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise InvalidParams(f"invalid argument {name}: invalid hex string")
    number = int(digits, 16)
    if number.bit_length() > bits:
        raise InvalidParams(f"invalid argument {name}: hex number > {bits} bits")
    return number


def slot(value: Any, name: str) -> int:
    """A position in storage, which clients send as a quantity or as 32 bytes."""
    padded = isinstance(value, str) and len(value) == 66
    return int.from_bytes(hex_bytes(value, name, 32), "big") if padded else quantity(value, name)


def slots(value: Any, name: str) -> list[int]:
    """Positions in storage, as many as one answer may prove."""
    if not isinstance(value, list) or len(value) > MAX_SLOTS:
        raise InvalidParams(f"invalid argument {name}: want an array of at most {MAX_SLOTS} slots")
    return [slot(one, name) for one in value]


def boolean(value: Any, name: str) -> bool:
    """A boolean; None counts as false."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise InvalidParams(f"invalid argument {name}: want a boolean")
    return value


def block_ref(value: Any, name: str, default: str | None = None) -> BlockRef:
    """A tag, a number, a hash, or an EIP-1898 object."""
    if value is None and default is not None:
        return BlockRef(tag=default)
    if isinstance(value, dict):
        known = {key: value[key] for key in ("blockHash", "blockNumber") if value.get(key) is not None}
        if len(known) != 1:
            raise InvalidParams(f"invalid argument {name}: want blockHash or blockNumber")
        if "blockHash" in known:
            return BlockRef(hash=hex_bytes(known["blockHash"], f"{name}.blockHash", 32))
        return block_ref(known["blockNumber"], f"{name}.blockNumber")
    if isinstance(value, str) and value in TAGS:
        return BlockRef(tag=value)
    if isinstance(value, str) and len(value) == 66:
        return BlockRef(hash=hex_bytes(value, name, 32))
    return BlockRef(number=quantity(value, name, 63))


def call_request(value: Any, name: str) -> Call:
    """The object of eth_call and eth_estimateGas; `input` and `data` are the same."""
    if not isinstance(value, dict):
        raise InvalidParams(f"invalid argument {name}: want an object")

    def number(key: str, bits: int = 256) -> int | None:
        return None if value.get(key) is None else quantity(value[key], f"{name}.{key}", bits)

    payloads = [hex_bytes(value[key], f"{name}.{key}") for key in ("input", "data") if value.get(key) is not None]
    if len(payloads) == 2 and payloads[0] != payloads[1]:
        raise InvalidParams(f'invalid argument {name}: both "data" and "input" are set and not equal')
    legacy_price, fee = number("gasPrice"), number("maxFeePerGas")
    if legacy_price is not None and fee is not None:
        raise InvalidParams(f"invalid argument {name}: both gasPrice and maxFeePerGas are set")
    recipient = value.get("to")
    sender = value.get("from")
    return Call(
        sender=Address(bytes(20)) if sender is None else address(sender, f"{name}.from"),
        to=Address(b"") if recipient in (None, "", "0x") else address(recipient, f"{name}.to"),
        value=number("value") or 0,
        data=payloads[0] if payloads else b"",
        gas=number("gas", 64),
        max_fee_per_gas=legacy_price or fee or 0,
        access_list=_access_list(value.get("accessList"), f"{name}.accessList"),
    )


def _access_list(value: Any, name: str) -> AccessList:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise InvalidParams(f"invalid argument {name}: want an array of objects")
    entries = []
    for position, entry in enumerate(value):
        at = f"{name}[{position}]"
        keys = entry.get("storageKeys") or []
        if not isinstance(keys, list):
            raise InvalidParams(f"invalid argument {at}.storageKeys: want an array")
        slots = tuple(int.from_bytes(hex_bytes(key, f"{at}.storageKeys", 32), "big") for key in keys)
        entries.append((address(entry.get("address"), f"{at}.address"), slots))
    return tuple(entries)


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What eth_getLogs and eth_newFilter are asked for."""

    block_hash: bytes | None
    from_block: BlockRef
    to_block: BlockRef
    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...], ...]


def log_filter(value: Any, name: str) -> LogFilter:
    """A filter object: a block hash or a range, addresses, and topics with null and OR lists."""
    if not isinstance(value, dict):
        raise InvalidParams(f"invalid argument {name}: want an object")
    block_hash = value.get("blockHash")
    if block_hash is not None and (value.get("fromBlock") is not None or value.get("toBlock") is not None):
        raise InvalidParams("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
    addresses = value.get("address")
    if addresses is None:
        addresses = []
    elif isinstance(addresses, str):
        addresses = [addresses]
    topics = value.get("topics") or []
    if not isinstance(addresses, list) or not isinstance(topics, list):
        raise InvalidParams(f"invalid argument {name}: address and topics want arrays")
    if len(topics) > 4:
        raise InvalidParams("exceed max topics")
    if len(addresses) > 1_000 or any(isinstance(wanted, list) and len(wanted) > 1_000 for wanted in topics):
        raise InvalidParams("exceed max addresses or topics per search position")
    return LogFilter(
        block_hash=None if block_hash is None else hex_bytes(block_hash, f"{name}.blockHash", 32),
        from_block=block_ref(value.get("fromBlock"), f"{name}.fromBlock", "latest"),
        to_block=block_ref(value.get("toBlock"), f"{name}.toBlock", "latest"),
        addresses=tuple(address(one, f"{name}.address") for one in addresses),
        topics=tuple(_topic(wanted, f"{name}.topics[{position}]") for position, wanted in enumerate(topics)),
    )


def _topic(wanted: Any, name: str) -> tuple[bytes, ...]:
    """The topics one position may have; none means any."""
    if wanted is None:
        return ()
    alternatives = wanted if isinstance(wanted, list) else [wanted]
    if any(one is None for one in alternatives):
        return ()
    return tuple(hex_bytes(one, name, 32) for one in alternatives)
