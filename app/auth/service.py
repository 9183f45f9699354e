"""Makes API keys and finds out who a request comes from."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy.orm import Session

from app.auth.models import ApiKey
from app.auth.roles import STAFF, Role
from app.clock import now
from app.errors import ApiError, Forbidden

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
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    prefix, _, rest = token.partition("_")
    key_id, _, secret = rest.partition("_")
    if scheme.lower() == "bearer" and prefix == PREFIX and len(key_id) <= 32:
        key = session.get(ApiKey, key_id)
        digest = hashlib.sha256(secret.encode()).digest()
        if key is not None and hmac.compare_digest(digest, key.secret_sha256) and key.revoked_at is None:
            return Principal(key.id, Role(key.role), key.subject)
    raise ApiError(401, "unauthenticated", "Send a valid API key as `Authorization: Bearer sq_...`.")


def demand(principal: Principal, *roles: Role) -> None:
    """Refuses the caller unless it has one of the roles."""
    if principal.role not in roles:
        raise Forbidden([role.value for role in roles], principal.role.value)
