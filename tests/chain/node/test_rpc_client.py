"""The JSON-RPC client against servers that misbehave."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.node.embedded import EmbeddedNode
from chain.rpc import RpcClient, RpcError, RpcUnavailable

Answer = Callable[[Any], tuple[int, bytes]]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Starts a server that answers each decoded request with (status, body)."""
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, content = answer(msgspec.json.decode(body))
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/secret-key"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_batch_is_put_in_order(serve: Callable[[Answer], str]) -> None:
    def reversed_answers(requests: Any) -> tuple[int, bytes]:
        answers = [{"id": request["id"], "result": request["method"]} for request in reversed(requests)]
        return 200, msgspec.json.encode(answers)

    with RpcClient(serve(reversed_answers)) as rpc:
        assert rpc.batch([("a", []), ("b", []), ("c", [])]) == ["a", "b", "c"]
        assert rpc.batch([]) == []


def test_batch_that_nodes_would_refuse_for_its_size_goes_in_parts(serve: Callable[[Answer], str]) -> None:
    sizes: list[int] = []

    def echo(requests: Any) -> tuple[int, bytes]:
        sizes.append(len(requests))
        return 200, msgspec.json.encode([{"id": one["id"], "result": one["params"][0]} for one in requests])

    values = [letter * 400_000 for letter in "abcde"] + ["f" * 1_500_000, "g"]
    with RpcClient(serve(echo)) as rpc:
        assert rpc.batch([("same", [value]) for value in values]) == values
    assert sizes == [2, 2, 1, 1, 1]


def test_error_in_a_batch_stays_at_its_place(serve: Callable[[Answer], str]) -> None:
    def half(requests: Any) -> tuple[int, bytes]:
        good, bad = requests
        error = {"code": 3, "message": "execution reverted", "data": "0x12"}
        return 200, msgspec.json.encode([{"id": good["id"], "result": None}, {"id": bad["id"], "error": error}])

    with RpcClient(serve(half)) as rpc:
        nothing, error = rpc.batch([("a", []), ("b", [])])
    assert nothing is None
    assert (error.code, error.message, error.data) == (3, "execution reverted", "0x12")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"7"),
        (200, b"{}"),
        (200, b'{"id": 99, "result": 1}'),
        (502, b"bad gateway"),
        (500, b'{"id": 1, "error": {"code": -32000, "message": "nonce too low"}}'),
        (404, b"{}"),
    ],
)
def test_unusable_answer_is_an_outage(serve: Callable[[Answer], str], status: int, body: bytes) -> None:
    with RpcClient(serve(lambda _: (status, body))) as rpc:
        with pytest.raises(RpcUnavailable) as outage:
            rpc.call("eth_chainId")
        assert "secret-key" not in str(outage.value)
        with pytest.raises(RpcUnavailable):
            rpc.batch([("eth_chainId", []), ("eth_chainId", [])])


def test_refusal_under_a_client_error_status_is_a_refusal(serve: Callable[[Answer], str]) -> None:
    body = b'{"id": null, "error": {"code": -32005, "message": "rate limit"}}'
    with RpcClient(serve(lambda _: (429, body))) as rpc, pytest.raises(RpcError, match="rate limit"):
        rpc.batch([("eth_chainId", [])])


def test_time_out_and_refused_connection_are_outages(serve: Callable[[Answer], str]) -> None:
    hang = threading.Event()

    def never(_: Any) -> tuple[int, bytes]:
        hang.wait(30)
        return 200, b"{}"

    with RpcClient(serve(never)) as rpc, pytest.raises(RpcUnavailable):
        rpc.call("eth_chainId", timeout=0.05)
    hang.set()
    with RpcClient("http://127.0.0.1:1") as rpc, pytest.raises(RpcUnavailable):
        rpc.call("eth_chainId")


def test_threads_share_a_client(tmp_path: Path) -> None:
    with EmbeddedNode(tmp_path) as node, RpcClient(node.url, timeout=60) as rpc, ThreadPoolExecutor(16) as threads:
        digests = threads.map(lambda n: rpc.call("web3_sha3", f"0x{n:04x}"), range(200))
        assert len(set(digests)) == 200


@pytest.mark.parametrize("url", ["", "127.0.0.1:8545", "ws://localhost", "http://"])
def test_address_must_be_http(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        RpcClient(url)
