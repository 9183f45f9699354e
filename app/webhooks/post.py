"""Posts one message: to the address that was checked, within a deadline, reading only the beginning of the answer.

httpx would resolve the name again when it connects, and follow a proxy from the environment; so this speaks through
httpcore, whose network backend is a place to put both checks.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore

from app.webhooks.addresses import ForbiddenAddress, checked_url, resolve

BODY_BYTES = 1024
"""Of an answer, as much is kept for the log."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try. `status` is None without an answer, and `error` then says why."""

    status: int | None
    body: str | None
    error: str | None
    duration_ms: int

    @property
    def taken(self) -> bool:
        """Whether the receiver took the message."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more messages (410 Gone)."""
        return self.status == 410


def post(url: str, headers: Mapping[str, str], body: str, *, seconds: float, allow_private: bool) -> Answer:
    """Posts a message; follows no redirection, keeps no connection.

    Args:
        seconds: For the whole exchange, however slowly the receiver answers.
    """
    started = time.monotonic()
    backend = _Backend(started + seconds, allow_private=allow_private)
    status, text, error = None, None, None
    try:
        parts = checked_url(url, allow_private=allow_private)
        target = httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target=_target(parts))
        sent = [(b"Host", parts.netloc.encode()), *((k.encode(), v.encode()) for k, v in headers.items())]
        with (
            httpcore.ConnectionPool(network_backend=backend, retries=0) as pool,
            pool.stream("POST", target, headers=sent, content=body.encode()) as response,
        ):
            status = response.status
            text = _beginning(response.iter_stream())
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as cause:
        error = f"{type(cause).__name__}: {cause}".removesuffix(": ")
    except (ForbiddenAddress, OSError, UnicodeError) as cause:
        error = str(cause)
    if status is not None:
        error = None  # an answer whose body broke off is one
    return Answer(status, text, error, int((time.monotonic() - started) * 1000))


def _target(parts: Any) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def _beginning(chunks: Iterable[bytes]) -> str:
    kept = b""
    for chunk in chunks:
        kept += chunk[: BODY_BYTES - len(kept)]
        if len(kept) >= BODY_BYTES:
            break
    # PostgreSQL's text holds no NUL.
    return kept.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


class _Backend(httpcore.NetworkBackend):
    """Connects to what was resolved and checked here, and to nothing else."""

    def __init__(self, deadline: float, *, allow_private: bool) -> None:
        self._deadline = deadline
        self._allow_private = allow_private
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Resolves, checks, connects. TLS still checks the certificate against the name."""
        address = resolve(host, port, allow_private=self._allow_private)
        stream = self._sockets.connect_tcp(address, port, _left(self._deadline), local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection that ends at the deadline, so that a receiver who sends a byte now and then holds nobody."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See httpcore."""
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See httpcore."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """See httpcore."""
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """See httpcore."""
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """See httpcore."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("no whole answer in time")
    return left
