"""Publicity (公示): what is on display for everybody, and the worker that lets it go on when its time is over."""

from sqlalchemy.orm import Session

from app.applications import repository
from app.applications.answers import Displayed
from app.applications.deciding import end_publicity, locked
from app.clock import now
from app.entities.repository import by_uscc
from app.gateway import Gateway
from chain.sql import reading

AT_ONCE = 100


class PublicityWorker:
    """Ends the publicity of applications; several may share a PostgreSQL."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def step(self) -> None:
        """Ends what is over, each application in a transaction of its own."""
        with reading(self._gateway.sessions) as session:
            over = repository.publicity_over(session, now(), AT_ONCE)
        for application_id in over:
            with self._gateway.sessions.begin() as session:
                application, _ = locked(session, application_id)
                session.refresh(application)
                end_publicity(session, self._gateway, application)


def displayed(session: Session, programme_id: int | None) -> list[Displayed]:
    """What is on public display now: what the law lets be shown, and nothing of the documents."""
    rows = repository.on_display(session, programme_id)
    tiers = {number: repository.tiers(session, number) for number in {row.programme_id for row in rows}}
    found = []
    for row in rows:
        organisation = by_uscc(session, row.uscc)
        name = organisation.name if organisation else ""
        is_person = row.uscc.startswith("maker:")
        found.append(
            Displayed(
                application_id=row.id,
                programme_id=row.programme_id,
                organisation=f"{name[:1]}**" if is_person else name,
                uscc=None if is_person else row.uscc,
                tier=next(tier.name for tier in tiers[row.programme_id] if tier.index == row.tier),
                face_fen=row.face_fen,
                until=row.publicity_until or 0,
            )
        )
    return found
