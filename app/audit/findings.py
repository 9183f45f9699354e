"""What an audit found wrong."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chain.jsonable import jsonable

# A chain of another version breaks each rule a million times; the first ones tell as much.
_KEPT_OF_A_RULE = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        rule: short name of what is broken, for example budget-conserves.
        subject: what it is about: a voucher, a budget, a line of a report.
        expected: by the rules, in JSON's types.
        found: on the chain, or in the file.
        block_number: where it happened; None where it happened in no block.
        tx_hash: of the event's transaction, 0x-hex, likewise.
    """

    rule: str
    subject: str
    expected: Any
    found: Any
    block_number: int | None = None
    tx_hash: str | None = None

    def told(self) -> str:
        """In one line."""
        place = "" if self.block_number is None else f" (block {self.block_number})"
        return f"{self.rule}: {self.subject}: expected {self.expected}, found {self.found}{place}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)


class Findings:
    """All of them, the first hundred of each rule in words.

    Attributes:
        block_number: block that is being looked at; None outside of blocks.
        tx_hash: the same for the transaction.
    """

    def __init__(self) -> None:
        self.block_number: int | None = None
        self.tx_hash: bytes | None = None
        self.by_rule: Counter[str] = Counter()
        self.kept: list[Finding] = []

    def add(self, rule: str, subject: str, *, expected: object, found: object) -> None:
        """Something is wrong here."""
        self.by_rule[rule] += 1
        if self.by_rule[rule] > _KEPT_OF_A_RULE:
            return
        tx_hash = None if self.tx_hash is None else f"0x{self.tx_hash.hex()}"
        self.kept.append(
            Finding(rule, str(_plain(subject)), _plain(expected), _plain(found), self.block_number, tx_hash)
        )

    def require(self, holds: object, rule: str, subject: str, *, expected: object, found: object) -> None:
        """As `add`, where it does not hold. Not for hot paths: its arguments are made each time."""
        if not holds:
            self.add(rule, subject, expected=expected, found=found)

    def outside(self) -> None:
        """What follows belongs to no block."""
        self.block_number = self.tx_hash = None

    @property
    def count(self) -> int:
        """How many there are, also those that are not kept in words."""
        return self.by_rule.total()


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        value = dict(value)
    return jsonable(value)
