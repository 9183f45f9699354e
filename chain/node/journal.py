"""Pending transactions on disk, so that a restart finds them again."""

import os
from collections.abc import Collection
from pathlib import Path

_LENGTH_BYTES = 4
_SLACK_RECORDS = 1_000


class PoolJournal:
    """An append-only file of length-prefixed raw transactions, written anew when most of them are not pending any more.

    A write is one system call without fsync: it survives `kill -9`, not a power cut. More is not promised for a
    transaction that has no receipt; whoever must not lose one keeps its bytes and sends them again (the relay does).
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file."""
        self._path = path
        self._file = _open(path)
        self._records = 0

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
        os.write(self._file, _record(raw))
        self._records += 1

    def shrink(self, pending: Collection[bytes]) -> None:
        """Forget what is not pending, if that is everything or makes the file much smaller."""
        if not pending and self._records:
            os.ftruncate(self._file, 0)
            self._records = 0
        elif self._records > _SLACK_RECORDS + 2 * len(pending):
            self.rewrite(pending)

    def rewrite(self, pending: Collection[bytes]) -> None:
        """Keep only these. A kill leaves the old file or the new one."""
        new = self._path.with_suffix(".new")
        new.write_bytes(b"".join(map(_record, pending)))
        new.replace(self._path)
        os.close(self._file)
        self._file = _open(self._path)
        self._records = len(pending)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


def _record(raw: bytes) -> bytes:
    return len(raw).to_bytes(_LENGTH_BYTES, "big") + raw
