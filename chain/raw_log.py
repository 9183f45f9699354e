"""A log as a node sends it, and what can be wrong with many of them."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from .headers import Header, InconsistentNode


class RawLog(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The members of a log that matter here, hexadecimal as JSON-RPC has them."""

    address: str
    topics: list[str]
    data: str
    block_number: str
    block_hash: str
    transaction_hash: str
    transaction_index: str
    log_index: str
    removed: bool = False

    @property
    def block(self) -> int:
        """The block's number."""
        return int(self.block_number, 16)

    @property
    def index(self) -> int:
        """Position in the block."""
        return int(self.log_index, 16)


def checked_logs(logs: list[RawLog]) -> list[RawLog]:
    """The same logs.

    Raises:
        InconsistentNode: some were taken back: they belong to a block that is not on the chain any more.
    """
    if any(log.removed for log in logs):
        raise InconsistentNode("the node answered with removed logs")
    return logs


def grouped(logs: Sequence[RawLog], headers: Sequence[Header]) -> dict[int, list[RawLog]]:
    """Logs by block, in order.

    Raises:
        InconsistentNode: one stands in another block than the headers', or twice.
    """
    hashes = {header.number: "0x" + header.hash.hex() for header in headers}
    found: dict[int, list[RawLog]] = defaultdict(list)
    for log in logs:
        number = log.block
        if hashes.get(number) != log.block_hash.lower():
            raise InconsistentNode(f"a log of block {number} names another block than its header")
        found[number].append(log)
    for number, many in found.items():
        many.sort(key=lambda log: log.index)
        if len({log.log_index for log in many}) != len(many):
            raise InconsistentNode(f"a log of block {number} came twice")
    return dict(found)
