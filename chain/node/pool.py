"""Pending transactions: admission, replacement and order, with geth's rules and wording."""

import heapq
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count

from eth_typing import Address

from .codec import keccak
from .errors import TransactionRejected
from .journal import PoolJournal
from .machine import Account
from .transaction import SignedTransaction, decode_transaction

# A replacement pays at least this much more, of both fees (geth's default price bump).
PRICE_BUMP_PERCENT = 10
_MAX_TRANSACTIONS = 20_000


@dataclass(frozen=True, slots=True)
class _Entry:
    arrival: int
    tx: SignedTransaction


class Pool:
    """Transactions by sender and nonce. Those that follow on the sender's nonce are executable, the rest are queued.

    Every method may be called from any thread.
    """

    def __init__(
        self,
        *,
        chain_id: int,
        base_fee: int,
        block_gas_limit: int,
        account: Callable[[Address], Account],
        journal: PoolJournal,
    ) -> None:
        """An empty pool.

        Args:
            base_fee: wei per gas below which nothing is ever mined.
            account: nonce and balance at the head.
            journal: keeps what is pending over a restart.
        """
        self._chain_id = chain_id
        self._base_fee = base_fee
        self._block_gas_limit = block_gas_limit
        self._account = account
        self._journal = journal
        self._changed = threading.Condition()
        self._arrivals = count()
        self._by_hash: dict[bytes, SignedTransaction] = {}
        self._by_sender: dict[Address, dict[int, _Entry]] = {}
        self._nonces: dict[Address, int] = {}  # next nonce at the head, of each sender in the pool

    def restore(self) -> list[tuple[bytes, str]]:
        """Take the journalled transactions in again.

        Returns:
            (hash, reason) of those refused by now; most were mined before the journal was emptied.
        """
        refused = []
        for raw in self._journal.read():
            try:
                self._admit(decode_transaction(raw, self._chain_id))
            except TransactionRejected as error:
                refused.append((keccak(raw), error.message))
        with self._changed:
            self._journal.rewrite([tx.raw for tx in self._by_hash.values()])
        return refused

    def add(self, raw: bytes) -> bytes:
        """Take in a raw transaction.

        Returns:
            Its hash.

        Raises:
            TransactionRejected: with geth's message.
        """
        tx = decode_transaction(raw, self._chain_id)
        with self._changed:
            self._admit(tx)
            self._journal.append(raw)
            self._changed.notify_all()
        return tx.hash

    def get(self, tx_hash: bytes) -> SignedTransaction | None:
        """A pending or queued transaction."""
        return self._by_hash.get(tx_hash)

    def next_nonce(self, sender: Address) -> int:
        """The nonce after the sender's executable transactions: `eth_getTransactionCount` at "pending"."""
        with self._changed:
            entries = self._by_sender.get(sender)
            nonce = self._nonces[sender] if entries else self._account(sender).nonce
            while entries and nonce in entries:
                nonce += 1
            return nonce

    def executable(self, limit: int) -> list[SignedTransaction]:
        """At most `limit` transactions in the order to mine them: highest tip first, then first come, first served;
        those of one sender by nonce."""
        with self._changed:
            heads: list[tuple[int, int, SignedTransaction]] = []
            for sender in self._by_sender:
                self._push(heads, sender, self._nonces[sender])
            chosen: list[SignedTransaction] = []
            while heads and len(chosen) < limit:
                _, _, tx = heapq.heappop(heads)
                chosen.append(tx)
                self._push(heads, tx.sender, tx.nonce + 1)
            return chosen

    def wait_for_executable(self, stopping: threading.Event) -> None:
        """Sleep until there is something to mine, or `stopping` is set and `wake` called."""
        with self._changed:
            self._changed.wait_for(lambda: stopping.is_set() or self._any_executable())

    def wake(self) -> None:
        """Let whoever sleeps look again."""
        with self._changed:
            self._changed.notify_all()

    def settle(self, mined: Iterable[SignedTransaction]) -> None:
        """Forget what a committed block made final: the mined transactions and those they replaced."""
        with self._changed:
            for tx in mined:
                entries = self._by_sender.get(tx.sender)
                if entries is None:
                    continue
                self._nonces[tx.sender] = tx.nonce + 1
                for nonce in [nonce for nonce in entries if nonce <= tx.nonce]:
                    self._remove(entries[nonce].tx)
            self._shrink_journal()

    def drop(self, tx: SignedTransaction) -> None:
        """Forget a transaction that cannot be executed; the sender's later ones wait for another with its nonce."""
        with self._changed:
            if tx.hash in self._by_hash:
                self._remove(tx)
            self._shrink_journal()

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _admit(self, tx: SignedTransaction) -> None:
        if tx.hash in self._by_hash:
            raise TransactionRejected("already known")
        if tx.gas > self._block_gas_limit:
            raise TransactionRejected("exceeds block gas limit")
        if tx.max_fee_per_gas < self._base_fee:
            # geth would queue it for a cheaper day; with a constant base fee that day never comes.
            raise TransactionRejected(
                f"max fee per gas less than block base fee: maxFeePerGas: {tx.max_fee_per_gas}, "
                f"baseFee: {self._base_fee}"
            )
        account = self._account(tx.sender)
        if tx.nonce < account.nonce:
            raise TransactionRejected(f"nonce too low: next nonce {account.nonce}, tx nonce {tx.nonce}")
        if account.balance < tx.worst_case_cost:
            raise TransactionRejected(
                f"insufficient funds for gas * price + value: balance {account.balance}, "
                f"tx cost {tx.worst_case_cost}, overshot {tx.worst_case_cost - account.balance}"
            )
        entries = self._by_sender.get(tx.sender, {})
        replaced = entries.get(tx.nonce)
        if replaced is not None and not _outbids(tx, replaced.tx):
            raise TransactionRejected("replacement transaction underpriced")
        if replaced is None and len(self._by_hash) >= _MAX_TRANSACTIONS:
            raise TransactionRejected("txpool is full")
        if replaced is not None:
            del self._by_hash[replaced.tx.hash]
        entries[tx.nonce] = _Entry(next(self._arrivals), tx)
        self._by_sender[tx.sender] = entries
        self._nonces[tx.sender] = account.nonce
        self._by_hash[tx.hash] = tx

    def _remove(self, tx: SignedTransaction) -> None:
        del self._by_hash[tx.hash]
        entries = self._by_sender[tx.sender]
        del entries[tx.nonce]
        if not entries:
            del self._by_sender[tx.sender]
            del self._nonces[tx.sender]

    def _push(self, heads: list[tuple[int, int, SignedTransaction]], sender: Address, nonce: int) -> None:
        entry = self._by_sender[sender].get(nonce)
        if entry is not None:
            tip = entry.tx.effective_gas_price(self._base_fee) - self._base_fee
            heapq.heappush(heads, (-tip, entry.arrival, entry.tx))

    def _any_executable(self) -> bool:
        return any(self._nonces[sender] in entries for sender, entries in self._by_sender.items())

    def _shrink_journal(self) -> None:
        self._journal.shrink([tx.raw for tx in self._by_hash.values()])


def _outbids(new: SignedTransaction, old: SignedTransaction) -> bool:
    """Both fees higher, and by at least the bump: rounding up, so that a replacement is never free."""

    def enough(bid: int, before: int) -> bool:
        return bid > before and bid * 100 >= before * (100 + PRICE_BUMP_PERCENT)

    return enough(new.max_fee_per_gas, old.max_fee_per_gas) and enough(
        new.max_priority_fee_per_gas, old.max_priority_fee_per_gas
    )
