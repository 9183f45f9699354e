"""The least that a transaction can cost on the EVM, whatever the contract does.

    21,000                       every transaction
    4 or 16 a byte               calldata, zero or not (EIP-2028)
    22,100 a new word            SSTORE of a slot that was zero: 20,000, and 2,100 as nobody touched it before
    5,000 a changed word         SSTORE of a slot that was not: 2,900, and 2,100 likewise (EIP-2929, EIP-3529)

Reading, hashing, signatures, logs and memory come on top; a word that a batch changes several times counts once.
"""

from dataclasses import dataclass

TRANSACTION_GAS = 21_000
NEW_WORD_GAS = 22_100
CHANGED_WORD_GAS = 5_000


@dataclass(frozen=True)
class Storage:
    """Words that a transaction must leave different.

    Attributes:
        new: words that were zero.
        changed: words that were not.
        which: what they hold.
    """

    new: int
    changed: int
    which: str

    @property
    def gas(self) -> int:
        """Least gas for them."""
        return self.new * NEW_WORD_GAS + self.changed * CHANGED_WORD_GAS


def calldata_gas(data: bytes) -> int:
    """Gas for the bytes of a call."""
    zeros = data.count(0)
    return 4 * zeros + 16 * (len(data) - zeros)
