"""Sums over any stretch of days are those of the days, whichever months they are cut into."""

import random
from collections import Counter
from datetime import date, timedelta

from sqlalchemy.orm import Session, sessionmaker

from app.indexer.bulk import insert_rows
from app.indexer.projected import OWN
from app.indexer.rollup_models import Rollup
from app.indexer.rollups import Tallies, begin_of_day, day_of
from app.indexer.tables import table_info
from app.reports.part import Part
from app.reports.point import Point
from app.reports.series import Series, spans_between

BEGIN = date(2024, 11, 17)
DAYS = 200
SERIES = Series(Rollup, lambda *_: {})


def _day(number: int) -> date:
    return BEGIN + timedelta(days=number)


def _moment(day: date) -> int:
    return begin_of_day((day - date(1970, 1, 1)).days)


def _filled(make: sessionmaker[Session]) -> Counter[date]:
    """Redemptions of random amounts; what was redeemed on each day."""
    chance, tallies, amounts = random.Random(6), Tallies(), Counter[date]()
    for _ in range(400):
        day, fen = _day(chance.randrange(DAYS)), chance.randrange(1, 10**9)
        cell = (1, 0, "tier", chance.choice((410100, 310000)), "enterprise", bytes(32))
        tallies.flow("redeemed", cell, _moment(day) + chance.randrange(86_400), fen)
        tallies.keep_event()
        amounts[day] += fen
    names = table_info(Rollup).names
    rows = [
        dict(zip(names[:4], line, strict=True)) | dict.fromkeys(names[4:], 0) | sums
        for line, sums in tallies.take_rollups().items()
    ]
    with make.begin() as session:
        insert_rows(session.connection(), table_info(Rollup), OWN, rows)
    return amounts


def test_any_stretch_of_days_is_the_sum_of_its_days(make: sessionmaker[Session]) -> None:
    amounts = _filled(make)
    chance = random.Random(7)
    part = Part("regions")
    with make() as session:
        for _ in range(60):
            a, b, c = sorted(chance.randrange(-40, DAYS + 40) for _ in range(3))
            first, last = _day(a), _day(c)
            for seen in (_day(b), _day(DAYS)):
                newest = seen == _day(DAYS)
                # At midnight after the day.
                moment = _moment(seen + timedelta(days=0 if newest else 1))
                point = Point(1, bytes(32), moment, newest=newest, opens_after=1)
                expected = sum(fen for day, fen in amounts.items() if first <= day <= min(last, point.whole))
                found = SERIES.between(session, part, first, last, point)
                assert sum(line["redeemed_fen"] for line in found.values()) == expected
                by_day = SERIES.by_span(session, part, first, last, point, by="day")
                assert sum(line["redeemed_fen"] for sums in by_day.values() for line in sums.values()) == expected
                by_month = SERIES.by_span(session, part, first, last, point, by="month")
                whole = sum(
                    fen
                    for day, fen in amounts.items()
                    if first.replace(day=1) <= day <= point.whole and day.isoformat()[:7] <= last.isoformat()[:7]
                )
                assert sum(line["redeemed_fen"] for sums in by_month.values() for line in sums.values()) == whole
                before = SERIES.before(session, part, first, point, by="day")
                earlier = sum(fen for day, fen in amounts.items() if day < first and day <= point.whole)
                assert sum(line["redeemed_fen"] for line in before.values()) == earlier


def test_whole_months_are_taken_as_such() -> None:
    assert list(spans_between(date(2024, 12, 30), date(2025, 3, 2))) == [
        "2024-12-30",
        "2024-12-31",
        "2025-01",
        "2025-02",
        "2025-03-01",
        "2025-03-02",
    ]
    assert list(spans_between(date(2025, 1, 1), date(2024, 12, 31))) == []
    assert day_of(_moment(date(2025, 1, 1))) == day_of(_moment(date(2025, 1, 1)) + 86_399)
