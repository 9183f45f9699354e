"""Reserves keys, keeps answers, replays them."""

import hashlib
import re

import msgspec
from fastapi import Request, Response
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.clock import now
from app.errors import ApiError, Conflict, problem_response
from app.idempotency.models import IdempotencyKey

_from_json = msgspec.json.Decoder().decode
_to_json = msgspec.json.Encoder(order="sorted").encode
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
        canonical = _to_json(_from_json(body))
    except (ValueError, OverflowError, RecursionError):
        canonical = body  # no JSON, or of numbers and depths that no command takes
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
        return first_answer(session, tenant, key, digest)
    return None


def first_answer(session: Session, tenant: str, key: str, digest: bytes) -> Response | None:
    """The answer that the first request with the key got; None where there was none.

    Raises:
        Conflict: The key was used for another request.
    """
    stored = session.get(IdempotencyKey, (tenant, key))
    if stored is None:
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


def keep_first(session: Session, tenant: str, key: str, digest: bytes, response: Response) -> None:
    """Keeps the first answer to a key that was not reserved."""
    session.execute(
        insert(IdempotencyKey).values(
            tenant=tenant,
            key=key,
            request_sha256=digest,
            status=response.status_code,
            media_type=response.headers["content-type"],
            body=bytes(response.body),
            created_at=now(),
        )
    )
