"""Sums that reports read: of the chain from the projection's rollups, of applications from the gateway's.

No voucher and no redemption is added up, save those of one day.
"""

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.applications.rollups import ApplicationRollup
from app.indexer.projected import OWN, SCOPE
from app.indexer.rollup_models import Outstanding, Rollup
from app.reports import applications, day
from app.reports.part import Part, Sums, add
from app.reports.point import Point
from app.reports.series import Series

CHAIN = Series(Rollup, day.of_day)
_APPLICATIONS = Series(ApplicationRollup, applications.of_day)


def chain_up_to(session: Session, part: Part, point: Point) -> Sums:
    """What happened on chain up to a point. `left_fen` is what vouchers are good for that end on its day or later."""
    sums = CHAIN.up_to(session, part, point)
    lapsed = (
        select(Outstanding.programme_id, Outstanding.key, func.sum(Outstanding.left_fen))
        .where(Outstanding.valid_day < point.day, *part.conditions(Outstanding))
        .group_by(Outstanding.programme_id, Outstanding.key)
    )
    return add(sums, {(row[0], row[1]): {"left_fen": -int(row[2])} for row in session.execute(lapsed)})


def applied_up_to(session: Session, part: Part, point: Point) -> Sums:
    """Applications up to a point; up to now where that is the newest block."""
    return _APPLICATIONS.up_to(session, part, point) if _takes_applications(session) else {}


def applied_by_span(session: Session, part: Part, first: date, last: date, point: Point, *, by: str) -> dict[str, Sums]:
    """Applications by day or month, as `Series.by_span`."""
    if not _takes_applications(session):
        return {}
    return _APPLICATIONS.by_span(session, part, first, last, point, by=by)


def _takes_applications(session: Session) -> bool:
    """Applications are those to the service's own deployment."""
    return bool(session.info.get(SCOPE, OWN) == OWN)
