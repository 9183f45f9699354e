"""Which sums a report asks for, and the form that they come in."""

from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import ColumnElement

from app.applications.rollups import ApplicationRollup
from app.indexer.rollup_models import Outstanding, Rollup
from app.indexer.rollups import Cell, dimensions

DIMENSIONS = ("programmes", "periods", "tiers", "regions", "kinds", "suppliers")
Sums: TypeAlias = dict[tuple[int, str], dict[str, int]]
"""Amounts by column of rollups, by programme and key."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which sums are asked for.

    Attributes:
        dimension: One of DIMENSIONS.
        programme_id, key: Only those; None for all.
    """

    dimension: str
    programme_id: int | None = None
    key: str | None = None

    def conditions(
        self, model: type[Rollup] | type[Outstanding] | type[ApplicationRollup]
    ) -> list[ColumnElement[bool]]:
        """The same in SQL."""
        found: list[ColumnElement[bool]] = [model.dimension == self.dimension]
        if self.programme_id is not None:
            found.append(model.programme_id == self.programme_id)
        if self.key is not None:
            found.append(model.key == self.key)
        return found

    def takes(self, programme_id: int, key: str) -> bool:
        """Whether a programme and key are asked for."""
        return self.programme_id in (None, programme_id) and self.key in (None, key)

    def place(self, cell: Cell) -> tuple[int, str] | None:
        """Programme and key that a cell counts under; None where it does not."""
        key = dict(dimensions(cell)).get(self.dimension)
        return None if key is None or not self.takes(cell[0], key) else (cell[0], key)


def add(sums: Sums, more: Sums) -> Sums:
    """Adds to sums in place, and returns them."""
    for place, amounts in more.items():
        line = sums.setdefault(place, {})
        for name, amount in amounts.items():
            line[name] = line.get(name, 0) + amount
    return sums
