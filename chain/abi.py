"""Encoders and decoders of functions, events and errors, built once from an ABI.

web3.py looks the ABI up and checks every value on each use (2,300 logs a second). Here an `eth_abi` codec is fetched
once for each list of types, and events whose values have fixed places are read by `words`. Structs are dicts on the way
out, and dicts or tuples on the way in; enums come out as the `IntEnum` of the same name; addresses have their EIP-55
form; bytes are bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, TypeAlias

from eth_abi.decoding import ContextFramesBytesIO
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import registry
from eth_hash.auto import keccak

from .enums import BY_SOLIDITY_NAME
from .words import NotStatic, Words

Entry: TypeAlias = dict[str, Any]
Convert: TypeAlias = Callable[[Any], Any]


class AbiError(ValueError):
    """Values do not fit the ABI, or bytes do not decode by it."""


@lru_cache(maxsize=8192)
def checksum_address(address: bytes | str) -> str:
    """EIP-55 form of 20 bytes, or of their hex with or without 0x in any case.

    Raises:
        ValueError: not 20 bytes of hex.
    """
    raw = bytes.fromhex(address.removeprefix("0x")) if isinstance(address, str) else address
    if len(raw) != 20:
        raise ValueError(f"an address has 20 bytes, not {len(raw)}")
    text = raw.hex()
    digest = keccak(text.encode()).hex()
    return "0x" + "".join(c.upper() if d >= "8" else c for c, d in zip(text, digest, strict=False))


def to_bytes(value: bytes | str) -> bytes:
    """Bytes of 0x-hex as nodes send it; bytes pass."""
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else value


class Parameters:
    """A list of parameters, encoded together."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.names = [str(entry["name"]) for entry in entries]
        self.types = [_type(entry) for entry in entries]
        self._entries = entries
        joined = f"({','.join(self.types)})"
        # eth_abi annotates the codecs as classes whose instances cannot be called
        self._encoder: Callable[[Any], bytes] | None = registry.get_encoder(joined) if entries else None  # type: ignore[assignment]
        self._decoder: Callable[[Any], Any] | None = registry.get_tuple_decoder(*self.types) if entries else None
        self._outward = [_outward(entry) for entry in entries]
        self._inward = [_inward(entry) for entry in entries]

    @property
    def signature(self) -> str:
        """The types in parentheses."""
        return f"({','.join(self.types)})"

    def encode(self, values: Sequence[Any] | Mapping[str, Any]) -> bytes:
        """ABI encoding of values in order, or by name.

        Raises:
            AbiError: a value is missing, unknown or of another type.
        """
        ordered = _ordered(values, self.names)
        if self._encoder is None:
            return b""
        converted = tuple(
            value if convert is None else convert(value) for convert, value in zip(self._inward, ordered, strict=True)
        )
        try:
            encoded = self._encoder(converted)
        except (EncodingError, TypeError, ValueError) as error:
            raise AbiError(f"cannot encode {self.signature}: {error}") from error
        return encoded

    def decode(self, data: bytes) -> list[Any]:
        """Values in order.

        Raises:
            AbiError: the bytes do not decode.
        """
        if self._decoder is None:
            return []
        try:
            raw = self._decoder(ContextFramesBytesIO(data))  # type: ignore[no-untyped-call]
        except (DecodingError, ValueError, OverflowError) as error:
            raise AbiError(f"cannot decode {self.signature}: {error}") from error
        return [value if convert is None else convert(value) for convert, value in zip(self._outward, raw, strict=True)]

    def decode_named(self, data: bytes) -> dict[str, Any]:
        """Values by name."""
        return dict(zip(self.names, self.decode(data), strict=True))


class Function:
    """A function: its calls and results."""

    def __init__(self, entry: Entry) -> None:
        self.name = str(entry["name"])
        self.inputs = Parameters(entry["inputs"])
        self.outputs = Parameters(entry["outputs"])
        self.signature = self.name + self.inputs.signature
        self.selector = keccak(self.signature.encode())[:4]

    def encode_call(self, arguments: Sequence[Any] | Mapping[str, Any]) -> bytes:
        """Call data."""
        return self.selector + self.inputs.encode(arguments)

    def decode_result(self, data: bytes) -> Any:
        """The value returned; a list of them where there are several, None where there is none."""
        values = self.outputs.decode(data)
        if len(values) > 1:
            return values
        return values[0] if values else None


