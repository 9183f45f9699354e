"""The chain on disk: one SQLite file with the state trie, blocks, transactions, receipts and logs.

Why it is laid out so:

- One block is one SQLite transaction, so `kill -9` leaves whole blocks. WAL with `synchronous = FULL`: there is no
  peer to fetch a lost block from again, and what the gateway did because of a receipt must outlive a power cut too.
- State nodes are content-addressed, added and never deleted: a reader needs no lock, and every past block can be
  called. The price is disk: 3 to 5 KB a transaction.
- Blocks never reorganise, so what JSON-RPC answers for a header, a receipt and a log is rendered once, at commit,
  and joined by SQLite. Returning one long string instead of many rows also matters because the sqlite3 module gives
  up the interpreter lock at every row, and while the miner computes it takes milliseconds to get it back.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any, TypeVar

from eth.db.backends.base import BaseDB
from lru import LRU

from .errors import DataFolderError

_T = TypeVar("_T")

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE node (hash BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE block (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    header BLOB NOT NULL,           -- RLP
    json TEXT NOT NULL,             -- members of the block object, without braces and transactions
    transaction_hashes TEXT NOT NULL -- JSON array
);
CREATE TABLE tx (
    block INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    sender BLOB NOT NULL,
    raw BLOB NOT NULL,
    receipt TEXT NOT NULL,          -- members of the receipt object, without braces and logs
    first_log INTEGER NOT NULL,     -- position of its first log in the block
    log_count INTEGER NOT NULL,
    PRIMARY KEY (block, position)
);
CREATE TABLE log (
    block INTEGER NOT NULL,
    position INTEGER NOT NULL,      -- in the block
    address BLOB NOT NULL,
    topic0 BLOB, topic1 BLOB, topic2 BLOB, topic3 BLOB,
    json TEXT NOT NULL,
    PRIMARY KEY (block, position)
) WITHOUT ROWID;
CREATE INDEX log_topic1 ON log (topic1, block) WHERE topic1 IS NOT NULL;
CREATE INDEX log_topic2 ON log (topic2, block) WHERE topic2 IS NOT NULL;
CREATE INDEX log_topic3 ON log (topic3, block) WHERE topic3 IS NOT NULL;
"""

# Trie nodes kept in memory: about 600 bytes each, 30 MB in all.
_CACHED_NODES = 50_000
# Past this many blocks a range with an indexed topic goes through the topic's index instead of the range.
_WIDE_RANGE_BLOCKS = 256


