"""JSON-RPC 2.0 over HTTP, for clients on this machine only.

The port is open to every page a browser on this machine shows, so two headers are checked. `Host` must name the
loopback: a page whose domain was pointed at 127.0.0.1 (DNS rebinding) carries its own. `Origin` must be a loopback page
or a browser extension, which is how wallets call; other pages get neither an answer nor permission to read one.
"""

import asyncio
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .errors import INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR, RESPONSE_TOO_LARGE, NodeError
from .methods import Methods

_log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EXTENSION_ORIGINS = ("chrome-extension://", "moz-extension://", "safari-web-extension://")
_MAX_BODY_BYTES = 10 * 1024 * 1024
_MAX_BATCH = 1_000
_MAX_ANSWER_BYTES = 64 * 1024 * 1024
_WORKERS = 8
_START_SECONDS = 120.0
# Longer than clients keep an idle connection (httpx 5 s): who uses one again must not find it closed at that moment.
_KEEP_ALIVE_SECONDS = 75


class RpcServer:
    """Serves `Methods` from a thread of its own."""

    def __init__(self, methods: Methods, *, host: str, port: int) -> None:
        """Bind the port, 0 for any free one; requests are answered after `start`.

        Raises:
            ValueError: the host is not on the loopback.
            OSError: the port is taken.
        """
        if host not in LOOPBACK:
            raise ValueError(f"the embedded node serves the loopback only, not {host}")
        self._methods = methods
        # asyncio turns Nagle's delay off (40 ms an answer) only where the protocol is named.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        bound = self._socket.getsockname()[1]
        self.url = f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}"
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="suanquan-node-rpc")
        application = Starlette(
            routes=[Route("/", self._post, methods=["POST"]), Route("/", _preflight, methods=["OPTIONS"])]
        )
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="suanquan-node-http", daemon=True)

    def start(self) -> None:
        """Answer requests from now on.

        Raises:
            RuntimeError: the server did not come up.
        """
        self._thread.start()
        for _ in range(int(_START_SECONDS / 0.01)):
            if self._server.started:
                return
            if not self._thread.is_alive():
                break
            self._thread.join(0.01)
        raise RuntimeError("the JSON-RPC server did not start")

    def stop(self) -> None:
        """Finish the requests in hand; none is answered after."""
        self._server.should_exit = True
        self._thread.join()
        self._workers.shutdown()

    def close(self) -> None:
        """Give the port free."""
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    async def _post(self, request: Request) -> Response:
        refusal = _refuse(request)
        if refusal is not None:
            return refusal
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_BODY_BYTES:
                    return Response("request too large", status_code=413)
        except ClientDisconnect:
            return Response(status_code=400)
        # Every request waits for SQLite or runs the EVM: off the event loop.
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._workers, self._answer, bytes(body))
        status = 200 if answer else 204
        return Response(answer, status_code=status, media_type="application/json", headers=_cors(request))

    def _answer(self, body: bytes) -> bytes:
        """The body of the answer; empty where only notifications came."""
        try:
            message = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError):
            return msgspec.json.encode(_failed(None, NodeError(PARSE_ERROR, "parse error")))
        if not isinstance(message, list):
            return self._answer_one(message)
        if not message:
            return msgspec.json.encode(_failed(None, NodeError(INVALID_REQUEST, "empty batch")))
        if len(message) > _MAX_BATCH:
            error = NodeError(INVALID_REQUEST, f"batch too large: {len(message)} requests, at most {_MAX_BATCH}")
            return msgspec.json.encode(_failed(None, error))
        return self._answer_batch(message)

    def _answer_batch(self, messages: list[Any]) -> bytes:
        answers: list[bytes] = []
        size = 0
        for message in messages:
            if size > _MAX_ANSWER_BYTES:
                request_id = message.get("id") if isinstance(message, dict) else None
                error = NodeError(RESPONSE_TOO_LARGE, "response too large")
                answers.append(msgspec.json.encode(_failed(request_id, error)))
                continue
            answer = self._answer_one(message)
            size += len(answer)
            if answer:
                answers.append(answer)
        return b"[" + b",".join(answers) + b"]" if answers else b""

    def _answer_one(self, message: Any) -> bytes:
        match message:
            case {"method": str(name)} if _valid_envelope(message):
                pass
            case _:
                return msgspec.json.encode(_failed(_id_of(message), NodeError(INVALID_REQUEST, "invalid request")))
        try:
            result = self._methods.answer(name, message.get("params"))
            answer: dict[str, object] = {"jsonrpc": "2.0", "id": message.get("id"), "result": result}
        except NodeError as error:
            answer = _failed(message.get("id"), error)
        except Exception as error:  # noqa: BLE001  a defect must reach the client as JSON-RPC, and the log whole
            _log.exception("%s failed", name)
            answer = _failed(message.get("id"), NodeError(INTERNAL_ERROR, f"internal error: {type(error).__name__}"))
        # A request without id is a notification: it is carried out and not answered.
        return msgspec.json.encode(answer) if "id" in message else b""


def _valid_envelope(message: dict[str, Any]) -> bool:
    return message.get("jsonrpc", "2.0") == "2.0" and _id_of(message) == message.get("id")


def _id_of(message: Any) -> str | int | float | None:
    request_id = message.get("id") if isinstance(message, dict) else None
    return request_id if isinstance(request_id, str | int | float) and not isinstance(request_id, bool) else None


def _failed(request_id: object, error: NodeError) -> dict[str, object]:
    body: dict[str, object] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    return {"jsonrpc": "2.0", "id": request_id, "error": body}


async def _preflight(request: Request) -> Response:
    return _refuse(request) or Response(status_code=204, headers=_cors(request))


def _refuse(request: Request) -> Response | None:
    if not _is_loopback("//" + request.headers.get("host", "")):
        return Response("this node answers to loopback host names only", status_code=403)
    origin = request.headers.get("origin")
    if origin is not None and not _trusted(origin):
        return Response("this node answers to loopback pages and wallet extensions only", status_code=403)
    return None


def _trusted(origin: str) -> bool:
    return _is_loopback(origin) or origin.startswith(_EXTENSION_ORIGINS)


def _is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False


def _cors(request: Request) -> dict[str, str]:
    origin = request.headers.get("origin")
    if origin is None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Allow-Private-Network": "true",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }
