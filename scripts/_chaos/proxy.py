"""Stands between the service and the node, and loses or delays what passes."""

import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import httpx

DELAY_S = 0.3
TIMEOUT_S = 30.0


class Proxy:
    """An HTTP proxy for one node. `trouble` is the chance that an answer is lost after the node acted on the request;
    as many are delayed. While `down`, every connection is closed at once."""

    def __init__(self, node_url: str, draw: random.Random) -> None:
        self.trouble = 0.0
        self.down = False
        self.lost = 0
        self._node_url = node_url
        self._draw = draw
        self._node = httpx.Client(timeout=TIMEOUT_S, trust_env=False)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                proxy.pass_on(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where the service finds the node."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        """Sends a request to the node and its answer back, or not."""
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if self.down:
            handler.close_connection = True
            return
        try:
            answer = self._node.post(self._node_url, content=body, headers={"Content-Type": "application/json"})
        except httpx.HTTPError:
            handler.close_connection = True
            return
        chance = self._draw.random()
        if chance < self.trouble:
            self.lost += 1
            handler.close_connection = True
            return
        if chance < 2 * self.trouble:
            time.sleep(DELAY_S)
        try:
            handler.send_response(answer.status_code)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(answer.content)))
            handler.end_headers()
            handler.wfile.write(answer.content)
        except OSError:
            # Whoever asked was killed.
            handler.close_connection = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._node.close()
