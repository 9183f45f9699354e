"""Words in which the contracts pack several members of an event, taken apart.

Each word of a log costs 256 gas, so Redeemed and BatchAppended put small numbers side by side (TradeFacts in
contracts/src/types/Trade.sol, BatchAppended in contracts/src/interfaces/IEvidenceLog.sol). Here they get their names
and types back, so whoever reads events never sees the words.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from .abi import AbiError, EventCodec
from .enums import ComputeType, TradeKind

Args: TypeAlias = dict[str, Any]
_Member: TypeAlias = tuple[str, int, Callable[[int], Any]]

# From the highest member to the lowest, with their bits.
_TERMS: Sequence[_Member] = (
    ("kind", 8, TradeKind),
    ("computeType", 8, ComputeType),
    ("attributes", 32, int),
    ("region", 32, int),
    ("tradedAt", 40, int),
    ("contractSignedAt", 40, int),
)
_AMOUNTS: Sequence[_Member] = (("settledFen", 64, int), ("contractFen", 64, int), ("otherSupportFen", 64, int))
_RANGE: Sequence[_Member] = (
    ("index", 32, int),
    ("fromSequence", 40, int),
    ("toSequence", 40, int),
    ("count", 32, int),
    ("firstTradeAt", 40, int),
    ("lastTradeAt", 40, int),
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
    return args | {"trade": parties | _members(facts["terms"], _TERMS) | _members(facts["amounts"], _AMOUNTS)}


def _appended(args: Args) -> Args:
    kept = {name: value for name, value in args.items() if name != "range"}
    return kept | _members(args["range"], _RANGE)


def _members(word: int, members: Sequence[_Member]) -> Args:
    found = {}
    for name, bits, kind in reversed(members):
        word, value = divmod(word, 1 << bits)
        try:
            found[name] = kind(value)
        except ValueError as error:
            raise AbiError(f"cannot decode {name}: {error}") from error
    if word:
        raise AbiError(f"a word of {', '.join(found)} holds more than these")
    return {name: found[name] for name, _, _ in members}


_UNPACK: dict[str, Callable[[Args], Args]] = {"Redeemed": _redeemed, "BatchAppended": _appended}
