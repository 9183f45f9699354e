"""Keeps a decision with all that it rests on, and holds a claim for a person."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import uuid4

import msgspec
from sqlalchemy.orm import Session

from app.checks import repository
from app.checks.models import CheckRun, Hold, HoldFinding
from app.checks.outcome import Answer, Outcome
from app.checks.rules import Rule
from app.claims.models import Claim
from app.events.catalogue import CLAIM_HELD
from app.events.recorder import record
from app.evidence.models import EvidenceRecord
from app.indexer.models import Programme

Decided: TypeAlias = tuple[Rule, msgspec.Struct, Outcome]
"""A check, its inputs, and what it came to."""


def keep(
    session: Session,
    claim: Claim,
    programme: Programme,
    part: str,
    decided: Sequence[Decided],
    *,
    answer: Answer,
    made_at: int,
) -> CheckRun:
    """Stores a decision.

    Args:
        part: Name of the programme in its policy file.
        answer: Of all checks together.
        made_at: Unix second.
    """
    run = CheckRun(
        claim_id=claim.id,
        policy_digest=programme.policy_hash,
        programme=part,
        outcomes=[
            {
                "check": rule.code,
                "version": rule.version,
                "outcome": msgspec.to_builtins(outcome),
                "inputs": msgspec.to_builtins(inputs),
            }
            for rule, inputs, outcome in decided
        ],
        answer=answer,
        made_at=made_at,
    )
    session.add(run)
    session.flush()
    return run


def hold(
    session: Session,
    claim: Claim,
    row: EvidenceRecord,
    run: CheckRun,
    held: Sequence[tuple[str, Outcome]],
    *,
    passed_at: int | None = None,
) -> Hold:
    """Opens a hold, and tells.

    Args:
        held: Checks by code, with what each came to.
        passed_at: Unix second since which the claim keeps no later trade waiting.
    """
    opened = Hold(
        id=f"hd_{uuid4().hex}",
        claim_id=claim.id,
        run_id=run.id,
        programme_id=claim.programme_id,
        traded_at=claim.traded_at,
        state=repository.OPEN,
        created_at=run.made_at,
        passed_at=passed_at,
        findings=[HoldFinding(check_code=check, code=outcome.code) for check, outcome in held],
    )
    session.add(opened)
    session.flush()
    data = {
        "hold_id": opened.id,
        "claim_id": claim.id,
        "voucher_id": claim.voucher_id,
        "programme_id": claim.programme_id,
        "checks": [check for check, _ in held],
    }
    record(session, CLAIM_HELD, data, parties=[row.buyer_id, row.platform_id])
    return opened
