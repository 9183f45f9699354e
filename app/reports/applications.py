"""The day in which a past block lies, from the steps that were taken with applications on it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.applications.models import Application, ApplicationStep
from app.applications.rollups import changes
from app.applications.states import State
from app.indexer.models import Entity, Tier
from app.indexer.rollups import NONE, begin_of_day
from app.reports.part import Part, Sums, add
from app.reports.point import Point
from chain.enums import NO_PERIOD


def of_day(session: Session, part: Part, point: Point) -> Sums:
    """What was done with applications on the day of a past block, up to the block's time. Region and kind are the
    organisation's present ones."""
    query = (
        select(ApplicationStep.before, ApplicationStep.state, Application, Tier.name, Entity.region, Entity.kind)
        .join(Application, Application.id == ApplicationStep.application_id)
        .outerjoin(Tier, (Tier.programme_id == Application.programme_id) & (Tier.index == Application.tier))
        .outerjoin(Entity, Entity.id == Application.entity_id)
        .where(ApplicationStep.at >= begin_of_day(point.day), ApplicationStep.at <= point.moment)
    )
    sums: Sums = {}
    for before, state, application, tier, region, kind in session.execute(query):
        period = None if application.period == NO_PERIOD else application.period
        place = part.place((application.programme_id, period, tier or NONE, region or NONE, kind or NONE, None))
        if place is not None:
            # What the chain refused was approved here.
            was = State.APPROVED.value if before == State.REFUSED else before
            for name, by in changes(was, state).items():
                add(sums, {place: {name: by, f"{name}_fen": by * application.face_fen}})
    return sums
