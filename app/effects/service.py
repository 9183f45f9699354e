"""Takes reports of effect, and gives those that count."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from app.auth.roles import Role
from app.auth.service import Principal
from app.clock import now
from app.cursor import named_by
from app.effects import repository
from app.effects.models import EffectReport
from app.effects.schemas import EffectPage, EffectView, NewEffect
from app.errors import Invalid
from app.policies.terms import CHINA
from app.programmes.service import find as find_programme


def report(session: Session, caller: Principal, body: NewEffect) -> tuple[int, EffectView]:
    """Takes a report; returns the HTTP status. The same as what counts already changes nothing; other figures for the
    same year correct it.

    Raises:
        NotFound: There is no such programme.
        Invalid: The organisation is another's or got no voucher of the programme, or the year is not one of its years.
    """
    if caller.role is Role.ENTERPRISE and caller.subject != body.uscc:
        raise Invalid("/uscc", "own", "your key may report for its own organisation only")
    programme = find_programme(session, body.programme_id)
    organisation = repository.hold_organisation(session, body.uscc)
    if organisation is None or not repository.was_given(session, programme.id, organisation.entity_id):
        raise Invalid("/uscc", "subsidised", f"{body.uscc} has no voucher of programme {programme.id}")
    first, last = (_year(at) for at in (repository.starts_at(session, programme.id), now()))
    if not first <= body.year <= last:
        raise Invalid("/year", "programme_year", f"must lie between {first} and {last}")
    before = repository.counting(session, programme.id, organisation.entity_id, body.year)
    if before is not None and _view(before).model_dump(include=set(NewEffect.model_fields)) == body.model_dump():
        return 200, _view(before)
    row = EffectReport(
        id=f"ef_{uuid4().hex}",
        entity_id=organisation.entity_id,
        number=before.number + 1 if before else 1,
        reported_by=caller.key_id,
        reported_at=now(),
        **body.model_dump(),
    )
    session.add(row)
    session.flush()
    return 201, _view(row)


def page(
    session: Session,
    caller: Principal,
    *,
    programme_id: int | None,
    uscc: str | None,
    year: int | None,
    after: str | None,
    limit: int,
) -> EffectPage:
    """Reports that count; an organisation sees its own.

    Raises:
        Invalid: The cursor names no report.
    """
    last = named_by(session, after, repository.find)
    own = uscc if caller.is_staff else caller.subject
    rows = repository.page(session, programme_id=programme_id, uscc=own, year=year, after=last, limit=limit)
    return EffectPage(items=[_view(row) for row in rows], next=rows[-1].id if len(rows) == limit else None)


def _year(at: int) -> int:
    return datetime.fromtimestamp(at, CHINA).year


def _view(row: EffectReport) -> EffectView:
    return EffectView.model_validate({name: getattr(row, name) for name in EffectView.model_fields})
