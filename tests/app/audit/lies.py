"""A node that lies: what it answers is changed on the way."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx

from chain.contracts import ContractName, events
from chain.rpc import RpcClient

Lie: TypeAlias = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
"""Makes other logs of those that a node answered with."""


class _Liar(httpx.BaseTransport):
    def __init__(self, lie: Lie, withheld: int | None) -> None:
        self._lie = lie
        self._withheld = withheld
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.read())
        response = self._inner.handle_request(request)
        answered = json.loads(response.read())
        methods = {one["id"]: one["method"] for one in (asked if isinstance(asked, list) else [asked])}
        for answer in answered if isinstance(answered, list) else [answered]:
            if methods[answer["id"]] == "eth_getLogs" and answer.get("result"):
                answer["result"] = self._lie(answer["result"])
            # Whoever withholds a log withholds it from the filter, too.
            result = answer.get("result")
            if methods[answer["id"]] == "eth_getBlockByNumber" and int(result["number"], 16) == self._withheld:
                answer["result"]["logsBloom"] = "0x" + "00" * 256
        return httpx.Response(200, json=answered, request=request)

    def close(self) -> None:
        self._inner.close()


def lying(url: str, lie: Lie) -> RpcClient:
    """A client of a node whose logs are changed on the way."""
    return RpcClient(url, transport=_Liar(lie, None))


def withholding(url: str, block: int) -> RpcClient:
    """A client of a node that has lost all that happened in a block."""

    def without(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [log for log in logs if int(log["blockNumber"], 16) != block]

    return RpcClient(url, transport=_Liar(without, block))


def of_event(log: dict[str, Any], contract: ContractName, event: str) -> bool:
    """Whether a log is one of an event."""
    return bool(log["topics"][0] == "0x" + events(contract)[event].topic.hex())
