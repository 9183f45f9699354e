"""What the rules of a policy say of an applicant; kept with the application for those who decide, and for audits.

`{policy_digest, found_at, tier, admits, tiers, refusals, missing, stated}`: whether a voucher may be issued on the tier
that was applied for, which other tiers fit, which rules are broken, what is not known, and which facts are the
applicant's own word. It binds no reviewer.
"""

from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.clock import now
from app.entities.claimants import claimant_of
from app.entities.models import Organisation
from app.indexer.models import Programme
from app.policies.admission import Admission, admit
from app.policies.compiled import compiled_programme
from app.policies.question import Claimant
from app.programmes.repository import policy_file


def admission(session: Session, programme: Programme, claimant: Claimant) -> Admission | None:
    """What the policy file says; None where the service does not have it."""
    stored = policy_file(session, programme.policy_hash)
    if stored is None:
        return None
    return admit(compiled_programme(stored.content, programme.policy_uri.partition("#")[2]), claimant, now())


def finding(
    session: Session, programme: Programme, organisation: Organisation, tier: str, facts: dict[str, Any]
) -> dict[str, Any] | None:
    """The finding on an application.

    Args:
        facts: What the applicant states; what registry and officers say comes first.
    """
    known = claimant_of(session, organisation)
    stated = _readable({name: value for name, value in facts.items() if name not in known.model_fields_set})
    claimant = Claimant.model_validate({**known.model_dump(exclude_unset=True), **stated})
    found = admission(session, programme, claimant)
    if found is None:
        return None
    return {
        "policy_digest": f"0x{programme.policy_hash.hex()}",
        "found_at": now(),
        "tier": tier,
        "admits": found.admits(tier),
        "tiers": found.tiers,
        "refusals": [one._asdict() for one in found.refusals],
        "missing": list(found.missing),
        "stated": sorted(stated),
    }


def _readable(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts that conditions can speak of; an applicant may state others."""
    found = {}
    for name, value in facts.items():
        try:
            Claimant.model_validate({name: value})
        except ValidationError:
            continue
        found[name] = value
    return found
