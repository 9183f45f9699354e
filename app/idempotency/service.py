"""Reserves keys, keeps answers, replays them."""

import hashlib
import json
import re

from fastapi import Request, Response
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.clock import now
from app.errors import ApiError, Conflict, problem_response
from app.idempotency.models import IdempotencyKey

KEY_FORM = re.compile(r"[\x21-\x7e]{1,255}")


def key_of(request: Request) -> str | None:
    """The request's Idempotency-Key, None without one.

    Raises:
        ApiError: 400 if it is empty, longer than 255 or not printable ASCII.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not KEY_FORM.fullmatch(key):
        raise ApiError(400, "bad_idempotency_key", "Idempotency-Key has 1 to 255 printable ASCII characters, no space.")
    return key


def request_digest(request: Request, body: bytes) -> bytes:
    """SHA-256 over method, path, query and body; JSON bodies that differ only in layout are the same request."""
    try:
        canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except ValueError:
        canonical = body
    head = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(head + canonical).digest()


def reserve(session: Session, tenant: str, key: str, digest: bytes) -> Response | None:
    """Takes the key for this request; on a repetition returns the first answer.

    A concurrent request with the same key waits here, on the primary key, until the first one has committed.

    Raises:
        Conflict: The key was used for another request.
    """
    row = insert(IdempotencyKey).values(
        tenant=tenant, key=key, request_sha256=digest, status=0, media_type="", body=b"", created_at=now()
    )
    try:
        with session.begin_nested():
            session.execute(row)
    except IntegrityError:
        stored = session.get_one(IdempotencyKey, (tenant, key))
    else:
        return None
    if stored.request_sha256 != digest:
        raise Conflict("idempotency_key_reused", f"Idempotency-Key {key} was used for another request.")
    headers = {"content-type": stored.media_type, "idempotent-replay": "true"}
    return Response(stored.body, stored.status, headers)


def keep(session: Session, tenant: str, key: str, response: Response) -> None:
    """Keeps the answer of the request that reserved the key. One that must not be stored, a secret, is kept as a
    problem that says so."""
    stored = session.get_one(IdempotencyKey, (tenant, key))
    if response.headers.get("cache-control") == "no-store":
        response = problem_response(Conflict("shown_once", "The answer held a secret and was shown once; ask anew."))
    stored.status = response.status_code
    stored.media_type = response.headers.get("content-type", "")  # 204 has none
    stored.body = bytes(response.body)
