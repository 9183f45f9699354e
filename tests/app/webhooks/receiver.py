"""A receiver of webhooks: a real HTTP server that answers as it is told and keeps what it was sent."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook

HANG = 0


@dataclass
class Received:
    """One request."""

    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def says(self, secret: str) -> Any:
        """The message, its signature checked as any receiver checks it."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Answers with the statuses of `script`, one a request, then with 204; HANG answers only once `let` is set."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.script: list[int] = []
        self.let = threading.Event()
        self.answer = b"thanks"
        self.received: list[Received] = []

    def wait(self, count: int = 1, seconds: float = 120) -> list[Received]:
        """What came, once it is so many."""
        deadline = time.monotonic() + seconds
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} of {count} came"
            time.sleep(0.02)
        return list(self.received)

    def counts(self) -> Counter[str]:
        """Requests by message id."""
        return Counter(one.id for one in self.received)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A running receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.received.append(Received(headers, body))
            status = found.script.pop(0) if found.script else 204
            if status == HANG:
                found.let.wait()
                status = 204
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", found.url + "/elsewhere")
            content = b"" if status == 204 else found.answer
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    yield found
    found.let.set()
    server.shutdown()
    server.server_close()
    thread.join()
