"""The gateway's HTTP interface: answers, refusals, and patience with a service that is away for a moment."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import httpx
import msgspec

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0


class Refused(Exception):
    """The gateway refused a request.

    Attributes:
        status: HTTP status.
        code: Stable name of the problem.
        errors: Offending members, each `{"pointer", "rule", "detail"}`.
        problem: The whole problem details object (RFC 9457).
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "http_error"))
        self.errors: list[dict[str, str]] = list(problem.get("errors", ()))
        self.problem = dict(problem)
        named = "".join(f"\n  {error['pointer']}: {error['detail']} ({error['rule']})" for error in self.errors[:10])
        super().__init__(f"{self.code}: {problem.get('detail', f'HTTP {status}')}{named}")


class Unreachable(Exception):
    """The gateway did not answer in time. What was sent may have been taken; sending it again does no harm."""


class Transport:
    """Requests with an API key.

    Args:
        patience_s: How long a request is repeated while the gateway is away, busy (429) or at fault (5xx). Each may
            be repeated: the gateway recognises what it has.
    """

    def __init__(self, url: str, api_key: str, *, timeout_s: float = 120.0, patience_s: float = 60.0) -> None:
        base = httpx.URL(url)
        if base.scheme not in ("http", "https") or not base.host:
            raise ValueError(f"the gateway's address must begin with http:// or https://, unlike {url!r}")
        self._patience_s = patience_s
        self._http = httpx.Client(
            base_url=base,
            timeout=timeout_s,
            headers={"Authorization": f"Bearer {api_key}"},
            trust_env=base.host not in ("127.0.0.1", "localhost", "::1"),
        )

    def get(self, path: str, **query: Any) -> Any:
        """A query's answer, decoded."""
        return msgspec.json.decode(self.fetch(path, **query))

    def fetch(self, path: str, **query: Any) -> bytes:
        """A query's answer as it came."""
        return self._sent(self._http.build_request("GET", path, params=query)).content

    def post(self, path: str, body: Any) -> Any:
        """A command's answer, decoded."""
        content = msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"}
        answer = self._sent(self._http.build_request("POST", path, content=content, headers=headers))
        return msgspec.json.decode(answer.content)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> "Transport":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sent(self, request: httpx.Request) -> httpx.Response:
        deadline = time.monotonic() + self._patience_s
        pause = FIRST_PAUSE_S
        while True:
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                why, wait = f"{type(error).__name__}: {error}", pause
            else:
                if response.status_code != 429 and response.status_code < 500:
                    break
                why, wait = f"HTTP {response.status_code}", max(pause, _retry_after(response))
            if time.monotonic() + wait > deadline:
                raise Unreachable(f"{request.url.host}:{request.url.port or ''} does not answer ({why})")
            time.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE_S)
        if response.is_success:
            return response
        raise Refused(response.status_code, _problem(response))


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0.0


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        problem = msgspec.json.decode(response.content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"detail": f"HTTP {response.status_code}; is this the address of a Suanquan gateway?"}
    return problem
