"""`/v1/api-keys`."""

from fastapi import APIRouter, Depends, Response

from app.auth.roles import Role
from app.auth.schemas import ApiKeyCreated, NewApiKey
from app.auth.service import create_key
from app.route import CommandRoute, CommandSession, only

router = APIRouter(prefix="/v1/api-keys", tags=["api keys"], route_class=CommandRoute)


@router.post("", status_code=201, dependencies=[Depends(only(Role.OPERATOR))])
def create(body: NewApiKey, session: CommandSession, response: Response) -> ApiKeyCreated:
    """Makes an API key for a platform, an enterprise or a reviewer. The secret is shown once and kept nowhere, so a
    repetition with the same Idempotency-Key is told so instead."""
    response.headers["cache-control"] = "no-store"
    return ApiKeyCreated(
        api_key=create_key(session, Role(body.role), body.subject), role=body.role, subject=body.subject
    )
