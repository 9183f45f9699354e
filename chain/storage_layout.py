"""Where the contracts keep what: slots and members, from the layout that the compiler wrote into the artifacts.

Mappings, dynamic arrays and structs lie as the Solidity documentation says ("Layout of State Variables in Storage").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from . import artifacts
from .contracts import ContractName

WORD = 32


@dataclass(frozen=True, slots=True)
class Place:
    """Something in a contract's storage: its slot, the byte in it where it begins, from the right, and its type."""

    contract: ContractName
    slot: int
    offset: int
    type_id: str

    def member(self, name: str) -> "Place":
        """A member of a struct.

        Raises:
            LookupError: it is no struct, or has no such member.
        """
        for one in self._type["members"]:
            if one["label"] == name:
                return Place(self.contract, self.slot + int(one["slot"]), int(one["offset"]), one["type"])
        raise LookupError(f"{self.type_id} has no member {name}")

    def at(self, *keys: bytes | int) -> "Place":
        """The value under the keys of mappings within mappings; keys as bytes32 or numbers."""
        place = self
        for key in keys:
            word = key if isinstance(key, bytes) else key.to_bytes(WORD, "big")
            slot = int.from_bytes(keccak(word + place.slot.to_bytes(WORD, "big")), "big")
            place = Place(self.contract, slot, 0, place._type["value"])
        return place

    def items(self, length: int) -> list["Place"]:
        """The first items of a dynamic array, whose own slot holds the length; each fills words of its own."""
        base = self._type["base"]
        words = -(-int(self._types[base]["numberOfBytes"]) // WORD)
        first = int.from_bytes(keccak(self.slot.to_bytes(WORD, "big")), "big")
        return [Place(self.contract, (first + index * words) % 2**256, 0, base) for index in range(length)]

    def read(self, words: Mapping[int, int]) -> int:
        """The value, a number whatever its type.

        Raises:
            LookupError: its word is not among these.
        """
        # Of a dynamic array the slot holds its length.
        size = int(self._type["numberOfBytes"])
        return (words[self.slot] >> 8 * self.offset) & ((1 << 8 * size) - 1)

    def read_members(self, words: Mapping[int, int]) -> dict[str, int]:
        """The members of a struct that are plain values."""
        names = [one["label"] for one in self._type["members"]]
        return {name: self.member(name).read(words) for name in names}

    @property
    def _types(self) -> dict[str, Any]:
        types: dict[str, Any] = artifacts.load(self.contract).storage_layout["types"]
        return types

    @property
    def _type(self) -> dict[str, Any]:
        found: dict[str, Any] = self._types[self.type_id]
        return found


def variable(contract: ContractName, name: str) -> Place:
    """A state variable.

    Raises:
        LookupError: the contract has none of that name.
    """
    for one in _variables(contract):
        if one["label"] == name:
            return Place(contract, int(one["slot"]), int(one["offset"]), one["type"])
    raise LookupError(f"{contract} has no variable {name}")


def _variables(contract: ContractName) -> Iterator[dict[str, Any]]:
    yield from artifacts.load(contract).storage_layout["storage"]
