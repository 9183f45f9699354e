"""Pending transactions on disk, so that a restart finds them again."""

import os
from collections.abc import Iterable
from pathlib import Path

_LENGTH_BYTES = 4


class PoolJournal:
    """An append-only file of length-prefixed raw transactions, emptied whenever nothing is pending.

    A write is one system call without fsync: it survives `kill -9`, not a power cut. More is not promised for a
    transaction that has no receipt; whoever must not lose one keeps its bytes and sends them again (the relay does).
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def read(self) -> list[bytes]:
        """The raw transactions in the order they came; a last one cut short by a crash is left out."""
        content = os.pread(self._file, os.fstat(self._file).st_size, 0)
        found = []
        start = 0
        while start + _LENGTH_BYTES <= len(content):
            end = start + _LENGTH_BYTES + int.from_bytes(content[start : start + _LENGTH_BYTES], "big")
            if end > len(content):
                break
            found.append(content[start + _LENGTH_BYTES : end])
            start = end
        return found

    def append(self, raw: bytes) -> None:
        """Add one transaction."""
        os.write(self._file, len(raw).to_bytes(_LENGTH_BYTES, "big") + raw)

    def rewrite(self, pending: Iterable[bytes]) -> None:
        """Keep only these."""
        os.ftruncate(self._file, 0)
        for raw in pending:
            self.append(raw)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