@dataclass(frozen=True, slots=True)
class StoredLog:
    """A log row: its filter keys and what JSON-RPC answers for it."""

    address: bytes
    topics: tuple[bytes, ...]
    json: str


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """A mined transaction: raw bytes, receipt members as JSON, logs."""

    hash: bytes
    sender: bytes
    raw: bytes
    receipt: str
    logs: tuple[StoredLog, ...]


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """All that one block writes. `nodes` are the state nodes and contract code it added, by hash."""

    number: int
    hash: bytes
    header: bytes
    json: str
    transaction_hashes: str
    transactions: tuple[StoredTransaction, ...]
    nodes: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class MinedTransaction:
    """Where a transaction is, with its bytes."""

    block_number: int
    block_hash: bytes
    position: int
    sender: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Logs wanted: blocks inclusive; no addresses means any; a position with no topics means any."""

    from_block: int
    to_block: int
    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, slots=True)
class LogPage:
    """A JSON array of at most `limit` logs; `cut_at` is the block of the first log left out."""

    json: str
    cut_at: int | None


class ChainStore:
    """Blocks, transactions, receipts, logs and state nodes of one chain, in one SQLite file.

    One thread commits blocks; any number of threads read committed data.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            DataFolderError: the file was written by another version.
        """
        self._path = path
        self._readers: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._nodes: LRU[bytes, bytes] = LRU(_CACHED_NODES)
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._writer.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;")
        elif version != _SCHEMA_VERSION:
            self._writer.close()
            raise DataFolderError(
                f"{path} has chain data of version {version}, this program reads version {_SCHEMA_VERSION}"
            )

    def close(self) -> None:
        """Close every connection; nothing may use the store after."""
        while True:
            try:
                self._readers.get_nowait().close()
            except Empty:
                break
        self._writer.close()

    # What the chain was created with.

    def meta(self) -> dict[str, str]:
        """Settings fixed at creation; empty before the genesis block is written."""
        with self._reader() as db:
            return dict(db.execute("SELECT key, value FROM meta"))

    # Writing

    def commit(self, block: StoredBlock, meta: dict[str, str] | None = None) -> None:
        """Write one block, and `meta` with the genesis, in one transaction; durable on return."""
        db = self._writer
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany("INSERT INTO meta VALUES (?, ?)", (meta or {}).items())
            # A node that an older block already wrote has the same content.
            db.executemany("INSERT OR IGNORE INTO node VALUES (?, ?)", block.nodes.items())
            db.execute(
                "INSERT INTO block VALUES (?, ?, ?, ?, ?)",
                (block.number, block.hash, block.header, block.json, block.transaction_hashes),
            )
            db.executemany("INSERT INTO tx VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _transaction_rows(block))
            db.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _log_rows(block))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # SQLite has rolled back by itself where the disk is full
                db.execute("ROLLBACK")
            raise
        self._nodes.update(block.nodes)

    # State

    def node(self, key: bytes) -> bytes | None:
        """A state trie node or contract code by hash."""
        cached: bytes | None = self._nodes.get(key)
        if cached is not None:
            return cached
        data = self._value(bytes, "SELECT data FROM node WHERE hash = ?", key)
        if data is not None:
            self._nodes[key] = data
        return data

    # Blocks

    def head_header(self) -> bytes | None:
        """RLP of the newest header, None before genesis."""
        return self._value(bytes, "SELECT header FROM block ORDER BY number DESC LIMIT 1")

    def header(self, number: int) -> bytes | None:
        """RLP of the header at a height."""
        return self._value(bytes, "SELECT header FROM block WHERE number = ?", number)

    def block_hash(self, number: int) -> bytes | None:
        """Hash of the block at a height."""
        return self._value(bytes, "SELECT hash FROM block WHERE number = ?", number)

    def block_hashes(self, first: int, last: int) -> list[str]:
        """0x-hashes of the blocks first..last."""
        rows = self._rows("SELECT hash FROM block WHERE number BETWEEN ? AND ? ORDER BY number", first, last)
        return ["0x" + row[0].hex() for row in rows]

    def block_number(self, block_hash: bytes) -> int | None:
        """Height of the block with a hash."""
        return self._value(int, "SELECT number FROM block WHERE hash = ?", block_hash)

    def block_json(self, number: int) -> tuple[str, str] | None:
        """(members of the block object, JSON array of its transaction hashes)."""
        rows = self._rows("SELECT json, transaction_hashes FROM block WHERE number = ?", number)
        return (rows[0][0], rows[0][1]) if rows else None

    def transaction_count(self, number: int) -> int:
        """How many transactions the block at a height has."""
        return self._value(int, "SELECT count(*) FROM tx WHERE block = ?", number) or 0

    # Transactions and receipts

    def transactions(self, number: int) -> list[MinedTransaction]:
        """The transactions of a block, in order."""
        return self._mined("tx.block = ? ORDER BY position", number)

    def transaction(self, tx_hash: bytes) -> MinedTransaction | None:
        """A mined transaction by hash."""
        return next(iter(self._mined("tx.hash = ?", tx_hash)), None)

    def transaction_at(self, number: int, position: int) -> MinedTransaction | None:
        """A mined transaction by its place."""
        return next(iter(self._mined("tx.block = ? AND position = ?", number, position)), None)

    def receipt_json(self, tx_hash: bytes, newest: int) -> str | None:
        """The receipt object of a transaction in a block up to `newest`."""
        query = f"SELECT {_RECEIPT_JSON} FROM tx WHERE hash = ? AND block <= ?"  # noqa: S608
        return self._value(str, query, tx_hash, newest)

    def receipts_json(self, number: int) -> str:
        """JSON array of the receipts of a block."""
        receipts = self._value(
            str,
            "SELECT group_concat(receipt, ',') FROM "  # noqa: S608
            f"(SELECT {_RECEIPT_JSON} AS receipt FROM tx WHERE block = ? ORDER BY position)",
            number,
        )
        return f"[{receipts or ''}]"

    # Logs

    def logs(self, query: LogQuery, limit: int | None) -> LogPage:
        """Logs of a range that match, in chain order, at most `limit` where one is given."""
        matching, values = _log_condition(query)
        ordered = f"FROM {matching} ORDER BY block, position LIMIT ?"
        cut_at = None
        if limit is not None:
            cut_at = self._value(int, f"SELECT block {ordered} OFFSET ?", *values, 1, limit)
        joined = f"SELECT group_concat(json, ',') FROM (SELECT json {ordered})"  # noqa: S608
        logs = self._value(str, joined, *values, -1 if limit is None else limit)
        return LogPage(f"[{logs or ''}]", cut_at)

    # Connections

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        db.execute("PRAGMA cache_size = -8000")
        db.execute("PRAGMA mmap_size = 268435456")
        return db

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A connection for one query; WAL lets it read beside the writer."""
        try:
            db = self._readers.get_nowait()
        except Empty:
            db = self._connect()
        try:
            yield db
        finally:
            self._readers.put(db)

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._reader() as db:
            return db.execute(sql, values).fetchall()

    def _value(self, kind: type[_T], sql: str, *values: object) -> _T | None:
        """The first column of the first row, None where there is no row or it is NULL."""
        with self._reader() as db:
            row = db.execute(sql, values).fetchone()
        return row[0] if row and isinstance(row[0], kind) else None

    def _mined(self, condition: str, *values: object) -> list[MinedTransaction]:
        rows = self._rows(
            "SELECT tx.block, block.hash, position, sender, raw "  # noqa: S608
            f"FROM tx JOIN block ON block.number = tx.block WHERE {condition}",
            *values,
        )
        return [MinedTransaction(*row) for row in rows]


