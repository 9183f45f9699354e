"""Approval progress (审核进度): how many applications are where, and how long stages take."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.applications import repository
from app.applications.models import Application
from app.applications.progress import times
from app.applications.rollups import StageRollup
from app.applications.states import UNDECIDED
from app.applications.submission import part_of, policy_of
from app.indexer.models import Programme, Stage
from app.indexer.rollups import TOTAL
from app.reports.figures import put_names, share_bps
from app.reports.part import Part
from app.reports.question import Reading, Report
from app.reports.sums import applied_up_to, chain_up_to
from app.reports.table import NAME, PROGRAMME, SERVICE, Column, Row, Table, count, fen, key, label

_PROGRESS = (
    PROGRAMME,
    NAME,
    count("applied", "申领数", "Applied", source=SERVICE),
    fen("applied_fen", "申领金额", "Applied for", source=SERVICE),
    count("open", "审核中", "Under review", source=SERVICE),
    count("approved", "审核通过", "Approved", source=SERVICE),
    fen("approved_fen", "审核通过金额", "Approved amount", source=SERVICE),
    count("rejected", "驳回", "Rejected", source=SERVICE),
    count("withdrawn", "撤回", "Withdrawn", source=SERVICE),
    Column("approved_bps", "bps", SERVICE, "通过率(占已决定)", "Approved of those decided"),
    count("issued", "已发放", "Issued"),
)
_KIND_NAMES = {
    "review": ("审核", "Review"),
    "clarification": ("补正", "Clarification"),
    "publicity": ("公示", "Publicity"),
}
_STAGES = (
    PROGRAMME,
    NAME,
    key("stage", "count", "阶段", "Stage"),
    label("stage_name", "阶段名称", "Name of the stage"),
    count("waiting", "待处理", "Waiting", source=SERVICE),
    count("overdue", "超期", "Overdue", source=SERVICE),
    *(
        column
        for kind, (zh, en) in _KIND_NAMES.items()
        for column in (
            count(f"{kind}_passages", f"{zh}次数", f"{en}: ended", source=SERVICE),
            Column(f"{kind}_mean_s", "seconds", SERVICE, f"{zh}平均用时", f"{en}: mean"),
            Column(f"{kind}_longest_s", "seconds", SERVICE, f"{zh}最长用时", f"{en}: longest"),
        )
    ),
)


def _progress(reading: Reading) -> Table:
    part = Part("programmes", reading.question.programme_id)
    applied = applied_up_to(reading.session, part, reading.point)
    issued = chain_up_to(reading.session, part, reading.point)
    rows: list[Row] = []
    for place in sorted(applied.keys() | issued.keys()):
        sums = applied.get(place, {})
        figures = {name: sums.get(name, 0) for name in ("applied", "applied_fen", "approved", "approved_fen")}
        rejected, withdrawn = sums.get("rejected", 0), sums.get("withdrawn", 0)
        rows.append(
            {
                "programme_id": place[0],
                **figures,
                "open": figures["applied"] - figures["approved"] - rejected - withdrawn,
                "rejected": rejected,
                "withdrawn": withdrawn,
                "approved_bps": share_bps(figures["approved"], figures["approved"] + rejected),
                "issued": issued.get(place, {}).get("issued", 0),
            }
        )
    return Table(_PROGRESS, put_names(reading, rows, "programmes"))


def _stages(reading: Reading) -> Table:
    session, number = reading.session, reading.question.programme_id
    query = select(Programme).order_by(Programme.id)
    programmes = list(session.scalars(query if number is None else query.where(Programme.id == number)))
    stages = repository.stages(session, [one.id for one in programmes])
    waiting, passed = _waiting(session, number), _passed(session, number)
    rows: list[Row] = []
    for programme in programmes:
        overdue = _overdue(session, programme, len(stages[programme.id]))
        rows += [_stage(programme.id, stage, waiting, overdue, passed) for stage in stages[programme.id]]
    return Table(_STAGES, put_names(reading, rows, "programmes"))


def _stage(
    programme_id: int,
    stage: Stage,
    waiting: dict[tuple[int, int], int],
    overdue: list[int],
    passed: dict[tuple[int, int, str], StageRollup],
) -> Row:
    row: Row = {
        "programme_id": programme_id,
        "stage": stage.index,
        "stage_name": stage.name,
        "waiting": waiting.get((programme_id, stage.index), 0),
        "overdue": overdue.count(stage.index),
    }
    for kind in _KIND_NAMES:
        sums = passed.get((programme_id, stage.index, kind))
        row[f"{kind}_passages"] = sums.passages if sums else 0
        row[f"{kind}_mean_s"] = sums.seconds // sums.passages if sums else None
        row[f"{kind}_longest_s"] = sums.longest_s if sums else None
    return row


def _waiting(session: Session, programme_id: int | None) -> dict[tuple[int, int], int]:
    """Undecided applications by programme and stage."""
    query = (
        select(Application.programme_id, Application.stage, func.count())
        .where(Application.state.in_([str(one) for one in UNDECIDED]))
        .group_by(Application.programme_id, Application.stage)
    )
    if programme_id is not None:
        query = query.where(Application.programme_id == programme_id)
    return {(row[0], row[1]): row[2] for row in session.execute(query)}


def _overdue(session: Session, programme: Programme, stages: int) -> list[int]:
    """The stage of each application that is not decided in time."""
    part = part_of(programme, policy_of(session, programme))
    if part is None or all(stage.days is None for stage in part.stages):
        return []
    waiting = repository.waiting(session, programme.id)
    histories = repository.steps(session, list(waiting))
    return [
        waiting[one] for one, steps in histories.items() if any(time.overdue for time in times(steps, stages, part))
    ]


def _passed(session: Session, programme_id: int | None) -> dict[tuple[int, int, str], StageRollup]:
    query = select(StageRollup).where(StageRollup.span == TOTAL)
    if programme_id is not None:
        query = query.where(StageRollup.programme_id == programme_id)
    return {(row.programme_id, row.stage, row.kind): row for row in session.scalars(query)}


PROGRESS = Report(
    name="progress",
    zh="审核进度",
    en="Approval progress",
    about_zh="各项目申领、审核中、通过、驳回、撤回与发放数。",
    about_en="How many applications of each programme are under review, approved, rejected, withdrawn, and issued.",
    takes=("programme_id", "as_of", "language"),
    read=_progress,
)
STAGES = Report(
    name="stages",
    zh="各审核阶段用时",
    en="Time per stage",
    about_zh="各审核阶段待处理与超期数,以及已离开该阶段的申领的平均与最长用时。",
    about_en="What waits in each stage of review now, what is overdue, and how long those took that are through.",
    takes=("programme_id", "language"),
    read=_stages,
)
