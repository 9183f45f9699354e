"""`/v1/evidence` and `/v1/platforms/{uscc}/stream`."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.auth.roles import Role
from app.evidence import erasure, progress, streams
from app.evidence.bundles import bundle_of
from app.evidence.intake import Intake
from app.evidence.schemas import Erasure, ErasurePage, ErasureRequest, EvidencePage, EvidenceView, Receipt, StreamView
from app.evidence.trades import find_record
from app.route import Caller, CommandRoute, CommandSession, QuerySession, Reader, TheGateway, only

router = APIRouter(prefix="/v1", tags=["evidence"])
erasures = APIRouter(prefix="/v1", tags=["evidence"], route_class=CommandRoute)
queries = APIRouter(prefix="/v1", tags=["evidence"])

_RECORDS = {"type": "array", "minItems": 1, "maxItems": 10_000, "items": {"type": "object"}}
_ENVELOPE: dict[str, Any] = {
    "platform": {"type": "string", "description": "USCC of the platform."},
    "sequence": {"type": "integer", "minimum": 1, "description": "The next of the platform; left out in custody."},
    "signature": {"type": "string", "description": "EIP-712, 65 bytes as 0x-hex; left out in custody."},
    "atomic": {"type": "boolean", "default": False, "description": "One bad record refuses all. Custody only."},
}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "Up to 10,000 records of schema suanquan-record/1, each with its `salt` (0x, 32 bytes) unless "
        "in custody. NDJSON: first line the envelope, then one record a line. Content-Encoding gzip is taken.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["platform", "records"],
                    "additionalProperties": False,
                    "properties": {**_ENVELOPE, "records": _RECORDS},
                }
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


Disclose = Annotated[list[str] | None, Query(max_length=64)]


def bundle_response(name: str, bundle: bytes) -> Response:
    """A bundle as a file."""
    headers = {"content-disposition": f'attachment; filename="{name}.bundle.json"'}
    return Response(bundle, media_type="application/json", headers=headers)


@router.post(
    "/evidence",
    status_code=201,
    openapi_extra=_BODY,
    response_model=Receipt,
    responses={200: {"model": Receipt, "description": "Posted before: the first receipt."}},
)
async def post_evidence(request: Request) -> Response:
    """Takes trades into evidence. A receipt means that they are durable. A signed submission is taken whole or not at
    all; in custody each record has its own result, unless `atomic`."""
    intake: Intake = request.app.state.intake
    return await intake.take(request)


@erasures.post(
    "/evidence/{evidence_id}/erasure",
    status_code=201,
    dependencies=[Depends(only(Role.OPERATOR))],
    responses={200: {"model": Erasure, "description": "Erased before: the first erasure."}},
)
def erase_evidence(
    *,
    evidence_id: str,
    body: ErasureRequest,
    session: CommandSession,
    gateway: TheGateway,
    caller: Caller,
    response: Response,
) -> Erasure:
    """Erases the content and salts of a record for good; leaf, digests and path stay, so does the note of who did it
    and why. Refused while a claim on it is undecided."""
    response.status_code, made = erasure.erase(session, gateway, caller, evidence_id, body.reason)
    return made


@queries.get("/evidence")
def list_evidence(
    *,
    session: QuerySession,
    caller: Reader,
    gateway: TheGateway,
    platform: Annotated[str | None, Query(max_length=64)] = None,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> EvidencePage:
    """Records in the order in which they came; an organisation sees those in which it has a part."""
    return progress.page(session, gateway, caller, platform=platform, after=after, limit=limit)


@queries.get("/evidence-erasures")
def list_erasures(
    *,
    session: QuerySession,
    caller: Reader,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ErasurePage:
    """What was erased, by whom and why; for regulators and operators."""
    return erasure.page(session, caller, after=after, limit=limit)


@queries.get("/evidence/{evidence_id}")
def read_evidence(evidence_id: str, session: QuerySession, caller: Reader, gateway: TheGateway) -> EvidenceView:
    """One record: received, batched, anchored or final; with its proof once it is anchored."""
    return progress.view(session, gateway, caller, evidence_id)


@queries.get("/evidence/{evidence_id}/bundle", response_class=Response)
def read_evidence_bundle(
    evidence_id: str, session: QuerySession, caller: Reader, gateway: TheGateway, disclose: Disclose = None
) -> Response:
    """The proof bundle of a record, byte for byte as `suanquan verify` checks it; `disclose` names the fields to show,
    all of them if left out."""
    row = find_record(session, caller, evidence_id)
    return bundle_response(evidence_id, bundle_of(session, gateway, row, disclose=disclose))


@queries.get("/platforms/{uscc}/stream")
def read_stream(uscc: str, session: QuerySession, caller: Reader) -> StreamView:
    """Where a platform's stream stands: the next sequence, and what the chain has."""
    return streams.stream_view(session, caller, uscc)
