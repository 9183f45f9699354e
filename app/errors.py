"""Errors of the API: RFC 9457 problem details with a stable `code`, for whatever goes wrong."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException

log = logging.getLogger(__name__)

OUTAGES = (OperationalError, InterfaceError, NoConnection)
"""What SQLAlchemy raises while the database does not answer, or has no connection free."""
RETRY_AFTER_S = 1
"""Given with the answer that the database is out of reach: one that was restarted is back within seconds."""
PROBLEM_JSON = "application/problem+json"


class ApiError(Exception):
    """A request that cannot be answered as asked.

    Args:
        status: HTTP status.
        code: Stable snake_case code that clients may branch on.
        detail: What is wrong and what to do, in one sentence.
        errors: Offending members, each `{"pointer": JSON pointer, "rule": name, "detail": text}`.
        extra: Further members of the problem, for example a limit.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, errors: Sequence[dict[str, Any]] = (), **extra: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.extra = extra
        self.headers: dict[str, str] = {}

    def problem(self) -> dict[str, Any]:
        """The problem details object."""
        body: dict[str, Any] = {
            "type": f"urn:suanquan:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.extra,
        }
        if self.errors:
            body["errors"] = self.errors
        return body


class NotFound(ApiError):
    """There is no such thing, or the caller may not know of it."""

    def __init__(self, what: str, which: object) -> None:
        super().__init__(404, f"{what}_not_found", f"There is no {what.replace('_', ' ')} {which}.")


class Conflict(ApiError):
    """The request contradicts what is already there."""

    def __init__(self, code: str, detail: str, **extra: Any) -> None:
        super().__init__(409, code, detail, **extra)


class Forbidden(ApiError):
    """The caller is known, but lacks the role."""

    def __init__(self, needed: Sequence[str], held: str) -> None:
        super().__init__(
            403, "role_missing", f"This needs the role {' or '.join(needed)}; your key has {held}.", needed=list(needed)
        )


class TooManyRequests(ApiError):
    """The caller is over a limit; it may come again in `retry_after_s` seconds."""

    def __init__(self, what: str, limit_per_s: int, retry_after_s: int) -> None:
        super().__init__(
            429,
            "too_many_requests",
            f"Your key may post {limit_per_s} {what} a second; try again in {retry_after_s} s.",
            limit=what,
            limit_per_s=limit_per_s,
            retry_after_s=retry_after_s,
        )
        self.headers["Retry-After"] = str(retry_after_s)


def unauthenticated() -> ApiError:
    """401: the key is missing, malformed, unknown or revoked; it is never said which."""
    return ApiError(401, "unauthenticated", "Send a valid API key as `Authorization: Bearer sq_...`.")


class Invalid(ApiError):
    """One member of the request breaks a rule."""

    def __init__(self, pointer: str, rule: str, detail: str, *, code: str = "invalid_request") -> None:
        super().__init__(422, code, detail, errors=[{"pointer": pointer, "rule": rule, "detail": detail}])


def problem_response(error: ApiError) -> JSONResponse:
    """The response for an error."""
    return JSONResponse(error.problem(), error.status, error.headers, media_type=PROBLEM_JSON)


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem details object."""
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    for outage in OUTAGES:
        app.add_exception_handler(outage, _on_outage)
    app.add_exception_handler(Exception, _on_fault)


async def _on_api_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class only
    return problem_response(error)


async def _on_validation_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        reason = next(item for item in found if item["type"] == "json_invalid")
        return problem_response(
            ApiError(400, "malformed_json", f"The body is not JSON: {reason.get('ctx', {}).get('error', '')}.")
        )
    errors = [{"pointer": pointer(item["loc"]), "rule": item["type"], "detail": item["msg"]} for item in found]
    first = errors[0]
    return problem_response(ApiError(422, "invalid_request", f"{first['pointer']}: {first['detail']}.", errors=errors))


async def _on_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_").replace("-", "_")
    response = problem_response(ApiError(error.status_code, code, str(error.detail)))
    response.headers.update(error.headers or {})
    return response


async def _on_outage(_request: Request, error: Exception) -> JSONResponse:
    # Without the statement's values, which may be secret.
    log.error("the database is out of reach: %s", getattr(error, "orig", error))
    problem = ApiError(
        503,
        "database_unavailable",
        "The database cannot be used now. Whether a command took effect is not known; send it again, with the same "
        "Idempotency-Key.",
        retry_after_s=RETRY_AFTER_S,
    )
    problem.headers["Retry-After"] = str(RETRY_AFTER_S)
    return problem_response(problem)


async def _on_fault(_request: Request, _error: Exception) -> JSONResponse:
    # Starlette logs the traceback after this answer; the caller is told nothing that could hold a secret.
    return problem_response(
        ApiError(500, "internal_error", "A fault of ours; try again, with the same Idempotency-Key.")
    )


def pointer(location: Sequence[int | str]) -> str:
    """JSON pointer of a place that validation names, for example `/periods/0/budget`; queries and headers keep their
    kind in front (`query/limit`)."""
    place, *rest = location
    path = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in rest)
    return path if place == "body" else f"{place}{path}"
