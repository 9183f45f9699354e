"""What a running gateway holds: the parts that requests and workers share, made once at start."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session, sessionmaker

from app.documents.store import DocumentStore, FolderStore
from app.pools import Pools
from app.settings import Settings
from chain.contracts import Contracts
from chain.keys import Signer
from chain.rpc import RpcClient

POSTGRES_COMMANDS = 12
"""Commands at once on PostgreSQL: below the connection pool and the thread pool, so that a command that holds a lock
always finds a thread to go on with."""


@dataclass
class EvidenceLog:
    """A log that evidence is anchored in.

    Attributes:
        contracts: Its deployment; a further log has no ledger.
        start_block: Block of the deployment.
        sessions: The database that holds its outbox, batches and projection.
        rpc: Its node; None while a further log's node has not answered yet.
    """

    contracts: Contracts
    start_block: int
    sessions: sessionmaker[Session]
    rpc: RpcClient | None = None


@dataclass(frozen=True)
class Gateway:
    """Shared parts.

    Attributes:
        signers: Key name (`operator`, `relayer`, ...) to signer.
        pools: Which of a role's keys sends what.
        jurisdiction_key: 32 bytes that key the digests of identifiers; onboarded platforms and auditors hold it too.
        custody_seed: 32 bytes from which custodial keys of organisations are derived.
        webhook_seed: 32 bytes from which the secrets of webhooks are derived.
        start_block: Block of the deployment.
        further_logs: Logs on other chains, besides the one of `contracts`.
        command_gate: Lets one command at a time write to SQLite, several to PostgreSQL.
    """

    settings: Settings
    sessions: sessionmaker[Session]
    rpc: RpcClient
    contracts: Contracts
    start_block: int
    signers: Mapping[str, Signer]
    pools: Pools
    jurisdiction_key: bytes = field(repr=False)
    custody_seed: bytes = field(repr=False)
    webhook_seed: bytes = field(repr=False)
    command_gate: asyncio.Semaphore
    further_logs: Sequence[EvidenceLog] = ()

    @property
    def own_log(self) -> EvidenceLog:
        """The log of the service's own chain, which claims are proved against."""
        return EvidenceLog(self.contracts, self.start_block, self.sessions, self.rpc)

    @property
    def documents(self) -> DocumentStore:
        """Where documents are kept."""
        return FolderStore(self.settings.data_dir / "documents")

    @staticmethod
    def gate_for(database_url: str) -> asyncio.Semaphore:
        """The command gate that fits a database."""
        return asyncio.Semaphore(commands_at_once(database_url))


def commands_at_once(database_url: str) -> int:
    """How many commands write at once in a process: SQLite has one writer."""
    return 1 if database_url.startswith("sqlite") else POSTGRES_COMMANDS
