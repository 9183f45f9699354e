"""Keeps files by their SHA-256, outside SQL.

A file is there whole or not at all: it is written beside its place, flushed to disk and renamed. The same content is
kept once, whoever brings it.
"""

import hashlib
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

_ABANDONED_AFTER_S = 86400.0


class Incoming(Protocol):
    """A file on its way in."""

    size: int

    def write(self, chunk: bytes) -> None:
        """Adds bytes."""

    def finish(self) -> bytes:
        """SHA-256 of what was written; from here on it survives a power cut."""

    def read(self) -> BinaryIO:
        """What was written, from its beginning."""

    def discard(self) -> None:
        """Forgets what was written, unless it was kept."""


class DocumentStore(Protocol):
    """Where files are: a folder here, or an object store behind the same five calls."""

    def begin(self) -> Incoming:
        """A new file."""

    def keep(self, incoming: Incoming, sha256: bytes) -> None:
        """Puts a finished file in its place."""

    def open(self, sha256: bytes) -> BinaryIO:
        """A file to read; FileNotFoundError where there is none."""

    def remove(self, sha256: bytes) -> None:
        """Takes a file away, if it is there."""


class _FolderIncoming:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=folder)
        self.path = Path(name)
        self.size = 0
        self._file = os.fdopen(descriptor, "w+b")
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def finish(self) -> bytes:
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._hash.digest()

    def read(self) -> BinaryIO:
        self._file.seek(0)
        return self._file

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


class FolderStore:
    """A folder with one file for each content, `ab/cdef…` by its digest.

    Args:
        root: The folder; made when the first file comes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"

    def begin(self) -> _FolderIncoming:
        """See DocumentStore. What a gateway that died left behind is swept away here."""
        for entry in self._incoming.glob("*"):
            with suppress(FileNotFoundError):  # kept or discarded by its own upload since the folder was read
                if entry.stat().st_mtime < time.time() - _ABANDONED_AFTER_S:
                    entry.unlink()
        return _FolderIncoming(self._incoming)

    def keep(self, incoming: Incoming, sha256: bytes) -> None:
        """See DocumentStore."""
        assert isinstance(incoming, _FolderIncoming)  # noqa: S101 - each store keeps what it began
        place = self._place(sha256)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        incoming.path.replace(place)
        for folder in (place.parent, self._root):
            _flush(folder)

    def open(self, sha256: bytes) -> BinaryIO:
        """See DocumentStore."""
        return self._place(sha256).open("rb")

    def remove(self, sha256: bytes) -> None:
        """See DocumentStore."""
        place = self._place(sha256)
        with suppress(FileNotFoundError):
            place.unlink()
            _flush(place.parent)

    def _place(self, sha256: bytes) -> Path:
        name = sha256.hex()
        return self._root / name[:2] / name[2:]


def _flush(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
