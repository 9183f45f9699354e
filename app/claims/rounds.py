"""Rounds of programmes that pay in order of trade time; the rule is app.policies.model.Rounds.

A round is told by its day. Nothing is stored of it: which claims are due follows from the clock, what became of them
from the claims and the projection, so that a worker that dies in the middle finds the rest as it was.
"""

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.claims import repository
from app.claims.schemas import RoundPage, RoundView
from app.clock import now
from app.indexer.models import Programme
from app.policies.model import Rounds
from app.policies.terms import CHINA, day_start
from app.programmes.service import find as find_programme
from app.programmes.service import programme_part


def rounds_of(session: Session, programme: Programme) -> Rounds | None:
    """The rounds of a programme; None where it has none, or the service does not have its policy file."""
    part = programme_part(session, programme)
    return part.trade_rounds if part else None


def due_before(rounds: Rounds, at: int) -> int:
    """Trades before this Unix second are in rounds that have begun."""
    today = datetime.fromtimestamp(at, CHINA).date()
    return day_start(today - timedelta(days=rounds.delay_days))


def begins_at(rounds: Rounds, day: date) -> int:
    """Unix second at which the round of a day begins."""
    return day_start(day + timedelta(days=rounds.delay_days + 1))


def page(session: Session, programme_id: int, after: date | None, limit: int) -> RoundPage:
    """The rounds of a programme in which there are claims, by day.

    Raises:
        NotFound: There is no such programme.
    """
    programme = find_programme(session, programme_id)
    rounds = rounds_of(session, programme)
    if rounds is None:
        return RoundPage(items=[], next=None)
    first = None if after is None else day_start(after + timedelta(days=1))
    found = repository.rounds(session, programme_id, first, limit)
    items = []
    for number, sums in found:
        day = date(1970, 1, 1) + timedelta(days=number)
        begins = begins_at(rounds, day)
        waiting = sums["waiting"] + sums["presented"] + sums["held"]
        state = "collecting" if now() < begins else "running" if waiting else "done"
        items.append(RoundView(day=day.isoformat(), begins_at=begins, state=state, **sums))
    return RoundPage(items=items, next=items[-1].day if len(items) == limit else None)
