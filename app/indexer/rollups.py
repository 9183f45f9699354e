"""Sums by day, month and in all, kept as events come, so that an overview never adds up millions of rows.

An event adds to one cell (programme, period, tier, region, kind, supplier, day). When a block or a batch ends, each
cell goes into the rows of its six dimensions and three spans. Those rows change like any others: in the same
transaction, with an undo image for blocks that may still go.

What vouchers are still good for is kept twice: by the day on which it changed, and by the day on which the voucher
ends. A change after a voucher's end counts in neither, so the first up to a day, less the second up to the day before,
is what was left on that day, whichever day it is.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import TypeAlias

TOTAL = "total"
NONE = "none"
LEFT, RESERVED = "left", "reserved"
"""What changes by an amount and is not counted."""
_UNCOUNTED = frozenset({LEFT, RESERVED})
_DAY = 86_400
_CHINA = 8 * 3_600  # UTC+8, without summer time


Cell: TypeAlias = tuple[int, int | None, str, int | str, str, bytes | None]
"""What an amount counts under: programme, period, name of the tier, region, kind, and the supplier of a trade."""
Flow: TypeAlias = tuple[Cell, int, str]
Columns: TypeAlias = dict[str, int]
"""Amounts by column of a rollup."""
Line: TypeAlias = tuple[str, str, int, str]
"""Key of a rollup: span, dimension, programme, key."""


def day_of(moment: int) -> int:
    """Number of the day in China (UTC+8) since 1970-01-01, from Unix seconds."""
    return (moment + _CHINA) // _DAY


def begin_of_day(day: int) -> int:
    """Unix seconds of the first second of a day in China."""
    return day * _DAY - _CHINA


def date_of(day: int) -> date:
    """The day of a number."""
    return date(1970, 1, 1) + timedelta(days=day)


class Tallies:
    """What events of the current block, or of several final blocks, add to the sums."""

    def __init__(self) -> None:
        self._of_event: list[tuple[Flow, int]] = []
        self._left_of_event: list[tuple[tuple[Cell, int], int]] = []
        self._flows: dict[Flow, list[int]] = {}
        self._left: dict[tuple[Cell, int], int] = defaultdict(int)

    def flow(self, name: str, cell: Cell, moment: int, fen: int) -> None:
        """Count one of `name` (a column of rollups; RESERVED is not counted) and its amount, at a moment."""
        self._of_event.append(((cell, day_of(moment), name), fen))

    def leave(self, cell: Cell, moment: int, valid_until: int, fen: int) -> None:
        """Add to what vouchers that are valid until then are still good for; nothing once they ended."""
        if moment <= valid_until:
            self._of_event.append(((cell, day_of(moment), LEFT), fen))
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

    def take_rollups(self) -> dict[Line, Columns]:
        """What to add to which columns of which rollups; forgets it."""
        lines: dict[Line, Columns] = {}
        for (cell, day, name), (count, fen) in self._flows.items():
            places = list(dimensions(cell))
            for span in spans(day):
                for dimension, key in places:
                    line = lines.setdefault((span, dimension, cell[0], key), defaultdict(int))
                    if name not in _UNCOUNTED:
                        line[name] += count
                    line[f"{name}_fen"] += fen
        self._flows.clear()
        return lines

    def take_outstanding(self) -> dict[tuple[str, int, str, int], int]:
        """What to add to which row of what is left: dimension, programme, key, day; forgets it."""
        lines: dict[tuple[str, int, str, int], int] = defaultdict(int)
        for (cell, day), fen in self._left.items():
            for dimension, key in dimensions(cell):
                lines[dimension, cell[0], key, day] += fen
        self._left.clear()
        return lines

    def clear(self) -> None:
        """Forget everything."""
        self.drop_event()
        self._flows.clear()
        self._left.clear()


def dimensions(cell: Cell) -> Iterator[tuple[str, str]]:
    """Each dimension and the cell's value of it, as rollups have them."""
    programme_id, period, tier, region, kind, supplier_id = cell
    yield "programmes", str(programme_id)
    yield "periods", NONE if period is None else str(period)
    yield "tiers", tier
    yield "regions", str(region)
    yield "kinds", kind
    if supplier_id is not None:
        yield "suppliers", f"0x{supplier_id.hex()}"


@lru_cache(maxsize=4096)
def spans(day: int) -> tuple[str, str, str]:
    """In all, the month of a day, the day."""
    text = date_of(day).isoformat()
    return TOTAL, text[:7], text
