"""Makes API keys and finds out who a request comes from."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth.models import ApiKey
from app.auth.roles import STAFF, Role
from app.clock import now
from app.errors import Forbidden, unauthenticated

PREFIX = "sq"


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request.

    Attributes:
        key_id: Public part of the API key.
        role: What the caller may do.
        subject: What it acts for; see `ApiKey.subject`.
    """

    key_id: str
    role: Role
    subject: str

    @property
    def is_staff(self) -> bool:
        """Whether the caller may see every organisation's records."""
        return self.role in STAFF


def create_key(session: Session, role: Role, subject: str = "") -> str:
    """Adds a key and returns it whole, `sq_<id>_<secret>`; it cannot be shown again."""
    key_id = secrets.token_hex(8)
    secret = secrets.token_hex(32)
    session.add(
        ApiKey(
            id=key_id,
            role=role.value,
            subject=subject,
            secret_sha256=hashlib.sha256(secret.encode()).digest(),
            created_at=now(),
        )
    )
    return f"{PREFIX}_{key_id}_{secret}"


def authenticate(session: Session, request: Request) -> Principal:
    """Who sent the request.

    Raises:
        ApiError: 401 if the header is missing, malformed, unknown or revoked; it never says which.
    """
    key_id, digest = presented(request)
    key = session.get(ApiKey, key_id)
    if key is None or not hmac.compare_digest(digest, key.secret_sha256) or key.revoked_at is not None:
        raise unauthenticated()
    return Principal(key.id, Role(key.role), key.subject)


def presented(request: Request) -> tuple[str, bytes]:
    """Id of the API key that a request presents, and SHA-256 of the secret.

    Raises:
        ApiError: 401 if the header is missing or malformed.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    prefix, _, rest = token.partition("_")
    key_id, _, secret = rest.partition("_")
    if scheme.lower() != "bearer" or prefix != PREFIX or len(key_id) > 32:
        raise unauthenticated()
    return key_id, hashlib.sha256(secret.encode()).digest()


def still_valid(session: Session, key_ids: Collection[str]) -> set[str]:
    """Which of the API keys are not revoked."""
    return set(session.scalars(select(ApiKey.id).where(ApiKey.id.in_(key_ids), ApiKey.revoked_at.is_(None))))


def demand(principal: Principal, *roles: Role) -> None:
    """Refuses the caller unless it has one of the roles."""
    if principal.role not in roles:
        raise Forbidden([role.value for role in roles], principal.role.value)
