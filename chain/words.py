"""Reads static ABI values out of 32-byte words with one precompiled layout.

The general decoder walks a tree of readers for every value, some 100 µs for an event of thirty words. Static types
stand at fixed places, so here `struct` takes all of them at once; a layout is made once from the ABI. Packing what was
read must give the same bytes, or a word held more than its type may.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Entry: TypeAlias = dict[str, Any]
Convert: TypeAlias = Callable[[Any], Any]
Build: TypeAlias = Callable[[list[Any]], Any]

_NATIVE = {8: "B", 16: "H", 32: "I", 64: "Q"}


class NotStatic(Exception):
    """A value has no fixed place: a text, a list, a signed number."""


class Words:
    """The layout of a list of parameters.

    Raises:
        NotStatic: one of them has no fixed place.
    """

    def __init__(self, entries: Sequence[Entry], convert: Callable[[Entry], Convert | None]) -> None:
        """Lay out.

        Args:
            convert: what becomes of a value of an entry, beyond its plain Python form.
        """
        self._formats: list[str] = []
        self._converts: list[tuple[int, Convert]] = []
        self._convert = convert
        self._build = [self._lay(entry) for entry in entries]
        self._layout = struct.Struct(">" + "".join(self._formats))
        self.size = self._layout.size

    def read(self, data: bytes) -> list[Any]:
        """Values in order.

        Raises:
            ValueError: another number of bytes than the layout has, or a word that holds more than its type may.
        """
        if len(data) != self.size:
            raise ValueError(f"want {self.size} bytes, got {len(data)}")
        values = list(self._layout.unpack(data))
        if self._layout.pack(*values) != data:
            raise ValueError("a word holds more than its type may")
        for place, convert in self._converts:
            values[place] = convert(values[place])
        return [build(values) for build in self._build]

    def _lay(self, entry: Entry) -> Build:
        if entry["type"] == "tuple":
            start = len(self._formats)
            names = [str(one["name"]) for one in entry["components"]]
            builds = [self._lay(one) for one in entry["components"]]
            if any(one["type"] == "tuple" for one in entry["components"]):
                return lambda values: {name: build(values) for name, build in zip(names, builds, strict=True)}
            end = len(self._formats)
            return lambda values: dict(zip(names, values[start:end], strict=True))
        place = len(self._formats)
        layout, plain = _word(str(entry["type"]))
        self._formats.append(layout)
        convert = self._convert(entry)
        for one in (plain, convert):
            if one is not None:
                self._converts.append((place, one))
        return lambda values: values[place]


def _word(kind: str) -> tuple[str, Convert | None]:
    """How `struct` reads a type, and what makes a plain value of that."""
    if kind == "bool":
        return "31x?", None
    if kind == "address":
        return "12x20s", None
    if kind.startswith("uint") and kind[4:].isdigit():
        bits = int(kind[4:])
        if bits in _NATIVE:
            return f"{32 - bits // 8}x{_NATIVE[bits]}", None
        return f"{32 - bits // 8}x{bits // 8}s" if bits < 256 else "32s", _number
    if kind.startswith("bytes") and kind[5:].isdigit():
        size = int(kind[5:])
        return f"{size}s{32 - size}x", None
    raise NotStatic(kind)


def _number(value: bytes) -> int:
    return int.from_bytes(value)
