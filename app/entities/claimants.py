"""Organisations as claimants: what policies ask of them, from the registry, from blacklists, and from officers.

What an organisation says of itself is not among it: nobody is given money without a reviewer on their own word.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.auth.service import Principal
from app.checks.repository import blacklists
from app.clock import now
from app.entities.models import ConfirmedFacts, Organisation
from app.entities.schemas import FactsView
from app.entities.service import find
from app.indexer.models import Entity
from app.policies.question import Claimant
from app.policies.terms import CHINA

KINDS = ("enterprise", "research_institute", "university", "intermediary", "maker")
"""Kinds of organisations that can be claimants."""


def confirm(session: Session, caller: Principal, uscc: str, facts: Mapping[str, Any]) -> FactsView:
    """Keeps what an officer confirmed, in place of what was confirmed before.

    Raises:
        NotFound: There is no such organisation.
    """
    find(session, uscc)
    row = session.get(ConfirmedFacts, uscc, with_for_update=True)
    if row is None:
        row = ConfirmedFacts(uscc=uscc)
        session.add(row)
    row.facts, row.confirmed_by, row.confirmed_at = dict(facts), caller.key_id, now()
    session.flush()
    return view_of(row)


def confirmed(session: Session, uscc: str) -> FactsView | None:
    """What was confirmed of an organisation; None where nothing was."""
    row = session.get(ConfirmedFacts, uscc)
    return None if row is None else view_of(row)


def view_of(row: ConfirmedFacts) -> FactsView:
    """Confirmed facts as officers see them."""
    return FactsView(uscc=row.uscc, facts=row.facts, confirmed_by=row.confirmed_by, confirmed_at=row.confirmed_at)


def claimant_of(session: Session, organisation: Organisation) -> Claimant:
    """An organisation as far as it is known without asking it. Standing is that of this year."""
    entity = session.get(Entity, organisation.entity_id)
    year = datetime.fromtimestamp(now(), CHINA).year
    first, last = (int(datetime(one, 1, 1, tzinfo=CHINA).timestamp()) for one in (year, year + 1))
    lists = blacklists(session, [organisation.entity_id], first, last).get(organisation.entity_id, [])
    good = entity is not None and entity.standing == "good" and entity.standing_until >= now()
    known = entity is not None and (good or entity.standing in ("dishonest", "tax_blacklisted"))
    row = session.get(ConfirmedFacts, organisation.uscc)
    fields: dict[str, Any] = {
        **(row.facts if row else {}),
        "uscc": organisation.uscc,
        "kind": organisation.kind if organisation.kind in KINDS else None,
        "region": f"{entity.region:06d}" if entity else organisation.region,
        "controller": organisation.controller or None,
    }
    for name in ("dishonest", "tax_blacklisted"):
        listed = name in lists or (entity is not None and entity.standing == name)
        if listed or known:
            fields[name] = listed
    return Claimant.model_validate(fields)
