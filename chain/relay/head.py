"""The newest block, and whether the chain behind it is still the one that was seen before."""

from dataclasses import dataclass
from typing import Any

from chain.abi import to_bytes
from chain.rpc import RpcClient, RpcError, RpcUnavailable


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block. `base_fee_wei` is None on a chain without EIP-1559."""

    number: int
    hash: bytes
    base_fee_wei: int | None
    gas_limit: int


class HeadWatch:
    """Looks at the newest block again and again."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self._seen: Head | None = None

    def look(self) -> tuple[Head, bool]:
        """The newest block, and whether receipts seen before must be looked up again: at the first look, and when the
        block that was newest at the last look is not on the chain any more.

        Raises:
            RpcError, RpcUnavailable: the node does not say.
        """
        before = self._seen
        requests: list[tuple[str, tuple[object, ...]]] = [("eth_getBlockByNumber", ("latest", False))]
        if before is not None:
            requests.append(("eth_getBlockByNumber", (hex(before.number), False)))
        answers = self._rpc.batch(requests)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        if answers[0] is None:
            raise RpcUnavailable("the node has no newest block")
        head = _head(answers[0])
        changed = before is None or answers[1] is None or to_bytes(answers[1]["hash"]) != before.hash
        self._seen = head
        return head, changed


def _head(block: dict[str, Any]) -> Head:
    base_fee = block.get("baseFeePerGas")
    return Head(
        number=int(block["number"], 16),
        hash=to_bytes(block["hash"]),
        base_fee_wei=None if base_fee is None else int(base_fee, 16),
        gas_limit=int(block["gasLimit"], 16),
    )
