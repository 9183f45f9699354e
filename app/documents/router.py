"""`/v1/documents`."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.applications.repository import rests_on
from app.auth.roles import Role
from app.auth.service import Principal, authenticate
from app.documents import service
from app.documents.file_types import MEDIA_TYPES
from app.documents.schemas import DocumentView, Erasure
from app.documents.store import Incoming
from app.errors import NotFound
from app.gateway import Gateway
from app.policies.model import FileType
from app.route import Caller, CommandRoute, CommandSession, QuerySession, Reader, TheGateway, only
from chain.sql import reading

router = APIRouter(prefix="/v1/documents", tags=["documents"], route_class=CommandRoute)
queries = APIRouter(prefix="/v1/documents", tags=["documents"])
uploads = APIRouter(prefix="/v1/documents", tags=["documents"])

Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file, in lower-case hex.")]
CHUNK = 256 * 1024
_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}}


@uploads.put(
    "/{sha256}",
    status_code=201,
    openapi_extra=_BODY,
    response_model=DocumentView,
    responses={200: {"model": DocumentView, "description": "It was there before: the first answer."}},
)
async def upload(
    sha256: Sha256,
    request: Request,
    gateway: TheGateway,
    uscc: Annotated[str | None, Query(max_length=64, description="Its organisation; an enterprise's own.")] = None,
) -> Response:
    """Takes a document: pdf, png, jpeg, ofd, xlsx or docx. It is named by its digest, so a repetition changes
    nothing."""
    caller, named = await run_in_threadpool(_admit, gateway, request, uscc)
    limit = gateway.settings.max_document_bytes
    if int(request.headers.get("content-length") or 0) > limit:
        raise service.too_large(limit)
    incoming = await run_in_threadpool(gateway.documents.begin)
    try:
        await _receive(request, incoming, limit)
        expected = bytes.fromhex(sha256)
        kind = await run_in_threadpool(service.examine, incoming, expected)
        async with gateway.command_gate:
            take = partial(_take, gateway, caller, incoming, sha256=expected, kind=kind, uscc=named)
            view, new = await run_in_threadpool(take)
    finally:
        await run_in_threadpool(incoming.discard)
    return JSONResponse(view.model_dump(), 201 if new else 200)


def _admit(gateway: Gateway, request: Request, uscc: str | None) -> tuple[Principal, str]:
    with reading(gateway.sessions) as session:
        caller = authenticate(session, request)
        return caller, service.owner(session, caller, uscc)


async def _receive(request: Request, incoming: Incoming, limit: int) -> None:
    """Writes the body to disk as it comes, so that memory holds a piece of it only."""
    waiting = bytearray()
    async for chunk in request.stream():
        waiting += chunk
        if incoming.size + len(waiting) > limit:
            raise service.too_large(limit)
        if len(waiting) >= CHUNK:
            await run_in_threadpool(incoming.write, bytes(waiting))
            waiting.clear()
    await run_in_threadpool(incoming.write, bytes(waiting))


def _take(
    gateway: Gateway, caller: Principal, incoming: Incoming, *, sha256: bytes, kind: FileType, uscc: str
) -> tuple[DocumentView, bool]:
    with gateway.sessions.begin() as session:
        return service.take(
            session,
            gateway.documents,
            caller,
            incoming,
            sha256=sha256,
            kind=kind,
            uscc=uscc,
            quota_bytes=gateway.settings.document_quota_bytes,
        )


@queries.get("/{sha256}", response_class=Response)
def read_document(sha256: Sha256, session: QuerySession, caller: Reader, gateway: TheGateway) -> Response:
    """A document, byte for byte; for its organisation, for who handed it in, and for reviewers."""
    digest = bytes.fromhex(sha256)
    row = service.readable(session, caller, digest)
    try:
        file = gateway.documents.open(digest)
    except FileNotFoundError:
        # An erasure that was cut short: nothing is left to give.
        raise NotFound("document", sha256) from None
    headers = {
        "cache-control": "private, no-store",
        "content-disposition": f'attachment; filename="{sha256[:16]}.{row.file_type}"',
        "content-length": str(row.size),
        "x-content-type-options": "nosniff",
    }
    media_type = next(value for kind, value in MEDIA_TYPES.items() if kind == row.file_type)
    return StreamingResponse(_chunks(file), media_type=media_type, headers=headers)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


@router.post("/{sha256}/erase", status_code=204, dependencies=[Depends(only(Role.ENTERPRISE, Role.OPERATOR))])
def erase(sha256: Sha256, body: Erasure, session: CommandSession, gateway: TheGateway, caller: Caller) -> Response:
    """Erases a document of an organisation on its request (个人信息保护法 art. 47); the digest stays."""
    digest = bytes.fromhex(sha256)
    needed = rests_on(session, body.uscc or caller.subject, sha256)
    service.erase(session, gateway.documents, caller, digest, body, needed=needed)
    return Response(status_code=204)
