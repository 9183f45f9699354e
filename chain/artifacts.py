"""The compiled contracts, as scripts/compile commits them to contracts/artifacts.

An artifact is creation code with holes for the addresses of linked libraries, and the runtime code that a node should
show once it is deployed, with further holes that the constructor fills (immutables).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

# Beside the package in a checkout, and put there by the wheel (pyproject.toml, force-include).
FOLDER = Path(__file__).resolve().parent.parent / "contracts" / "artifacts"


class ArtifactError(Exception):
    """An artifact is missing or does not fit: the text says which and why."""


@dataclass(frozen=True)
class Hole:
    """Bytes that the compiler left open."""

    start: int
    length: int
    library: str | None = None

    def fill(self, code: bytearray, content: bytes) -> None:
        """Overwrite the hole's bytes in place; `content` has its length."""
        code[self.start : self.start + self.length] = content


@dataclass(frozen=True)
class Artifact:
    """One compiled contract or library."""

    name: str
    abi: list[dict[str, Any]]
    creation_code: str
    runtime_code: str
    link_holes: tuple[Hole, ...]
    runtime_link_holes: tuple[Hole, ...]
    immutable_holes: tuple[Hole, ...]
    source_digest: str
    storage_layout: dict[str, Any]

    @property
    def libraries(self) -> frozenset[str]:
        """Names of the libraries whose addresses the code needs."""
        return frozenset(hole.library for hole in self.link_holes if hole.library)

    def link(self, addresses: Mapping[str, str]) -> bytes:
        """Creation code with the libraries' addresses filled in.

        Args:
            addresses: library name to 0x-address; more than needed does no harm.

        Raises:
            ArtifactError: a library's address is not given.
        """
        missing = self.libraries - addresses.keys()
        if missing:
            raise ArtifactError(f"{self.name} needs the address of {', '.join(sorted(missing))}")
        return _link(self.creation_code, self.link_holes, addresses)

    def is_code(self, code: bytes) -> bool:
        """Whether `code`, as `eth_getCode` gave it, is this contract: equal outside links and immutables."""
        return _masked(code, self.holes) == _masked(_unlinked(self.runtime_code), self.holes)

    def linked_libraries(self, code: bytes) -> dict[str, bytes]:
        """Library name to the 20-byte address that deployed code calls; the code is one that `is_code` accepted.

        Raises:
            ArtifactError: the code names two addresses for one library.
        """
        found: dict[str, bytes] = {}
        for hole in self.runtime_link_holes:
            address = code[hole.start : hole.start + hole.length]
            if found.setdefault(str(hole.library), address) != address:
                raise ArtifactError(f"{self.name} is linked to two addresses of {hole.library}")
        return found

    @property
    def holes(self) -> tuple[Hole, ...]:
        """Every hole of the runtime code."""
        return self.runtime_link_holes + self.immutable_holes


@cache
def load(name: str) -> Artifact:
    """The artifact of a contract or library.

    Raises:
        ArtifactError: there is none.
    """
    path = FOLDER / f"{name}.json"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} is missing; ./scripts/compile makes it") from error
    creation: str = content["bytecode"]
    runtime: str = content["deployedBytecode"]
    return Artifact(
        name=name,
        abi=content["abi"],
        creation_code=creation,
        runtime_code=runtime,
        link_holes=tuple(_link_holes(creation, content["linkReferences"])),
        runtime_link_holes=tuple(_link_holes(runtime, content["linkReferences"])),
        immutable_holes=tuple(
            Hole(one["start"], one["length"]) for many in content["immutableReferences"].values() for one in many
        ),
        source_digest=content["sourceDigest"],
        storage_layout=content["storageLayout"],
    )


def _link_holes(code: str, references: Mapping[str, Mapping[str, object]]) -> Iterator[Hole]:
    """Where the compiler left `__$<digest of the library's full name>$__` in creation or runtime code."""
    text = code.removeprefix("0x")
    for source, libraries in references.items():
        for library in libraries:
            marker = f"__${keccak(f'{source}:{library}'.encode()).hex()[:34]}$__"
            at = text.find(marker)
            while at >= 0:
                yield Hole(at // 2, 20, library)
                at = text.find(marker, at + len(marker))


def _unlinked(code: str) -> bytes:
    """Code whose placeholders, which are not hex, are zeros."""
    text = code.removeprefix("0x")
    while (at := text.find("__$")) >= 0:
        text = text[:at] + "0" * 40 + text[at + 40 :]
    return bytes.fromhex(text)


def _link(code: str, holes: tuple[Hole, ...], addresses: Mapping[str, str]) -> bytes:
    linked = bytearray(_unlinked(code))
    for hole in holes:
        hole.fill(linked, bytes.fromhex(addresses[str(hole.library)].removeprefix("0x")))
    return bytes(linked)


def _masked(code: bytes, holes: tuple[Hole, ...]) -> bytes:
    masked = bytearray(code)
    for hole in holes:
        if hole.start + hole.length <= len(masked):
            hole.fill(masked, bytes(hole.length))
    return bytes(masked)
