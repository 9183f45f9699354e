"""Takes from the checks of a trade's claims what they say of it, once its evidence is erased.

Which check answered what, under which version of the rules, stays: that is why the claim was paid or not. Inputs,
numbers and the texts that repeat them go; a re-run of such a check says that it cannot be made again. The decisions on
other claims keep what they were compared with, which names a trade by keyed digests alone.
"""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.checks.models import CheckRun, ClaimedTrade
from app.claims.models import Claim

ERASED = {"text_zh": "内容已依申请删除", "text_en": "The content was erased", "numbers": {}}


def erase_findings(session: Session, evidence_id: str) -> None:
    """Empties what the checks kept of the claims on a record."""
    claims = list(session.scalars(select(Claim).where(Claim.evidence_id == evidence_id)))
    numbers = [claim.id for claim in claims]
    for claim in claims:
        claim.detail = None
    for run in session.scalars(select(CheckRun).where(CheckRun.claim_id.in_(numbers))):
        run.outcomes = [{**one, "inputs": None, "outcome": {**one["outcome"], **ERASED}} for one in run.outcomes]
    session.execute(delete(ClaimedTrade).where(ClaimedTrade.claim_id.in_(numbers)))
