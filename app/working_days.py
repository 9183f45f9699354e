"""Until when a stage is to be decided: the policy's working days, in China Standard Time.

Working days are Monday to Friday. Public holidays and the working weekends around them are announced year by year by
the State Council and no rule gives them; a stage that runs over one is due a few days later than shown.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from app.policies.terms import CHINA

SATURDAY = 5


def due_at(opened_at: int, days: int, pauses: Sequence[tuple[int, int]]) -> int:
    """The last second of the last day, in Unix seconds.

    Args:
        opened_at: Unix seconds at which the stage opened; its own day does not count.
        days: Working days.
        pauses: Stretches in which the clock stood still, from and to in Unix seconds: a day does not count where one
            was open at the end of it.
    """
    day = datetime.fromtimestamp(opened_at, CHINA).date()
    left = days
    while left:
        day += timedelta(days=1)
        end = _end_of(day)
        if day.weekday() < SATURDAY and not any(first <= end < last for first, last in pauses):
            left -= 1
    return _end_of(day)


def _end_of(day: date) -> int:
    return int(datetime.combine(day, time(23, 59, 59), CHINA).timestamp())
