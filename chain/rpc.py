"""A thin JSON-RPC client for any EVM node.

web3.py formats every field of every answer (10k logs a second, where the node gives 62k), so the relay, the log reader
and the verifier speak JSON-RPC through this. Results come as the node sent them: hex strings in dicts. Nothing is
retried here: only the caller knows whether a request may be sent twice.
"""

from collections.abc import Hashable, Iterator, Sequence
from functools import cache
from itertools import count
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit

import httpx
import msgspec

Request: TypeAlias = tuple[str, Sequence[object]]
T = TypeVar("T")

DEFAULT_TIMEOUT_SECONDS = 10.0
_MAX_CONNECTIONS = 32
# Nodes refuse larger bodies: anvil above 2 MiB, geth and Besu above 5.
_BODY_BYTES = 1_000_000


class RpcError(Exception):
    """The node answered with an error: `code`, `message` and `data` as it sent them."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message
        self.data = data


class RpcUnavailable(Exception):
    """No usable answer: connection refused, time-out, 5xx, or not JSON-RPC. The request may have been carried out."""


class RpcClient:
    """A node's JSON-RPC over HTTP, with a pool of connections. Threads may share one client."""

    def __init__(
        self, url: str, *, timeout: float = DEFAULT_TIMEOUT_SECONDS, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Name the node; nothing is sent.

        Args:
            url: http(s) address; a key in it appears in no message.
            timeout: seconds for each of connecting, sending and waiting, unless a call says otherwise.
            transport: how HTTP travels where it is not by TCP.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the node's address must begin with http:// or https://")
        self._name = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        self._url = url
        self._ids = count(1)
        self._http = httpx.Client(
            timeout=timeout,
            headers={"Content-Type": "application/json"},
            transport=transport,
            limits=httpx.Limits(max_connections=_MAX_CONNECTIONS, max_keepalive_connections=_MAX_CONNECTIONS),
            # Reading the list of authorities takes longer than all else here.
            verify=parts.scheme == "https",
            # A proxy from the environment would be asked for our own loopback.
            trust_env=parts.hostname not in ("127.0.0.1", "localhost", "::1"),
        )

    def call(self, method: str, *params: object, timeout: float | None = None) -> Any:
        """One request.

        Args:
            timeout: seconds, for this call only.

        Returns:
            The `result` member.

        Raises:
            RpcError: the node refused.
            RpcUnavailable: no usable answer.
        """
        request_id = next(self._ids)
        answer = self._post(_encode(_request(request_id, method, params)), timeout)
        if not isinstance(answer, dict):
            raise RpcUnavailable(f"{self._name}: answered {method} with {type(answer).__name__}, want an object")
        result = _outcome(answer)
        if isinstance(result, RpcError):
            raise result
        if answer.get("id") != request_id:
            raise RpcUnavailable(f"{self._name}: answered {method} with another request's id")
        return result

    def batch(self, requests: Sequence[Request], *, timeout: float | None = None) -> list[Any]:
        """Several requests in one HTTP exchange; in several, one after another, where one would be too large.

        Args:
            requests: (method, parameters) pairs.
            timeout: seconds, for each exchange of this batch only.

        Returns:
            For each request in order, its result or the `RpcError` the node gave it, so that one refusal does not
            hide the other answers.

        Raises:
            RpcError: the node refused the batch as a whole.
            RpcUnavailable: no usable answer, or one that lacks a request.
        """
        ids = [next(self._ids) for _ in requests]
        numbered = zip(ids, requests, strict=True)
        by_id: dict[Any, dict[str, Any]] = {}
        for body in _bodies([_encode(_request(number, *request)) for number, request in numbered]):
            answers = self._post(body, timeout)
            if isinstance(answers, dict):
                refusal = _outcome(answers)
                if isinstance(refusal, RpcError):
                    raise refusal
            if not isinstance(answers, list):
                raise RpcUnavailable(f"{self._name}: answered a batch with {type(answers).__name__}, want an array")
            # A server may answer in any order.
            by_id |= {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        missing = [number for number in ids if number not in by_id]
        if missing:
            raise RpcUnavailable(f"{self._name}: {len(missing)} of {len(ids)} requests of a batch were not answered")
        return [_outcome(by_id[number]) for number in ids]

    def fetch(self, kind: type[T], requests: Sequence[Request], *, timeout: float | None = None) -> list[Any]:
        """As `batch`, but results are decoded straight into `kind`, at a third of the time that dicts take.

        Args:
            kind: what `msgspec` decodes; members of the answer that it does not name are skipped.

        Returns:
            For each request in order: its result, None where the node had none, or the `RpcError` it gave.

        Raises:
            RpcError: the node refused the batch as a whole.
            RpcUnavailable: no usable answer, or one that lacks a request or has another form.
        """
        if not requests:
            return []
        ids = [next(self._ids) for _ in requests]
        body = [_request(number, method, params) for number, (method, params) in zip(ids, requests, strict=True)]
        response = self._exchange(_encode(body), timeout)
        try:
            answers = _decoder(cast(Hashable, kind)).decode(response.content)
        except msgspec.DecodeError as error:
            self._read(response)  # An outage or a refusal says so; what is left is an answer of another form.
            raise RpcUnavailable(f"{self._name}: answered {requests[0][0]} in another form: {error}") from error
        if isinstance(answers, _Answer):
            answers = [answers]
        if response.is_error and not all(answer.error for answer in answers):
            raise RpcUnavailable(f"{self._name}: HTTP {response.status_code}")
        by_id = {answer.id: answer for answer in answers}
        if answers and len(by_id) == 1 and None in by_id:
            raise by_id[None].refusal()
        missing = [number for number in ids if number not in by_id]
        if missing:
            raise RpcUnavailable(f"{self._name}: {len(missing)} of {len(ids)} requests of a batch were not answered")
        return [by_id[number].outcome() for number in ids]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> "RpcClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _post(self, body: bytes, timeout: float | None) -> Any:
        return self._read(self._exchange(body, timeout))

    def _exchange(self, body: bytes, timeout: float | None) -> httpx.Response:
        try:
            return self._http.post(
                self._url,
                content=body,
                timeout=httpx.USE_CLIENT_DEFAULT if timeout is None else timeout,
            )
        except httpx.HTTPError as error:
            raise RpcUnavailable(f"{self._name}: {type(error).__name__}: {error}") from error

    def _read(self, response: httpx.Response) -> Any:
        try:
            answer = msgspec.json.decode(response.content)
        except msgspec.DecodeError as error:
            raise RpcUnavailable(f"{self._name}: HTTP {response.status_code}, not JSON") from error
        # Some servers put a JSON-RPC error under 4xx; a 5xx is an outage whatever it says.
        if response.status_code >= 500 or (response.is_error and not _is_refusal(answer)):
            raise RpcUnavailable(f"{self._name}: HTTP {response.status_code}")
        return answer


class _Error(msgspec.Struct, gc=False):
    code: int
    message: str = ""
    data: Any = None


class _Answer(msgspec.Struct, Generic[T], gc=False):
    id: int | None = None
    result: T | msgspec.UnsetType | None = msgspec.UNSET
    error: _Error | None = None

    def outcome(self) -> T | RpcError | None:
        if self.error is None and self.result is not msgspec.UNSET:
            return self.result
        return self.refusal()

    def refusal(self) -> RpcError:
        if self.error is None:
            raise RpcUnavailable("an answer had neither a result nor an error")
        return RpcError(self.error.code, self.error.message, self.error.data)


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(list[_Answer[kind]] | _Answer[kind])  # type: ignore[valid-type]


_encode = msgspec.json.Encoder().encode


def _bodies(requests: Sequence[bytes]) -> Iterator[bytes]:
    """Batches of encoded requests, in order, each as large as nodes take; a request that is larger goes alone."""
    part: list[bytes] = []
    size = 0
    for request in requests:
        if part and size + len(request) > _BODY_BYTES:
            yield b"[" + b",".join(part) + b"]"
            part, size = [], 0
        part.append(request)
        size += len(request) + 1
    if part:
        yield b"[" + b",".join(part) + b"]"


def _request(request_id: int, method: str, params: Sequence[object]) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def _is_refusal(answer: Any) -> bool:
    return isinstance(answer, list) or (isinstance(answer, dict) and isinstance(answer.get("error"), dict))


def _outcome(answer: dict[str, Any]) -> Any:
    """The result, or the error as a value."""
    error = answer.get("error")
    if error is None and "result" in answer:
        return answer["result"]
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        raise RpcUnavailable("an answer had neither a result nor an error")
    return RpcError(error["code"], str(error.get("message", "")), error.get("data"))
