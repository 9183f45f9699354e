"""HTTP to a real node on which things go wrong: the node dies, errs, lies, lags or reorganises; or the caller dies."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

Exchange = list[tuple[dict[str, Any], dict[str, Any]]]


class Killed(BaseException):
    """The process ended here."""


class FaultyTransport(httpx.BaseTransport):
    """Each exchange meets a fault with a probability.

    Attributes:
        rate: the probability, 0 for a quiet network.
        seen: how often each fault really changed something.
    """

    def __init__(self, chance: random.Random, reorganise: Callable[[], None]) -> None:
        self.rate = 0.0
        self.seen: Counter[str] = Counter()
        self._chance = chance
        self._reorganise = reorganise
        self._inner = httpx.HTTPTransport()
        self._exchanging = threading.Lock()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is exchanged meanwhile: no fault meets whoever acts on the node, as what is fetched ahead could."""
        with self._exchanging:
            yield

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._exchanging:
            return self._exchange(request)

    def _exchange(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.read())
        if self._chance.random() >= self.rate:
            return self._inner.handle_request(request)
        fault = self._chance.choice(FAULTS)
        if fault is _reorganise:
            if any(one["method"] == "eth_getLogs" for one in _many(asked)):
                self.seen[fault.__name__] += 1
                self._reorganise()
            return self._inner.handle_request(request)
        if fault is _die_before:
            self.seen[fault.__name__] += 1
            raise Killed
        response = self._inner.handle_request(request)
        content = response.read()
        answered = json.loads(content)
        answers = {answer["id"]: answer for answer in _many(answered)}
        exchange = [(one, answers[one["id"]]) for one in _many(asked)]
        before = json.dumps(answered)
        replaced = fault(self._chance, exchange)
        if replaced is not None or json.dumps(answered) != before:
            self.seen[fault.__name__] += 1
        if replaced is not None:
            return replaced
        return httpx.Response(200, json=answered, request=request)

    def close(self) -> None:
        self._inner.close()


def _many(content: Any) -> list[dict[str, Any]]:
    return content if isinstance(content, list) else [content]


def _logs(exchange: Exchange) -> list[dict[str, Any]]:
    asked = ("eth_getLogs", "eth_getBlockReceipts")
    return [answer for request, answer in exchange if request["method"] == asked[0] and answer.get("result")]


def _headers(exchange: Exchange) -> list[dict[str, Any]]:
    method = "eth_getBlockByNumber"
    return [answer["result"] for request, answer in exchange if request["method"] == method and answer.get("result")]


def _fail(answer: dict[str, Any], message: str) -> None:
    answer.pop("result", None)
    answer["error"] = {"code": -32000, "message": message}


def _reorganise(_: random.Random, __: Exchange) -> None:
    """The chain changes between the headers and the logs."""


def _die_before(_: random.Random, __: Exchange) -> None:
    """The caller's process ends with the request on its lips."""


def _die_after(_: random.Random, __: Exchange) -> None:
    raise Killed


def _outage(_: random.Random, __: Exchange) -> None:
    raise httpx.ConnectError("refused")


def _lose_the_answer(_: random.Random, __: Exchange) -> None:
    raise httpx.ReadTimeout("too late")


def _unavailable(_: random.Random, __: Exchange) -> httpx.Response:
    return httpx.Response(503, text="try again")


def _truncate(_: random.Random, exchange: Exchange) -> httpx.Response:
    text = json.dumps([answer for _, answer in exchange])
    return httpx.Response(200, content=text[: len(text) // 2].encode())


def _refuse_some(chance: random.Random, exchange: Exchange) -> None:
    for _, answer in exchange:
        if chance.random() < 0.5:
            _fail(answer, "header not found")


def _refuse_the_batch(_: random.Random, __: Exchange) -> httpx.Response:
    error = {"code": -32005, "message": "batch too large"}
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": None, "error": error})


def _limit_ranges(chance: random.Random, exchange: Exchange) -> None:
    hint = chance.random() < 0.5
    for request, answer in exchange:
        if request["method"] != "eth_getLogs" or "fromBlock" not in request["params"][0]:
            continue
        first, last = (int(request["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
        if last - first >= 2:
            proposal = f" Try with this block range [{first:#x}, {first + 1:#x}]." if hint else ""
            _fail(answer, f"query returned more than 10000 results.{proposal}")


def _withhold(_: random.Random, exchange: Exchange) -> None:
    for answer in _logs(exchange):
        answer["result"] = []


def _prune(_: random.Random, exchange: Exchange) -> None:
    for request, answer in exchange:
        if request["method"] in ("eth_getLogs", "eth_getBlockReceipts"):
            answer["result"] = []


def _mark_removed(_: random.Random, exchange: Exchange) -> None:
    for answer in _logs(exchange):
        answer["result"][-1]["removed"] = True


def _double(_: random.Random, exchange: Exchange) -> None:
    for answer in _logs(exchange):
        answer["result"].append(answer["result"][0])


def _answer_null(chance: random.Random, exchange: Exchange) -> None:
    chance.choice(exchange)[1]["result"] = None


def _unlink(chance: random.Random, exchange: Exchange) -> None:
    for header in _headers(exchange):
        if chance.random() < 0.5:
            header["parentHash"] = "0x" + chance.randbytes(32).hex()


def _shift(_: random.Random, exchange: Exchange) -> None:
    """Headers of a batch in each other's place."""
    headers = _headers(exchange)
    if len(headers) > 1:
        first = dict(headers[0])
        headers[0].clear()
        headers[0].update(headers[1])
        headers[1].clear()
        headers[1].update(first)


def _lag(chance: random.Random, exchange: Exchange) -> None:
    for request, answer in exchange:
        if request["method"] == "eth_blockNumber" and "result" in answer:
            answer["result"] = hex(max(0, int(answer["result"], 16) - chance.randint(1, 6)))


FAULTS: tuple[Callable[[random.Random, Exchange], httpx.Response | None], ...] = (
    _reorganise,
    _die_before,
    _die_after,
    _outage,
    _lose_the_answer,
    _unavailable,
    _truncate,
    _refuse_some,
    _refuse_the_batch,
    _limit_ranges,
    _withhold,
    _prune,
    _mark_removed,
    _double,
    _answer_null,
    _unlink,
    _shift,
    _lag,
)
