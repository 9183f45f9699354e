"""Words in which the contracts pack several members of an event, taken apart.

Each word of a log costs 256 gas, so Redeemed and BatchAppended put small numbers side by side (TradeFacts in
contracts/src/types/Trade.sol, BatchAppended in contracts/src/interfaces/IEvidenceLog.sol). Here they get their names
and types back, so whoever reads events never sees the words.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeAlias

from .abi import AbiError, EventCodec
from .enums import ComputeType, TradeKind

Args: TypeAlias = dict[str, Any]


class _Packed:
    """A word's members, from the highest to the lowest: name, bits, and the enum where the number is one of it."""

    def __init__(self, *members: tuple[str, int, type[IntEnum] | None]) -> None:
        self._members: list[tuple[str, int, int, dict[int, IntEnum] | None]] = []
        self._bits = shift = sum(bits for _, bits, _ in members)
        for name, bits, enum in members:
            shift -= bits
            known = None if enum is None else {int(one): one for one in enum}
            self._members.append((name, shift, (1 << bits) - 1, known))

    def read(self, word: int) -> Args:
        """Members by name; AbiError where the word holds more, or a number that its enum does not know."""
        if word >> self._bits:
            raise AbiError(f"a word of {', '.join(name for name, *_ in self._members)} holds more than these")
        found: Args = {}
        for name, shift, mask, known in self._members:
            value = word >> shift & mask
            if known is None:
                found[name] = value
            elif value in known:
                found[name] = known[value]
            else:
                raise AbiError(f"cannot decode {name}: {value}")
        return found


_TERMS = _Packed(
    ("kind", 8, TradeKind),
    ("computeType", 8, ComputeType),
    ("attributes", 32, None),
    ("region", 32, None),
    ("tradedAt", 40, None),
    ("contractSignedAt", 40, None),
)
_AMOUNTS = _Packed(("settledFen", 64, None), ("contractFen", 64, None), ("otherSupportFen", 64, None))
_RANGE = _Packed(
    ("index", 32, None),
    ("fromSequence", 40, None),
    ("toSequence", 40, None),
    ("count", 32, None),
    ("firstTradeAt", 40, None),
    ("lastTradeAt", 40, None),
)


class PackedEventCodec(EventCodec):
    """An event with packed words: their members stand in their place."""

    def decode_joined(self, indexed: bytes, data: bytes) -> Args:
        """As `EventCodec.decode_joined`; AbiError also where a word does not come apart."""
        return _UNPACK[self.name](super().decode_joined(indexed, data))


def event_codec(entry: dict[str, Any]) -> EventCodec:
    """The codec of an event, from its entry in the ABI."""
    return PackedEventCodec(entry) if entry["name"] in _UNPACK else EventCodec(entry)


def _redeemed(args: Args) -> Args:
    facts = args["trade"]
    parties = {name: facts[name] for name in ("platform", "supplier", "contractKey")}
    return args | {"trade": parties | _TERMS.read(facts["terms"]) | _AMOUNTS.read(facts["amounts"])}


def _appended(args: Args) -> Args:
    kept = {name: value for name, value in args.items() if name != "range"}
    return kept | _RANGE.read(args["range"])


_UNPACK: dict[str, Callable[[Args], Args]] = {"Redeemed": _redeemed, "BatchAppended": _appended}
