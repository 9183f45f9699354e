"""The log reader against a real node, and against a proxy that lies about what the node said."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import httpx
import pytest

from chain.headers import Header, InconsistentNode
from chain.logs import Batch, LogReader, Rollback
from chain.raw_log import RawLog
from chain.rpc import RpcClient, RpcUnavailable
from scripts._anvil import Anvil

from .ledger_world import World

Lie = Callable[[dict[str, Any], dict[str, Any]], None]


class Liar:
    """An HTTP proxy in front of a node. `lie(request, answer)` may change each answer in place."""

    def __init__(self, url: str) -> None:
        self.lie: Lie | None = None
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {"Content-Type": "application/json"}
                answers = httpx.post(url, content=body, headers=headers, trust_env=False, timeout=60).json()
                requests = json.loads(body)
                if liar.lie is not None:
                    many = isinstance(requests, list)
                    by_id = {answer["id"]: answer for answer in (answers if many else [answers])}
                    for request in requests if many else [requests]:
                        liar.lie(request, by_id[request["id"]])
                content = json.dumps(answers).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Anvil() as anvil, RpcClient(anvil.url) as rpc:
        world = World.deployed(rpc, "logs")
        for number in range(5):
            world.register(world.registration(f"{number}/a"), world.registration(f"{number}/b"))
            rpc.call("anvil_mine", "0x3")
        yield world


@pytest.fixture
def liar(world: World) -> Iterator[Liar]:
    liar = Liar(world.rpc._url)
    yield liar
    liar.close()


def _reader(world: World, rpc: RpcClient, **options: Any) -> LogReader:
    options = {"start_block": world.start_block, **options}
    return LogReader(rpc, world.contracts.addresses.values(), **options)


def _read_all(reader: LogReader) -> tuple[list[Header], list[RawLog]]:
    window: list[Header] = []
    logs: list[RawLog] = []
    while True:
        found = reader.read(window)
        if found is None:
            return window, logs
        assert isinstance(found, Batch)
        window += found.headers
        logs += found.logs


def _whole(world: World) -> list[RawLog]:
    wanted = {
        "address": list(world.contracts.addresses.values()),
        "fromBlock": hex(world.start_block),
        "toBlock": "latest",
    }
    logs: list[RawLog] = world.rpc.fetch(list[RawLog], [("eth_getLogs", (wanted,))])[0]
    return logs


@pytest.mark.parametrize("finality_depth", [0, 4, 64])
@pytest.mark.parametrize("first_range", [1, 7, 500])
def test_every_log_comes_once_in_order_with_every_header(world: World, finality_depth: int, first_range: int) -> None:
    reader = _reader(world, world.rpc, finality_depth=finality_depth, first_range=first_range)
    headers, logs = _read_all(reader)
    assert logs == _whole(world)
    head = int(world.rpc.call("eth_blockNumber"), 16)
    assert [header.number for header in headers] == list(range(world.start_block, head + 1))
    assert all(child.parent_hash == parent.hash for parent, child in pairwise(headers))


@pytest.mark.parametrize("finality_depth", [0, 64], ids=["historic", "near the head"])
def test_no_logs_where_the_bloom_filter_names_us_is_refused_until_they_come(
    world: World, liar: Liar, finality_depth: int
) -> None:
    def withhold(request: dict[str, Any], answer: dict[str, Any]) -> None:
        if request["method"] == "eth_getLogs":
            answer["result"] = []

    with RpcClient(liar.url) as rpc:
        reader = _reader(world, rpc, finality_depth=finality_depth)
        liar.lie = withhold
        for _ in range(2):
            with pytest.raises(InconsistentNode, match="leaves out"):
                reader.read([])
        liar.lie = None
        assert _read_all(reader)[1] == _whole(world)


def test_no_logs_and_no_receipts_is_refused_as_well(world: World, liar: Liar) -> None:
    def prune(request: dict[str, Any], answer: dict[str, Any]) -> None:
        if request["method"] in ("eth_getLogs", "eth_getBlockReceipts"):
            answer["result"] = []

    liar.lie = prune
    with RpcClient(liar.url) as rpc, pytest.raises(InconsistentNode, match="do not explain"):
        _reader(world, rpc).read([])


def test_a_bloom_filter_that_names_us_by_accident_holds_up_nothing(world: World) -> None:
    # Somebody else's contract; its address and topics set bits of ours only by accident, so ask for an address whose
    # bits a block is sure to have: that of another of our contracts' log, seen as a topic.
    block = _whole(world)[-1].block
    topic = next(log.topics[0] for log in _whole(world) if log.block == block)
    with RpcClient(world.rpc._url) as rpc:
        reader = LogReader(rpc, ["0x" + topic[-40:]], start_block=block)
        reader._blooms = [0]  # every filter names it
        _, logs = _read_all(reader)
    assert logs == []


@pytest.mark.parametrize("finality_depth", [0, 64], ids=["historic", "near the head"])
def test_removed_logs_are_refused(world: World, liar: Liar, finality_depth: int) -> None:
    def remove(request: dict[str, Any], answer: dict[str, Any]) -> None:
        if request["method"] == "eth_getLogs" and answer["result"]:
            answer["result"][-1]["removed"] = True

    liar.lie = remove
    with RpcClient(liar.url) as rpc, pytest.raises(InconsistentNode, match="removed"):
        _reader(world, rpc, finality_depth=finality_depth).read([])


def test_a_reorganisation_between_headers_and_logs_is_noticed(world: World, liar: Liar) -> None:
    def replace(request: dict[str, Any], answer: dict[str, Any]) -> None:
        if request["method"] == "eth_getLogs":
            for log in answer["result"]:
                log["blockHash"] = "0x" + "ab" * 32

    liar.lie = replace
    with RpcClient(liar.url) as rpc, pytest.raises(InconsistentNode, match="another block"):
        _reader(world, rpc, finality_depth=0).read([])


def test_headers_that_do_not_link_are_refused(world: World, liar: Liar) -> None:
    def unlink(request: dict[str, Any], answer: dict[str, Any]) -> None:
        if request["method"] == "eth_getBlockByNumber" and int(request["params"][0], 16) == world.start_block + 3:
            answer["result"]["parentHash"] = "0x" + "cd" * 32

    liar.lie = unlink
    with RpcClient(liar.url) as rpc, pytest.raises(InconsistentNode, match="does not follow"):
        _reader(world, rpc).read([])


@pytest.mark.parametrize("hint", [True, False])
def test_ranges_shrink_to_what_the_node_answers(world: World, liar: Liar, hint: bool) -> None:
    asked: list[int] = []

    def limit(request: dict[str, Any], answer: dict[str, Any]) -> None:
        if request["method"] != "eth_getLogs":
            return
        first, last = (int(request["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
        asked.append(last - first + 1)
        if last - first >= 4:
            proposal = f" Try with this block range [{first:#x}, {first + 3:#x}]." if hint else ""
            answer.pop("result")
            answer["error"] = {"code": -32005, "message": f"query returned more than 10000 results.{proposal}"}

    liar.lie = limit
    with RpcClient(liar.url) as rpc:
        assert _read_all(_reader(world, rpc, finality_depth=0))[1] == _whole(world)
    assert asked[0] > 4
    assert min(asked) >= 1
    assert len(asked) < 40


def test_a_node_that_refuses_one_block_is_asked_again(world: World, liar: Liar) -> None:
    def refuse(request: dict[str, Any], answer: dict[str, Any]) -> None:
        if request["method"] == "eth_getLogs":
            answer.pop("result")
            answer["error"] = {"code": -32000, "message": "history has been pruned"}

    liar.lie = refuse
    with RpcClient(liar.url) as rpc:
        reader = _reader(world, rpc, finality_depth=0)
        with pytest.raises(RpcUnavailable, match="pruned"):
            reader.read([])
        liar.lie = None
        assert _read_all(reader)[1] == _whole(world)


def test_a_reorganisation_is_answered_with_the_common_ancestor(world: World) -> None:
    # The last test here: the newest blocks, which are empty, are gone afterwards.
    reader = _reader(world, world.rpc)
    window, _ = _read_all(reader)
    world.rpc.call("anvil_reorg", 2, [])
    assert reader.read(window) == Rollback(window[-3])
