"""SQL of effect reports."""

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.effects.models import EffectReport
from app.entities.models import Organisation
from app.indexer.models import Period, Voucher


def newest() -> Select[EffectReport]:
    """The reports that count: of each programme, organisation and year the one with the highest number."""
    later = aliased(EffectReport)
    corrected = select(later.id).where(
        later.programme_id == EffectReport.programme_id,
        later.entity_id == EffectReport.entity_id,
        later.year == EffectReport.year,
        later.number > EffectReport.number,
    )
    return select(EffectReport).where(~corrected.exists())


def page(
    session: Session,
    *,
    programme_id: int | None,
    uscc: str | None,
    year: int | None,
    after: EffectReport | None,
    limit: int,
) -> list[EffectReport]:
    """Reports that count, by programme, year and organisation."""
    order = (EffectReport.programme_id, EffectReport.year, EffectReport.entity_id)
    query = newest().order_by(*order).limit(limit)
    if programme_id is not None:
        query = query.where(EffectReport.programme_id == programme_id)
    if uscc is not None:
        query = query.where(EffectReport.uscc == uscc)
    if year is not None:
        query = query.where(EffectReport.year == year)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(after.programme_id, after.year, after.entity_id))
    return list(session.scalars(query))


def find(session: Session, report_id: str) -> EffectReport | None:
    """A report."""
    return session.scalars(select(EffectReport).where(EffectReport.id == report_id)).first()


def counting(session: Session, programme_id: int, entity_id: bytes, year: int) -> EffectReport | None:
    """The report that counts for a programme, organisation and year."""
    query = newest().where(
        EffectReport.programme_id == programme_id, EffectReport.entity_id == entity_id, EffectReport.year == year
    )
    return session.scalars(query).first()


def hold_organisation(session: Session, uscc: str) -> Organisation | None:
    """An organisation, held so that of two reports at the same time the second sees the first."""
    return session.get(Organisation, uscc, with_for_update=True)


def was_given(session: Session, programme_id: int, entity_id: bytes) -> bool:
    """Whether an organisation has, or had, a voucher of a programme."""
    query = select(Voucher.id).where(Voucher.programme_id == programme_id, Voucher.entity_id == entity_id)
    return session.scalars(query.limit(1)).first() is not None


def starts_at(session: Session, programme_id: int) -> int:
    """First second of a programme's first period."""
    query = select(Period.starts_at).where(Period.programme_id == programme_id).order_by(Period.index)
    return session.scalars(query.limit(1)).one()
