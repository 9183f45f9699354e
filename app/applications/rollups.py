"""Sums over applications by day, month and in all, and the time that stages took, kept as steps are taken.

Changes are gathered while a transaction runs and written as its last statements, in the order of their keys: so the
rows that all applications share are held for the commit alone, and two transactions never wait for each other.
"""

from collections import defaultdict
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Integer, String, case, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.applications.models import Application
from app.applications.states import State
from app.indexer.models import Entity, Tier
from app.indexer.rollups import NONE, day_of, dimensions, spans
from chain.enums import NO_PERIOD
from chain.sql import Base

COUNTED = {State.APPROVED: "approved", State.REJECTED: "rejected", State.WITHDRAWN: "withdrawn"}
"""States whose applications are counted while they are in them."""
APPLIED = "applied"
KINDS = ("review", "clarification", "publicity")
_GATHERED = "application_rollups"


class ApplicationRollup(Base):
    """What became of applications in a span, by programme and one dimension, as in app.indexer.rollup_models.

    Attributes:
        applied: Handed in. The others count those that came to the state, less those that left it again.
    """

    __tablename__ = "application_rollups"

    span: Mapped[str] = mapped_column(String(10), primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    applied: Mapped[int] = mapped_column(BigInteger)
    applied_fen: Mapped[int] = mapped_column(BigInteger)
    approved: Mapped[int] = mapped_column(BigInteger)
    approved_fen: Mapped[int] = mapped_column(BigInteger)
    rejected: Mapped[int] = mapped_column(BigInteger)
    rejected_fen: Mapped[int] = mapped_column(BigInteger)
    withdrawn: Mapped[int] = mapped_column(BigInteger)
    withdrawn_fen: Mapped[int] = mapped_column(BigInteger)


class StageRollup(Base):
    """Passages of applications through a stage that ended in a span, and the seconds that they spent there.

    Attributes:
        kind: review, clarification or publicity.
        longest_s: The longest of the passages.
    """

    __tablename__ = "stage_rollups"

    span: Mapped[str] = mapped_column(String(10), primary_key=True)
    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    stage: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    passages: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[int] = mapped_column(BigInteger)
    longest_s: Mapped[int] = mapped_column(BigInteger)


_Key: TypeAlias = tuple[Any, ...]
_Gathered: TypeAlias = dict[type[Base], dict[_Key, dict[str, int]]]


def count(session: Session, application: Application, before: str | None, at: int) -> None:
    """Counts a step.

    Args:
        before: The row's state before it; None where it was handed in.
        at: Unix seconds.
    """
    counted = changes(before, str(application.state))
    if not counted:
        return
    holder = session.get(Entity, application.entity_id)
    tier = session.get(Tier, (application.programme_id, application.tier))
    cell = (
        application.programme_id,
        None if application.period == NO_PERIOD else application.period,
        tier.name if tier else NONE,
        holder.region if holder else NONE,
        holder.kind if holder else NONE,
        None,
    )
    lines = _gathered(session)[ApplicationRollup]
    for span in spans(day_of(at)):
        for dimension, key in dimensions(cell):
            line = lines.setdefault((span, dimension, application.programme_id, key), defaultdict(int))
            for name, by in counted.items():
                line[name] += by
                line[f"{name}_fen"] += by * application.face_fen


def changes(before: str | None, state: str) -> dict[str, int]:
    """By how much a step changes which columns.

    Args:
        before: The state before it; None where the application was handed in.
    """
    found = {APPLIED: 1} if before is None else {}
    if before != state:
        found |= {COUNTED[State(one)]: by for one, by in ((before, -1), (state, 1)) if one in COUNTED}
    return found


def pass_stage(session: Session, programme_id: int, stage: int, spent: dict[str, int], at: int) -> None:
    """Counts a passage through a stage that ended at a moment.

    Args:
        spent: Seconds by kind; those that took none are left out.
    """
    lines = _gathered(session)[StageRollup]
    for span in spans(day_of(at))[:2]:
        for kind, seconds in spent.items():
            line = lines.setdefault((span, programme_id, stage, kind), defaultdict(int))
            line["passages"] += 1
            line["seconds"] += seconds
            line["longest_s"] = max(line["longest_s"], seconds)


def _gathered(session: Session) -> _Gathered:
    found: _Gathered = session.info.setdefault(_GATHERED, {ApplicationRollup: {}, StageRollup: {}})
    return found


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    gathered: _Gathered = session.info.pop(_GATHERED, {})
    for model, lines in gathered.items():
        if lines:
            _add(session, model, lines)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_GATHERED, None)


def _add(session: Session, model: type[Base], lines: dict[_Key, dict[str, int]]) -> None:
    table = model.__table__
    keys = [column.name for column in table.primary_key]
    sums = [column.name for column in table.columns if column.name not in keys]
    empty = dict.fromkeys(sums, 0)
    rows = [dict(zip(keys, line, strict=True)) | empty | lines[line] for line in sorted(lines)]
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(table).values(rows)
    old, new = table.columns, insert.excluded
    changes = {
        name: case((old[name] > new[name], old[name]), else_=new[name])
        if name == "longest_s"
        else old[name] + new[name]
        for name in sums
    }
    session.execute(insert.on_conflict_do_update(index_elements=keys, set_=changes))
