"""Time per stage: of one application from its history, of a programme in SQL."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, case, cast, func, select
from sqlalchemy.orm import Session

from app.applications import repository
from app.applications.answers import ProgressReport, Spent, StageReport, StageTime
from app.applications.models import Application, ApplicationStep
from app.applications.states import IN_STAGE, PARTS, State
from app.applications.submission import part_of, policy_of
from app.clock import now
from app.policies.model import ProgrammePart, StagePart
from app.programmes.service import find as find_programme
from app.working_days import due_at


def times(steps: Sequence[ApplicationStep], stages: int, part: ProgrammePart | None) -> list[StageTime]:
    """Time in each stage, and until when the one under review is to be decided."""
    spent = [{"review": 0, "clarification": 0, "publicity": 0} for _ in range(stages)]
    ends = [step.at for step in steps[1:]] + [now()]
    for step, end in zip(steps, ends, strict=True):
        kind = PARTS.get(State(step.state))
        if kind is not None and step.stage < stages:
            spent[step.stage][kind] += end - step.at
    due = _due(steps, part)
    return [
        StageTime(
            index=index,
            review_s=row["review"],
            clarification_s=row["clarification"],
            publicity_s=row["publicity"],
            due_at=due if index == steps[-1].stage else None,
            overdue=index == steps[-1].stage and due is not None and due < now(),
        )
        for index, row in enumerate(spent)
    ]


def _due(steps: Sequence[ApplicationStep], part: ProgrammePart | None) -> int | None:
    """Until when the stage under review is to be decided; None where it is not said, or the clock stands still."""
    last = steps[-1]
    stage: StagePart | None = part.stages[last.stage] if part and last.stage < len(part.stages) else None
    if stage is None or stage.days is None or last.state not in IN_STAGE:
        return None
    if last.state == State.CLARIFICATION and stage.clarification_stops_clock:
        return None
    first = len(steps) - 1
    while first and steps[first - 1].stage == last.stage and steps[first - 1].state in IN_STAGE:
        first -= 1
    pauses = [
        (step.at, after.at)
        for step, after in zip(steps[first:], steps[first + 1 :], strict=False)
        if step.state == State.CLARIFICATION and stage.clarification_stops_clock
    ]
    return due_at(steps[first].at, stage.days, pauses)


def report(session: Session, programme_id: int) -> ProgressReport:
    """Approval progress of a programme, and the time that its stages took.

    Raises:
        NotFound: There is no such programme.
    """
    programme = find_programme(session, programme_id)
    part = part_of(programme, policy_of(session, programme))
    stages = repository.stages(session, [programme_id])[programme_id]
    states = repository.states(session, programme_id)
    waiting = repository.waiting(session, programme_id)
    histories = repository.steps(session, list(waiting))
    overdue = [
        waiting[name]
        for name, steps in histories.items()
        if any(one.overdue for one in times(steps, len(stages), part))
    ]
    spent = _spent(session, programme_id)
    return ProgressReport(
        programme_id=programme_id,
        at=now(),
        applications=sum(states.values()),
        states=states,
        stages=[
            StageReport(
                index=stage.index,
                name=stage.name,
                waiting=sum(1 for index in waiting.values() if index == stage.index),
                overdue=overdue.count(stage.index),
                review=_of(spent, stage.index, "review"),
                clarification=_of(spent, stage.index, "clarification"),
                publicity=_of(spent, stage.index, "publicity"),
            )
            for stage in stages
        ],
    )


def _of(spent: dict[tuple[int, str], Spent], stage: int, kind: str) -> Spent:
    return spent.get((stage, kind), Spent(applications=0, mean_s=0, longest_s=0))


def _spent(session: Session, programme_id: int) -> dict[tuple[int, str], Spent]:
    """By stage and kind of time: over the applications that were in it, each with all its times in it added up."""
    step = ApplicationStep
    following = func.lead(step.at).over(partition_by=step.application_id, order_by=step.id)
    kind = case({state.value: part for state, part in PARTS.items()}, value=step.state)
    stretch = (
        select(
            step.application_id.label("application"),
            step.stage.label("stage"),
            kind.label("kind"),
            (func.coalesce(following, now()) - step.at).label("seconds"),
        )
        .join(Application, Application.id == step.application_id)
        .where(Application.programme_id == programme_id)
        .subquery()
    )
    each = (
        select(stretch.c.stage, stretch.c.kind, func.sum(stretch.c.seconds).label("seconds"))
        .where(stretch.c.kind.is_not(None))
        .group_by(stretch.c.application, stretch.c.stage, stretch.c.kind)
        .subquery()
    )
    query = select(
        each.c.stage,
        each.c.kind,
        func.count(),
        cast(func.avg(each.c.seconds), BigInteger),
        cast(func.max(each.c.seconds), BigInteger),
    ).group_by(each.c.stage, each.c.kind)
    return {
        (row[0], row[1]): Spent(applications=row[2], mean_s=row[3], longest_s=row[4]) for row in session.execute(query)
    }
