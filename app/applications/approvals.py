"""The reviewers' signatures: made here with a custodial key or taken from outside, checked either way."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.applications import repository
from app.applications.answers import ApprovalData
from app.applications.models import Application, ApplicationApproval
from app.applications.schemas import NewApproval
from app.auth.service import Principal
from app.clock import now
from app.errors import ApiError, Conflict, Invalid
from app.gateway import Gateway
from app.indexer.models import Stage
from chain.keys import Signer, SignerUnavailable
from chain.signatures import recover
from chain.typed_data import Issue, issue_digest, issue_document

APPROVAL_SECONDS = 30 * 86400
"""How long an approval that is signed here can be used, beside the days of publicity that follow it."""


def take(
    session: Session,
    gateway: Gateway,
    caller: Principal,
    body: NewApproval,
    *,
    application: Application,
    stage: Stage,
    lasting_s: int,
) -> ApplicationApproval:
    """An approval that the contract will accept.

    Args:
        lasting_s: How long the application may be on public display before it is issued; the approval must last longer.

    Raises:
        Invalid: The deadline is over, the signature is not the signer's, or the signer is no approver of the stage.
        Conflict: It is to be signed here, and the gateway keeps no key of the caller.
        ApiError: 503 while the caller's key cannot sign.
    """
    if body.deadline is not None and body.deadline <= now():
        raise Invalid("/deadline", "future", "must lie in the future")
    if body.deadline is not None and body.deadline <= now() + lasting_s:
        raise Invalid("/deadline", "outlasts_publicity", f"must lie {lasting_s // 86400} days of publicity ahead")
    if body.signature is None and body.signer is None:
        deadline = now() + APPROVAL_SECONDS + lasting_s if body.deadline is None else body.deadline
        key = gateway.signers.get(caller.subject)
        if key is None:
            raise Conflict("no_custodial_key", "The gateway keeps no key for you: send signer and signature.")
        typed_data = data(gateway, application, stage.index, deadline).typed_data
        signer, signature, place = key.address, signed(key, typed_data), "/stage"
    elif body.signature is None or body.signer is None or body.deadline is None:
        missing = next(name for name in ("deadline", "signer", "signature") if getattr(body, name) is None)
        raise Invalid(f"/{missing}", "together", "deadline, signer and signature come together")
    else:
        deadline, signer, place = body.deadline, body.signer, "/signer"
        signature = bytes.fromhex(body.signature[2:])
        made_by = recover(_digest(gateway, application, stage, deadline), signature)
        if made_by is None or made_by.lower() != signer.lower():
            raise Invalid(
                "/signature",
                "signature",
                "is not the signer's over this application, stage and deadline",
                code="bad_signature",
            )
    address = bytes.fromhex(signer[2:])
    if not repository.is_approver(session, application.programme_id, stage.index, address):
        raise Invalid(place, "approver", f"{signer} is no approver of stage {stage.name}", code="not_approver")
    return ApplicationApproval(
        application_id=application.id,
        stage=stage.index,
        signer=address,
        deadline=deadline,
        signature=signature,
        custodial=body.signature is None,
        created_at=now(),
    )


def data(gateway: Gateway, application: Application, stage: int, deadline: int) -> ApprovalData:
    """What a reviewer signs outside."""
    subject = _subject(application)
    return ApprovalData(
        typed_data=issue_document(gateway.contracts, subject, stage=stage, deadline=deadline),
        digest=f"0x{issue_digest(gateway.contracts, subject, stage=stage, deadline=deadline).hex()}",
    )


def order_of(application: Application, taken: Sequence[ApplicationApproval]) -> dict[str, Any]:
    """The contract's IssueOrder; approvals in ascending order of signer, as it demands."""
    return {
        "voucherId": application.voucher_id,
        "entity": application.entity_id,
        "tier": application.tier,
        "period": application.period,
        "faceFen": application.face_fen,
        "validUntil": application.valid_until,
        "documents": application.documents_digest,
        "approvals": [
            {
                "stage": approval.stage,
                "deadline": approval.deadline,
                "signer": f"0x{approval.signer.hex()}",
                "signature": approval.signature,
            }
            for approval in sorted(taken, key=lambda approval: approval.signer)
        ],
    }


def signed(key: Signer, typed_data: dict[str, Any]) -> bytes:
    """A signature of a key that the gateway keeps.

    Raises:
        ApiError: 503 while it cannot sign.
    """
    try:
        return key.sign_typed_data(typed_data)
    except SignerUnavailable as error:
        raise ApiError(503, "signer_unavailable", f"The key cannot sign now: {error}. Try again.") from error


def _digest(gateway: Gateway, application: Application, stage: Stage, deadline: int) -> bytes:
    return issue_digest(gateway.contracts, _subject(application), stage=stage.index, deadline=deadline)


def _subject(application: Application) -> Issue:
    return Issue(
        voucher_id=application.voucher_id,
        entity=application.entity_id,
        tier=application.tier,
        period=application.period,
        face_fen=application.face_fen,
        valid_until=application.valid_until,
        documents=application.documents_digest,
    )
