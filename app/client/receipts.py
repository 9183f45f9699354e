"""The receipts file of a submitted file: what the gateway acknowledged, and where an interrupted run goes on.

One JSON object a line, appended and synced after each submission that was acknowledged:

    {"records": 2000, "digest": "…", "receipts": [{"sequence": 7, "root": "0x…", …}],
     "items": [{"line": 1002, "trade_id": "T1", "status": "stored", "id": "ev_…", "errors": []}, …]}

`records` counts the records of the file up to here, and `digest` (sha256) covers their content, so that a run goes on
only behind what is unchanged. Where a run died between the gateway's answer and the line here, the records are posted
again and the gateway answers with their first receipts; nothing secret is in the file.
"""

import fcntl
import hashlib
from collections import Counter
from itertools import islice
from os import fsync
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from app.client.sending import Sent

SHOWN = 100
"""Refusals that are kept in memory."""


class ReceiptsInUse(Exception):
    """Another process is submitting the same file."""


class ReceiptsError(ValueError):
    """The file holds something else than receipts."""


class Receipts:
    """The file, held by one process at a time; use as a context manager.

    Attributes:
        records: Records that are acknowledged.
        counts: How many of them by status.
        refused: The first of those that were refused, as in the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records = 0
        self.counts: Counter[str] = Counter()
        self.refused: list[dict[str, Any]] = []
        self._digest = ""
        self._content = hashlib.sha256()

    def __enter__(self) -> "Receipts":
        self._file = self.path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise ReceiptsInUse(f"another process is submitting this file: it holds {self.path}") from error
        self._load()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def covers(self, record: dict[str, Any]) -> None:
        """Takes the next record of the file into the digest."""
        self._content.update(msgspec.json.encode(record, order="sorted"))

    def is_unchanged(self) -> bool:
        """Whether the records that were covered are those that were acknowledged."""
        return self._content.hexdigest() == self._digest

    def begin_anew(self) -> None:
        """Forgets all; the gateway still knows."""
        self._file.truncate(0)
        self.records, self.counts, self.refused, self._digest = 0, Counter(), [], ""
        self._content = hashlib.sha256()

    def add(self, sent: Sent) -> None:
        """Keeps what was acknowledged; durable when this returns."""
        for row in sent.rows:
            self.covers(row.record)
        entry = {
            "records": self.records + len(sent.rows),
            "digest": self._content.hexdigest(),
            "receipts": sent.receipts,
            "items": sent.outcomes,
        }
        self._file.write(msgspec.json.encode(entry) + b"\n")
        self._file.flush()
        fsync(self._file.fileno())
        self._take(msgspec.to_builtins(entry))

    def _take(self, entry: dict[str, Any]) -> None:
        self.records, self._digest = entry["records"], entry["digest"]
        self.counts.update(item["status"] for item in entry["items"])
        refused = (item for item in entry["items"] if item["status"] == "refused")
        self.refused += islice(refused, max(0, SHOWN - len(self.refused)))

    def _load(self) -> None:
        self._file.seek(0)
        whole = 0
        for text in self._file:
            if not text.endswith(b"\n"):
                break  # the run died while it wrote
            try:
                self._take(msgspec.json.decode(text))
            except (msgspec.DecodeError, LookupError, TypeError) as error:
                raise ReceiptsError(f"{self.path} holds something else than receipts: {error}") from error
            whole += len(text)
        self._file.truncate(whole)
        self._file.seek(0, 2)