_RECEIPT_JSON = """'{' || receipt || ',"logs":[' || coalesce((SELECT group_concat(json, ',') FROM (
    SELECT json FROM log
    WHERE log.block = tx.block AND log.position >= tx.first_log AND log.position < tx.first_log + tx.log_count
    ORDER BY log.position
)), '') || ']}'"""


def _transaction_rows(block: StoredBlock) -> Iterator[tuple[object, ...]]:
    first_log = 0
    for position, tx in enumerate(block.transactions):
        yield block.number, position, tx.hash, tx.sender, tx.raw, tx.receipt, first_log, len(tx.logs)
        first_log += len(tx.logs)


def _log_rows(block: StoredBlock) -> Iterator[tuple[object, ...]]:
    position = 0
    for tx in block.transactions:
        for log in tx.logs:
            topics: Sequence[bytes | None] = (*log.topics, None, None, None, None)[:4]
            yield block.number, position, log.address, *topics, log.json
            position += 1


def _log_condition(query: LogQuery) -> tuple[str, list[object]]:
    """FROM and WHERE of a query. The index is named, or ruled out by a unary plus, because SQLite has no statistics
    to see that a range of a few blocks is narrower than a topic that thousands of logs share."""
    wide = query.to_block - query.from_block >= _WIDE_RANGE_BLOCKS
    indexed = next((n for n, wanted in enumerate(query.topics) if n and wanted), None) if wide else None
    table = f"log INDEXED BY log_topic{indexed}" if indexed else "log"
    conditions = ["block BETWEEN ? AND ?"]
    values: list[object] = [query.from_block, query.to_block]

    def among(column: str, wanted: Iterable[bytes]) -> None:
        some = list(wanted)
        conditions.append(f"{column} IN ({','.join('?' * len(some))})")
        values.extend(some)

    if query.addresses:
        among("address", query.addresses)
    for position, wanted in enumerate(query.topics):
        if wanted:
            among(f"topic{position}" if position == indexed else f"+topic{position}", wanted)
        else:
            # A wildcard still asks that the log has a topic there.
            conditions.append(f"+topic{position} IS NOT NULL")
    return f"{table} WHERE {' AND '.join(conditions)}", values


class StagedNodes(BaseDB):
    """The key-value view py-evm gets: reads committed nodes, keeps what it writes in `written`.

    A block hands `written` to the store; a call throws it away.
    """

    def __init__(self, store: ChainStore) -> None:
        self._store = store
        self.written: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        node = self.written.get(key)
        if node is None:
            node = self._store.node(key)
        if node is None:
            raise KeyError(key)
        return node

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.written[key] = value

    def __delitem__(self, key: bytes) -> None:
        # Nodes are content-addressed and older roots still need them: only what is not yet stored can go.
        del self.written[key]

    def _exists(self, key: bytes) -> bool:
        return key in self.written or self._store.node(key) is not None
