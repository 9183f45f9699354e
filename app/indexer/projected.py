"""Rows of several deployments side by side: every table of the projection is keyed by the deployment too.

An old and a new deployment, on one chain or on two, number their programmes and vouchers alike. So a session that
queries use sees one deployment: it carries the number, and each SELECT through the ORM gets the condition. Nobody has
to remember it, and within a session an id names one row.
"""

from typing import Any

from sqlalchemy import Integer, event
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, declared_attr, mapped_column, sessionmaker
from sqlalchemy.orm import with_loader_criteria as criteria

OWN = 1
"""Number of the deployment that a service sends its transactions to."""
SCOPE = "deployment_id"
"""Member of a session's info that says which deployment it sees."""


class Projected:
    """A table of the projection. To the ORM the key is that within a deployment."""

    deployment_id: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, default=OWN, sort_order=-1
    )

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - a class, by the rules of declared_attr
        columns = cls.__table__.primary_key.columns  # type: ignore[attr-defined]
        return {"primary_key": [column.name for column in columns if column.name != SCOPE]}


def scoped(make: sessionmaker[Session], deployment_id: int) -> sessionmaker[Session]:
    """Sessions that see one deployment's rows; on the same engine."""
    options = {**make.kw, "info": {**make.kw.get("info", {}), SCOPE: deployment_id}}
    return sessionmaker(class_=Session, **options)


def choose(session: Session, deployment_id: int) -> None:
    """Let a session that has read nothing yet see another deployment."""
    session.info[SCOPE] = deployment_id


def chosen(session: Session) -> int:
    """The deployment that a session sees."""
    return int(session.info[SCOPE])


@event.listens_for(Session, "do_orm_execute")
def _add_condition(state: ORMExecuteState) -> None:
    deployment_id = state.session.info.get(SCOPE)
    if deployment_id is None or not state.is_select or state.is_column_load or state.is_relationship_load:
        return
    state.statement = state.statement.options(
        criteria(Projected, lambda cls: cls.deployment_id == deployment_id, include_aliases=True)
    )
