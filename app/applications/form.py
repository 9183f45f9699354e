"""What an application to a programme holds, as its policy says."""

import re
from typing import Any

from sqlalchemy.orm import Session

from app.applications import repository
from app.applications.answers import Form, FormDocument, FormStage
from app.applications.reasons import reasons_of
from app.applications.submission import PUBLISHED, part_of, policy_of
from app.clock import now
from app.errors import NotFound
from app.policies.model import ProgrammePart
from app.policies.question import Claimant
from app.programmes.service import find as find_programme

_CLAIMANT_FIELD = re.compile(r"\bclaimant\.(\w+)")
_STATED_AS = {"settled_in_zone_year": "settled_in_zone_on", "has_agreement": "agreement_rate_bps"}
"""Fields of conditions that follow from what a claimant states."""


def form(session: Session, programme_id: int) -> Form:
    """The form of a programme.

    Raises:
        NotFound: There is no such programme, or the service does not have its policy file.
    """
    programme = find_programme(session, programme_id)
    policy = policy_of(session, programme)
    part = part_of(programme, policy)
    if policy is None or part is None:
        raise NotFound("policy", f"0x{programme.policy_hash.hex()}")
    opens_at = repository.periods(session, programme_id)[0].starts_at
    claims_until = int(programme.terms["claimsUntil"])
    return Form(
        programme_id=programme_id,
        open=programme.status == PUBLISHED and opens_at <= now() <= claims_until,
        opens_at=opens_at,
        claims_until=claims_until,
        tiers=[{"name": tier.name, "title": tier.title.model_dump()} for tier in part.tiers],
        facts=_facts(part),
        stages=[
            FormStage(
                name=stage.name,
                title=stage.title.model_dump(),
                required=stage.required,
                approvers=stage.approvers,
                days=stage.days,
                clarification_stops_clock=stage.clarification_stops_clock,
                publicity_days=stage.publicity_days,
                documents=[
                    FormDocument(
                        name=name,
                        title=policy.documents[name].model_dump(include={"zh", "en"}),
                        types=list(policy.documents[name].types),
                    )
                    for name in stage.documents
                ],
            )
            for stage in part.stages
        ],
        appeal_days=part.appeal_days,
        reasons={code: text.model_dump() for code, text in reasons_of(part).items()},
    )


def _facts(part: ProgrammePart) -> dict[str, Any]:
    """The fields of a claimant that the conditions of a programme ask for."""
    conditions = [rule.when for rule in part.eligible + part.excluded] + [tier.when for tier in part.tiers]
    asked = {_STATED_AS.get(name, name) for text in conditions for name in _CLAIMANT_FIELD.findall(text)}
    properties = Claimant.model_json_schema()["properties"]
    return {"type": "object", "properties": {name: properties[name] for name in sorted(asked)}}