class EventCodec:
    """An event: its logs."""

    def __init__(self, entry: Entry) -> None:
        self.name = str(entry["name"])
        inputs: list[Entry] = entry["inputs"]
        self.signature = self.name + Parameters(inputs).signature
        self.topic = keccak(self.signature.encode())
        # Whoever declares an indexed string or struct gets its digest: nothing else is in the log.
        self._indexed = Parameters([_hashed(one) for one in inputs if one["indexed"]])
        self._data = Parameters([one for one in inputs if not one["indexed"]])
        self._names = [str(one["name"]) for one in inputs]
        indexed = [_hashed(one) for one in inputs if one["indexed"]]
        self._topics = len(indexed) + 1
        order = [*indexed, *(one for one in inputs if not one["indexed"])]
        self._order = [str(one["name"]) for one in order]
        self._in_order = self._order == self._names
        try:
            self._words: Words | None = Words(order, _outward)
        except NotStatic:
            self._words = None

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Arguments by name, in the order of declaration.

        Args:
            topics: 32 bytes each, the event's own first.
            data: the other arguments.

        Raises:
            AbiError: another event, or bytes that do not decode.
        """
        if len(topics) != self._topics or topics[0] != self.topic:
            raise AbiError(f"not a log of {self.name}")
        return self.decode_joined(b"".join(topics[1:]), data)

    def decode_joined(self, indexed: bytes, data: bytes) -> dict[str, Any]:
        """As `decode`, from the words of the topics after the event's own, joined."""
        if self._words is not None:
            try:
                values = self._words.read(indexed + data)
            except ValueError as error:
                raise AbiError(f"cannot decode {self.signature}: {error}") from error
            found = dict(zip(self._order, values, strict=True))
            return found if self._in_order else {name: found[name] for name in self._names}
        if len(indexed) != 32 * (self._topics - 1):
            raise AbiError(f"not a log of {self.name}")
        found = self._indexed.decode_named(indexed) | self._data.decode_named(data)
        return {name: found[name] for name in self._names}


class ErrorCodec:
    """A custom error."""

    def __init__(self, entry: Entry) -> None:
        self.name = str(entry["name"])
        self.inputs = Parameters(entry["inputs"])
        self.signature = self.name + self.inputs.signature
        self.selector = keccak(self.signature.encode())[:4]

    def decode(self, data: bytes) -> dict[str, Any]:
        """Arguments by name, from what follows the selector."""
        return self.inputs.decode_named(data)


def _type(entry: Entry) -> str:
    """Type in the form that signatures use: structs as tuples."""
    kind = str(entry["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(one) for one in entry['components'])}){kind.removeprefix('tuple')}"


def _hashed(entry: Entry) -> Entry:
    kind = str(entry["type"])
    dynamic = kind in ("string", "bytes") or kind.startswith("tuple") or kind.endswith("]")
    return {"name": entry["name"], "type": "bytes32"} if dynamic else entry


def _ordered(values: Sequence[Any] | Mapping[str, Any], names: list[str]) -> Sequence[Any]:
    if isinstance(values, Mapping):
        if values.keys() != set(names):
            wrong = ", ".join(sorted(values.keys() ^ set(names)))
            raise AbiError(f"missing or unknown: {wrong}")
        return [values[name] for name in names]
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise AbiError(f"want {len(names)} values ({', '.join(names)}), got {type(values).__name__}")
    if len(values) != len(names):
        raise AbiError(f"want {len(names)} values ({', '.join(names)}), got {len(values)}")
    return values


def _element(entry: Entry) -> Entry | None:
    """The entry of an array's elements, None where it is not an array."""
    kind = str(entry["type"])
    return {**entry, "type": kind[: kind.rindex("[")]} if kind.endswith("]") else None


def _outward(entry: Entry) -> Convert | None:
    element = _element(entry)
    if element is not None:
        inner = _outward(element)
        return list if inner is None else lambda values: [inner(one) for one in values]
    if entry["type"] == "tuple":
        fields = [(str(one["name"]), _outward(one)) for one in entry["components"]]
        return lambda values: {
            name: value if convert is None else convert(value)
            for (name, convert), value in zip(fields, values, strict=True)
        }
    if entry["type"] == "address":
        return checksum_address
    enum = BY_SOLIDITY_NAME.get(str(entry.get("internalType", "")).removeprefix("enum "))
    if enum is None:
        return None
    # A number beyond the enum, from a contract newer than this code, stays a number.
    members = {int(member): member for member in enum}
    return lambda value: members.get(value, value)


def _inward(entry: Entry) -> Convert | None:
    element = _element(entry)
    if element is not None:
        inner = _inward(element)
        return None if inner is None else lambda values: [inner(one) for one in values]
    if entry["type"] == "tuple":
        names = [str(one["name"]) for one in entry["components"]]
        fields = [_inward(one) for one in entry["components"]]
        return lambda values: tuple(
            value if convert is None else convert(value)
            for convert, value in zip(fields, _ordered(values, names), strict=True)
        )
    size = str(entry["type"]).removeprefix("bytes")
    return partial(_exact, int(size)) if size.isdigit() else None


def _exact(size: int, value: bytes) -> bytes:
    """eth_abi would fill up a digest that lost a byte."""
    if len(value) != size:
        raise AbiError(f"bytes{size} has {size} bytes, not {len(value)}")
    return value
