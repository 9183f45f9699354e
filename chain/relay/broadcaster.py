"""Sends signed bytes to the node, as often as it takes, and remembers what the node said."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from chain.rpc import Request, RpcClient, RpcError

from .node_errors import NodeRefusal, classify

_log = logging.getLogger(__name__)

# Far below the limits of nodes (1,000 requests a batch), and raw transactions can be large.
_BATCH = 100
_HARMLESS = (NodeRefusal.ALREADY_KNOWN, NodeRefusal.NONCE_TOO_LOW, NodeRefusal.NONCE_TOO_HIGH)


@dataclass(frozen=True, slots=True)
class Refused:
    """The node's latest refusal of a transaction, and since when (monotonic seconds) it has refused it."""

    kind: NodeRefusal
    message: str
    since: float


class Broadcaster:
    """Knows when each transaction was sent last; a new process knows nothing, so it sends everything anew."""

    def __init__(self, rpc: RpcClient, *, again_after: float) -> None:
        """Send nothing yet.

        Args:
            again_after: seconds after which a transaction that is not mined is sent again.
        """
        self._rpc = rpc
        self._again_after = again_after
        self._sent_at: dict[bytes, float] = {}
        self._refused: dict[bytes, Refused] = {}

    def due(self, tx_hash: bytes) -> bool:
        """Whether to send a transaction now."""
        sent_at = self._sent_at.get(tx_hash)
        return sent_at is None or time.monotonic() - sent_at > self._again_after

    def refusal(self, tx_hash: bytes) -> Refused | None:
        """Why the node does not take a transaction; None if it does as far as we know."""
        return self._refused.get(tx_hash)

    def send(self, transactions: Sequence[tuple[bytes, bytes]]) -> None:
        """Broadcast (hash, raw bytes) pairs in order. All of them are persisted already.

        Raises:
            RpcUnavailable: no answer, so nobody knows; the same bytes are due again.
        """
        for start in range(0, len(transactions), _BATCH):
            part = transactions[start : start + _BATCH]
            requests: list[Request] = [("eth_sendRawTransaction", ("0x" + raw.hex(),)) for _, raw in part]
            answers = self._rpc.batch(requests)
            for (tx_hash, _), answer in zip(part, answers, strict=True):
                self._note(tx_hash, answer)

    def forget(self, tx_hash: bytes) -> None:
        """Drop what is known of a transaction, so that it is due."""
        self._sent_at.pop(tx_hash, None)
        self._refused.pop(tx_hash, None)

    def _note(self, tx_hash: bytes, answer: object) -> None:
        now = time.monotonic()
        self._sent_at[tx_hash] = now
        if not isinstance(answer, RpcError):
            self._refused.pop(tx_hash, None)
            return
        kind = classify(answer)
        if kind in _HARMLESS:
            # Known or mined already, or waiting for an earlier one: receipts tell.
            self._refused.pop(tx_hash, None)
            return
        before = self._refused.get(tx_hash)
        if before is None:
            _log.warning("the node refuses transaction 0x%s: %s (%s)", tx_hash.hex(), answer.message, kind)
        self._refused[tx_hash] = Refused(kind, answer.message, now if before is None else before.since)
