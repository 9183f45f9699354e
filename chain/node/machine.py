"""The chain itself: genesis, block building, and state at any height, on py-evm.

py-evm's state and EVM are used directly, not through eth-tester. eth-tester executes each transaction in a block of its
own or holds one open block without a pool, rebuilds receipts and logs from tries when asked, and finds a transaction
by walking the chain backwards; py-evm's chain classes validate again what this process has just built. What is left of
them is header bookkeeping, and that belongs in the store, in the same SQLite transaction as the state. So opening a
folder is reading one header: nothing is rebuilt from genesis.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from eth.abc import ComputationAPI, SignedTransactionAPI
from eth.db.atomic import AtomicDB
from eth.vm.chain_context import ChainContext
from eth_typing import Address, Hash32

from .bloom import logs_bloom, union
from .codec import EMPTY_TRIE_ROOT, int_to_bytes, ordered_trie_root, rlp_encode
from .errors import DataFolderError
from .header import Header, new_header
from .render import Place, block_size, header_members, log_json, receipt_members
from .rules import (
    BASE_FEE_WEI,
    BLOCK_GAS_LIMIT,
    EvmState,
    contract_address,
    execution_context,
    gas_used,
)
from .store import ChainStore, StagedNodes, StoredBlock, StoredLog, StoredTransaction
from .transaction import LEGACY, SignedTransaction

Clock: TypeAlias = Callable[[], int]


def wall_clock() -> int:
    """Unix time in whole seconds."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Account:
    """Nonce and balance (wei) of an account at some block."""

    nonce: int
    balance: int


@dataclass(frozen=True, slots=True)
class _Executed:
    tx: SignedTransaction
    succeeded: bool
    gas_used: int
    cumulative_gas_used: int
    bloom: bytes
    logs: tuple[tuple[bytes, tuple[bytes, ...], bytes], ...]
    created: bytes | None

    def encoded_receipt(self) -> bytes:
        """The receipt as the receipts trie holds it (EIP-2718)."""
        status = b"\x01" if self.succeeded else b""
        payload = rlp_encode(
            [
                status,
                int_to_bytes(self.cumulative_gas_used),
                self.bloom,
                [[address, list(topics), data] for address, topics, data in self.logs],
            ]
        )
        return payload if self.tx.type_id == LEGACY else bytes([self.tx.type_id]) + payload


class UnexecutableTransaction(Exception):
    """A transaction the EVM cannot even start or that breaks the EVM itself; the pool drops it."""

    def __init__(self, tx: SignedTransaction, reason: str) -> None:
        super().__init__(f"transaction 0x{tx.hash.hex()}: {reason}")
        self.tx = tx


