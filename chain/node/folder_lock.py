"""One node at a time on a data folder."""

import fcntl
import os
from pathlib import Path

from .errors import DataFolderInUse


class FolderLock:
    """An advisory lock that the kernel frees when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            DataFolderInUse: another node, in this process or another, holds the folder.
        """
        self._file = os.open(folder / "LOCK", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise DataFolderInUse(
                f"{folder} is in use by another node (process {holder}): stop it, or choose another folder"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the folder free."""
        os.close(self._file)
