"""SQL of programmes."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.indexer.models import Budget, OfficerRole, Programme, Stage, Tier
from app.programmes.models import PolicyFile

REVIEWER = "reviewer"


def policy_file(session: Session, digest: bytes) -> PolicyFile | None:
    """A policy file by its digest."""
    return session.get(PolicyFile, digest)


def keep_policy_file(session: Session, row: PolicyFile) -> bytes:
    """Keeps a policy file unless its version is there already, also if that comes at the same time.

    Returns:
        Digest of the text that the version has.
    """
    values = {column.key: getattr(row, column.key) for column in PolicyFile.__table__.columns}
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(PolicyFile)
    session.execute(insert.values(values).on_conflict_do_nothing())
    query = select(PolicyFile.digest).where(PolicyFile.policy == row.policy, PolicyFile.version == row.version)
    return session.scalars(query).one()


def policy_files(session: Session) -> Sequence[PolicyFile]:
    """All policy files."""
    return list(session.scalars(select(PolicyFile)))


def programme(session: Session, programme_id: int) -> Programme | None:
    """A programme by its number."""
    return session.get(Programme, programme_id)


def programmes(session: Session, group: int | None) -> list[Programme]:
    """All programmes, of one group if one is named."""
    query = select(Programme).order_by(Programme.id)
    return list(session.scalars(query if group is None else query.where(Programme.group_id == group)))


def budgets(session: Session, programme_id: int) -> Sequence[Budget]:
    """The budgets of a programme."""
    query = select(Budget).where(Budget.programme_id == programme_id).order_by(Budget.index)
    return list(session.scalars(query))


def tiers(session: Session, programme_id: int) -> Sequence[Tier]:
    """The tiers of a programme."""
    return list(session.scalars(select(Tier).where(Tier.programme_id == programme_id).order_by(Tier.index)))


def stages(session: Session, programme_id: int) -> list[str]:
    """Names of a programme's stages, in order."""
    return list(session.scalars(select(Stage.name).where(Stage.programme_id == programme_id).order_by(Stage.index)))


def is_reviewer(session: Session, address: str) -> bool:
    """Whether an address holds the role of a reviewer on chain, without which it can approve nothing."""
    return session.get(OfficerRole, (REVIEWER, bytes.fromhex(address[2:]))) is not None
