"""Sums kept by day, month and in all, read for any stretch of days up to a point.

Whole days and months come from what is stored; of the day in which a past block lies, the part up to the block is added
up from what happened on it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.applications.rollups import ApplicationRollup
from app.indexer.rollup_models import Rollup
from app.indexer.rollups import TOTAL
from app.reports.part import Part, Sums, add
from app.reports.point import Point

_LENGTHS = {"month": len("2026-03"), "day": len("2026-03-05")}


@dataclass(frozen=True)
class Series:
    """A table of sums.

    Attributes:
        model: The table.
        of_day: Adds up the day of a past block up to it.
    """

    model: type[Rollup] | type[ApplicationRollup]
    of_day: Callable[[Session, Part, Point], Sums]

    @cached_property
    def amounts(self) -> tuple[str, ...]:
        """Columns that are added up."""
        keys = ("deployment_id", "span", "dimension", "programme_id", "key")
        return tuple(column.name for column in self.model.__table__.columns if column.name not in keys)

    def up_to(self, session: Session, part: Part, point: Point) -> Sums:
        """All that happened up to a point."""
        if point.newest:
            return self._stored(session, part, [TOTAL])
        return self.between(session, part, date.min, date.max, point)

    def between(self, session: Session, part: Part, first: date, last: date, point: Point) -> Sums:
        """What happened from a day to another one, both included, as far as the point."""
        begin = self._begin(session)
        sums: Sums = {}
        if begin is not None:
            spans = list(spans_between(max(first, begin), min(last, point.whole)))
            sums = self._stored(session, part, spans)
        if not point.newest and first <= point.whole + timedelta(days=1) <= last:
            add(sums, self.of_day(session, part, point))
        return sums

    def before(self, session: Session, part: Part, first: date, point: Point, *, by: str) -> Sums:
        """All that happened before the span in which a day lies, as far as the point."""
        start = _begin_of(first, by)
        return {} if start == date.min else self.between(session, part, date.min, start - timedelta(days=1), point)

    def by_span(
        self, session: Session, part: Part, first: date, last: date, point: Point, *, by: str
    ) -> dict[str, Sums]:
        """What happened in each day or month from one to another, as far as the point; months are taken whole.

        Args:
            by: day or month.

        Returns:
            Sums by span, a day as 2026-03-05 or a month as 2026-03.
        """
        begin = self._begin(session)
        first = _begin_of(first, by)
        if begin is None or last < first:
            return {}
        # Spans before this day are stored as they count.
        cut = date.max if point.newest else _begin_of(point.whole + timedelta(days=1), by)
        found = self._each(session, part, max(first, begin), min(last, cut - timedelta(days=1)), by)
        if first <= cut <= last and cut != date.max:
            rest = self.between(session, part, cut, date.max, point)
            if rest:
                found[cut.isoformat()[: _LENGTHS[by]]] = rest
        return found

    def _begin(self, session: Session) -> date | None:
        """The first day of the month in which something happened first."""
        span = session.scalar(select(func.min(self.model.span)))
        return None if span is None else date.fromisoformat(f"{span[:7]}-01")

    def _stored(self, session: Session, part: Part, spans: Sequence[str]) -> Sums:
        model = self.model
        columns = (func.sum(getattr(model, name)) for name in self.amounts)
        query = (
            select(model.programme_id, model.key, *columns)
            .where(model.span.in_(spans), *part.conditions(model))
            .group_by(model.programme_id, model.key)
        )
        # PostgreSQL sums BIGINT as NUMERIC.
        return {
            (row[0], row[1]): dict(zip(self.amounts, map(int, row[2:]), strict=True)) for row in session.execute(query)
        }

    def _each(self, session: Session, part: Part, first: date, last: date, by: str) -> dict[str, Sums]:
        model, length = self.model, _LENGTHS[by]
        columns = (getattr(model, name) for name in self.amounts)
        query = (
            select(model.span, model.programme_id, model.key, *columns)
            .where(model.span.between(first.isoformat()[:length], last.isoformat()[:length]))
            .where(func.length(model.span) == length, *part.conditions(model))
        )
        found: dict[str, Sums] = {}
        for row in session.execute(query):
            found.setdefault(row[0], {})[row[1], row[2]] = dict(zip(self.amounts, row[3:], strict=True))
        return found


def spans_between(first: date, last: date) -> Iterator[str]:
    """Spans that cover the days from one to another: months, and days where a month is cut."""
    day = first
    while day <= last:
        after = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        if day.day == 1 and after <= last + timedelta(days=1):
            yield day.isoformat()[:7]
            day = after
        else:
            yield day.isoformat()
            day += timedelta(days=1)


def _begin_of(day: date, by: str) -> date:
    return day.replace(day=1) if by == "month" else day
