"""Runs the checks on a claim, keeps the decision with all that it rests on, and holds or refuses the claim.

A decision names the policy file by its digest and each check by its version, and holds the inputs; so it can be made
again years later, and what today's rules say can be put beside it (`rerun.py`).
"""

from sqlalchemy.orm import Session

from app.checks import repository
from app.checks.decisions import hold, keep
from app.checks.gather import Gatherer
from app.checks.outcome import ORDER, Answer, Outcome
from app.checks.rules import NEWEST, decide
from app.claims.models import Claim
from app.clock import now
from app.evidence.models import EvidenceRecord
from app.gateway import Gateway
from app.indexer.models import Programme
from app.programmes.service import programme_part
from chain.trade import Trade


def examine(session: Session, gateway: Gateway, claim: Claim, row: EvidenceRecord, trade: Trade) -> Answer:
    """Checks a claim; what the answer means for it is noted on it.

    Returns:
        REJECT where it is refused, HOLD where it waits for a person; else it may be presented. A programme whose policy
        file this service does not have knows no thresholds: the contract decides alone.
    """
    programme = session.get_one(Programme, claim.programme_id)
    part = programme_part(session, programme)
    if part is None:
        return Answer.PASS
    at = now()
    gatherer = Gatherer(
        session,
        gateway.jurisdiction_key,
        claim=claim,
        row=row,
        trade=trade,
        programme=programme,
        part=part,
        looked_at=at,
    )
    inputs = gatherer.inputs()
    decided = [(rule, decide(rule, inputs[code], part.checks)) for code, rule in NEWEST.items()]
    found = [(rule, outcome) for rule, outcome in decided if outcome is not None]
    seen = repository.released(session, claim.id)
    standing = [
        outcome.answer
        for rule, outcome in found
        if outcome.answer is not Answer.HOLD or (rule.code, outcome.code) not in seen
    ]
    answer = max(standing, key=ORDER.index, default=Answer.PASS)
    session.merge(gatherer.claimed)
    made = [(rule, inputs[rule.code], outcome) for rule, outcome in found]
    run = keep(session, claim, programme, part.name, made, answer=answer, made_at=at)
    if answer is Answer.REJECT:
        code, outcome = next((rule.code, one) for rule, one in found if one.answer is Answer.REJECT)
        _note(claim, "refused", outcome.contract_error or code, outcome)
    elif answer is Answer.HOLD:
        held = [
            (rule.code, one) for rule, one in found if one.answer is Answer.HOLD and (rule.code, one.code) not in seen
        ]
        _note(claim, "held", held[0][0], held[0][1])
        hold(session, claim, row, run, held)
    return answer


def _note(claim: Claim, state: str, code: str, outcome: Outcome) -> None:
    texts = {"text_zh": outcome.text_zh, "text_en": outcome.text_en}
    claim.state, claim.code, claim.updated_at = state, code, now()
    claim.detail = {**outcome.numbers, **texts}