class Machine:
    """One chain: reads at any committed block from any thread, blocks from one thread."""

    def __init__(self, store: ChainStore, *, chain_id: int, funded: Mapping[Address, int], clock: Clock) -> None:
        """Open the chain in the store, or write its genesis block.

        Args:
            chain_id: fixed at creation (EIP-155).
            funded: address (20 bytes) to wei, in the genesis state; not looked at when the chain exists already.
            clock: Unix seconds now.

        Raises:
            DataFolderError: the store holds a chain with another id.
        """
        self._store = store
        self._clock = clock
        self._context = ChainContext(chain_id)
        self._mining = threading.Lock()
        self.chain_id = chain_id
        encoded = store.head_header()
        if encoded is None:
            self._head = self._write_genesis(funded)
            return
        stored_id = store.meta().get("chain_id")
        if stored_id != str(chain_id):
            raise DataFolderError(f"the data folder holds chain {stored_id}, not chain {chain_id}")
        self._head = Header.decode(encoded)

    @property
    def store(self) -> ChainStore:
        """Where the chain is kept."""
        return self._store

    @property
    def head(self) -> Header:
        """Header of the newest committed block."""
        return self._head

    def next_timestamp(self) -> int:
        """Unix seconds the next block would carry: now, but never before its parent."""
        return max(self._head.timestamp, self._clock())

    # Reading

    def header(self, number: int) -> Header | None:
        """The header at a height, None beyond the head."""
        head = self._head
        if number == head.number:
            return head
        encoded = self._store.header(number) if number < head.number else None
        return Header.decode(encoded) if encoded is not None else None

    def state_after(self, header: Header) -> EvmState:
        """A scratch copy of the state a block left, in that block's own context; writes to it go nowhere."""
        return self._state(StagedNodes(self._store), header.state_root, header, base_fee=0)

    def state_of_next_block(self) -> EvmState:
        """A scratch copy of the newest state in the context of the block that would be mined now."""
        header = self._new_header(self._head)
        return self._state(StagedNodes(self._store), header.state_root, header, base_fee=0)

    def account(self, address: Address) -> Account:
        """Nonce and balance at the head."""
        state = self.state_after(self._head)
        return Account(state.get_nonce(address), state.get_balance(address))

    # Building

    def mine(self, transactions: Sequence[SignedTransaction]) -> list[SignedTransaction]:
        """Execute transactions in order into one block and commit it.

        A transaction that does not fit in what is left of the block's gas is left out, and with it the later ones of
        its sender. Without any transaction the block is empty.

        Returns:
            The transactions the block has.

        Raises:
            UnexecutableTransaction: nothing was committed; try again without it.
            sqlite3.Error: nothing was committed; the disk is full, or broken.
        """
        with self._mining:
            header = self._new_header(self._head)
            nodes = StagedNodes(self._store)
            state = self._state(nodes, header.state_root, header, base_fee=header.base_fee_per_gas)
            executed: list[_Executed] = []
            left_out: set[bytes] = set()
            used = 0
            for tx in transactions:
                if tx.sender in left_out or used + tx.gas > header.gas_limit:
                    left_out.add(tx.sender)
                    continue
                done = _execute(state, tx, used)
                used = done.cumulative_gas_used
                executed.append(done)
            state.persist()
            header = replace(
                header,
                state_root=state.state_root,
                transactions_root=ordered_trie_root([done.tx.raw for done in executed]),
                receipts_root=ordered_trie_root([done.encoded_receipt() for done in executed]),
                bloom=union(done.bloom for done in executed),
                gas_used=used,
            )
            self._store.commit(_stored(header, executed, nodes.written))
            self._head = header
            return [done.tx for done in executed]

    def _write_genesis(self, funded: Mapping[Address, int]) -> Header:
        header = new_header(
            parent_hash=bytes(32),
            state_root=EMPTY_TRIE_ROOT,
            number=0,
            gas_limit=BLOCK_GAS_LIMIT,
            timestamp=self._clock(),
            base_fee_per_gas=BASE_FEE_WEI,
        )
        nodes = StagedNodes(self._store)
        state = self._state(nodes, EMPTY_TRIE_ROOT, header, base_fee=BASE_FEE_WEI)
        for address, wei in funded.items():
            state.set_balance(address, wei)
        state.persist()
        header = replace(header, state_root=state.state_root)
        self._store.commit(_stored(header, [], nodes.written), meta={"chain_id": str(self.chain_id)})
        return header

    def _new_header(self, parent: Header) -> Header:
        return new_header(
            parent_hash=parent.hash,
            state_root=parent.state_root,
            number=parent.number + 1,
            gas_limit=parent.gas_limit,
            timestamp=self.next_timestamp(),
            base_fee_per_gas=parent.base_fee_per_gas,
        )

    def _state(self, nodes: StagedNodes, root: bytes, header: Header, *, base_fee: int) -> EvmState:
        context = execution_context(header, self._previous_hashes(header.number), self._context, base_fee=base_fee)
        return EvmState(AtomicDB(nodes), context, Hash32(root))

    def _previous_hashes(self, number: int) -> Iterator[Hash32]:
        """Newest first, as the BLOCKHASH opcode counts; read only when the opcode runs."""
        for earlier in range(number - 1, max(-1, number - 257), -1):
            block_hash = self._store.block_hash(earlier)
            if block_hash is None:
                return
            yield Hash32(block_hash)


def _execute(state: EvmState, tx: SignedTransaction, gas_before: int) -> _Executed:
    if state.get_nonce(tx.sender) != tx.nonce:
        raise UnexecutableTransaction(tx, "its nonce is not the sender's next")
    if state.get_balance(tx.sender) < tx.worst_case_cost:
        raise UnexecutableTransaction(tx, "insufficient funds for gas * price + value")
    state.lock_changes()
    try:
        computation: ComputationAPI = state.apply_transaction(cast(SignedTransactionAPI, tx))
    except Exception as error:  # a defect of the EVM: one transaction must not stop the chain
        raise UnexecutableTransaction(tx, f"{type(error).__name__}: {error}") from error
    logs = tuple(
        (bytes(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
        for address, topics, data in computation.get_log_entries()
    )
    used = gas_used(tx.gas, computation)
    return _Executed(
        tx=tx,
        succeeded=computation.is_success,
        gas_used=used,
        cumulative_gas_used=gas_before + used,
        bloom=logs_bloom((address, topics) for address, topics, _ in logs),
        logs=logs,
        created=None if tx.to else contract_address(tx.sender, tx.nonce),
    )


def _stored(header: Header, executed: Sequence[_Executed], nodes: dict[bytes, bytes]) -> StoredBlock:
    place = Place(header.number, header.hash, header.timestamp)
    stored = []
    log_position = 0
    for position, done in enumerate(executed):
        logs = []
        for address, topics, data in done.logs:
            json = log_json(place, done.tx.hash, position, log_position, address=address, topics=topics, data=data)
            logs.append(StoredLog(address, topics, json))
            log_position += 1
        receipt = receipt_members(
            place,
            done.tx,
            position,
            succeeded=done.succeeded,
            gas_used=done.gas_used,
            cumulative_gas_used=done.cumulative_gas_used,
            bloom=done.bloom,
            base_fee=header.base_fee_per_gas,
            created=done.created,
        )
        stored.append(StoredTransaction(done.tx.hash, done.tx.sender, done.tx.raw, receipt, tuple(logs)))
    return StoredBlock(
        number=header.number,
        hash=header.hash,
        header=header.encoded,
        json=header_members(header, block_size(header.encoded, [done.tx for done in executed])),
        transaction_hashes="[" + ",".join(f'"0x{done.tx.hash.hex()}"' for done in executed) + "]",
        transactions=tuple(stored),
        nodes=nodes,
    )
