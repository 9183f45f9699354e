"""Sums by day, month and in all, kept as events come, so that an overview never adds up millions of rows.

An event adds to one cell (programme, period, tier, region, kind, supplier, day). When a block or a batch ends, each
cell goes into the rows of its six dimensions and three spans. Those rows change like any others: in the same
transaction, with an undo image for blocks that may still go.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

TOTAL = "total"
NONE = "none"
_DAY = 86_400
_CHINA = 8 * 3_600  # UTC+8, without summer time


Cell: TypeAlias = tuple[int, int | None, str, int, str, bytes | None]
"""What an amount counts under: programme, period, name of the tier, region, kind, and the supplier of a trade."""
Flow: TypeAlias = tuple[Cell, int, str]
Line: TypeAlias = tuple[str, str, int, str]
"""Key of a rollup: span, dimension, programme, key."""


def day_of(moment: int) -> int:
    """Number of the day in China (UTC+8) since 1970-01-01, from Unix seconds."""
    return (moment + _CHINA) // _DAY


def end_of_day(day: int) -> int:
    """Unix seconds of the last second of a day in China."""
    return (day + 1) * _DAY - _CHINA - 1


class Tallies:
    """What events of the current block, or of several final blocks, add to the sums."""

    def __init__(self) -> None:
        self._of_event: list[tuple[Flow, int]] = []
        self._left_of_event: list[tuple[tuple[Cell, int], int]] = []
        self._flows: dict[Flow, list[int]] = {}
        self._left: dict[tuple[Cell, int], int] = defaultdict(int)

    def flow(self, name: str, cell: Cell, moment: int, fen: int) -> None:
        """Count one of `name` (a column of rollups) and its amount, at a moment."""
        self._of_event.append(((cell, day_of(moment), name), fen))

    def leave(self, cell: Cell, valid_until: int, fen: int) -> None:
        """Add to what vouchers that are valid until then are still good for."""
        self._left_of_event.append(((cell, day_of(valid_until)), fen))

    def keep_event(self) -> None:
        """The event was projected: its amounts count."""
        for flow, fen in self._of_event:
            sums = self._flows.get(flow)
            if sums is None:
                self._flows[flow] = [1, fen]
            else:
                sums[0] += 1
                sums[1] += fen
        for place, fen in self._left_of_event:
            self._left[place] += fen
        self.drop_event()

    def drop_event(self) -> None:
        """The event was not projected."""
        self._of_event.clear()
        self._left_of_event.clear()

    def take_rollups(self) -> dict[Line, dict[str, int]]:
        """What to add to which columns of which rollups; forgets it."""
        lines: dict[Line, dict[str, int]] = {}
        for (cell, day, name), (count, fen) in self._flows.items():
            dimensions = list(_dimensions(cell))
            for span in _spans(day):
                for dimension, key in dimensions:
                    line = lines.setdefault((span, dimension, cell[0], key), defaultdict(int))
                    line[name] += count
                    line[f"{name}_fen"] += fen
        self._flows.clear()
        return lines

    def take_outstanding(self) -> dict[tuple[str, int, str, int], int]:
        """What to add to which row of what is left: dimension, programme, key, day; forgets it."""
        lines: dict[tuple[str, int, str, int], int] = defaultdict(int)
        for (cell, day), fen in self._left.items():
            for dimension, key in _dimensions(cell):
                lines[dimension, cell[0], key, day] += fen
        self._left.clear()
        return lines

    def clear(self) -> None:
        """Forget everything."""
        self.drop_event()
        self._flows.clear()
        self._left.clear()


def _dimensions(cell: Cell) -> Iterator[tuple[str, str]]:
    programme_id, period, tier, region, kind, supplier_id = cell
    yield "programmes", str(programme_id)
    yield "periods", NONE if period is None else str(period)
    yield "tiers", tier
    yield "regions", str(region)
    yield "kinds", kind
    if supplier_id is not None:
        yield "suppliers", f"0x{supplier_id.hex()}"


@lru_cache(maxsize=4096)
def _spans(day: int) -> tuple[str, str, str]:
    date = datetime.fromtimestamp(day * _DAY, UTC).date().isoformat()
    return TOTAL, date[:7], date
