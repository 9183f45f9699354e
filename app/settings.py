"""The one settings object. Every value comes from the environment or has a default that works from a fresh clone."""

from functools import cached_property
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of a process.

    Attributes:
        data_dir: Folder for keys, the default database and the embedded chain. `SUANQUAN_DATA_DIR`.
        database_url: SQLAlchemy URL; SQLite in `data_dir` when unset. `DATABASE_URL`.
        anchor_urls: JSON-RPC of nodes of further chains to anchor evidence on, separated by commas. `ANCHOR_URLS`.
        chain_url: JSON-RPC of a node; the embedded node when unset. `CHAIN_URL`.
        host: Address that the gateway listens on. `SUANQUAN_HOST`.
        port: Port of the gateway; 0 takes a free one. `SUANQUAN_PORT`.
        node_port: Port of the embedded node on loopback; 0 takes a free one. `SUANQUAN_NODE_PORT`.
        other_chains: Chain id to JSON-RPC address, for deployments on other chains that are shown too.
        chain_id: Chain id of a new embedded chain. `SUANQUAN_CHAIN_ID`.
        batch_max_age_s: Oldest a submission may grow before its batch is closed, in seconds.
        batch_max_records: Records at which a batch is closed at once.
        merged_at_most: Redemptions, issues or write-offs of one transaction at most; 1 sends each alone.
        in_flight: Unmined transactions of one key at most.
        max_fee_gwei: Gwei per gas that no transaction offers more than, whatever the market.
        confirmations: Blocks that must hold a transaction, its own included, before its operation ends.
        max_body_bytes: Largest request body, in bytes.
        max_document_bytes: Largest document of an application, in bytes.
        document_quota_bytes: Most that the documents of one organisation may take together, in bytes.
        posts_per_s: Submissions of evidence that one API key may post a second.
        records_per_s: Records that it may post a second; as many as one submission holds at once.
        signers: Where keys are that the keystore does not keep: JSON of key name to place; see app/keyring.py.
        retiring: JSON list of key names that take no new work and finish what they have; see app/pools.py.
        web3signer_url: Address of the remote signer.
        signer_low_days: A key whose balance lasts fewer days than this is reported as low.
        webhooks_allow_private: Whether webhooks may reach loopback and private addresses, and by http.
        webhook_timeout_s: How long a receiver may take to answer, in seconds.
        webhook_retry_s: First wait after a failed try, in seconds; it doubles with every try.
        webhook_dead_after_days: How long a message is tried, in days.
    """

    model_config = SettingsConfigDict(env_prefix="SUANQUAN_", extra="ignore")

    data_dir: Path = Path(".suanquan")
    database_url_: str = Field(default="", validation_alias="DATABASE_URL")
    chain_url: str = Field(default="", validation_alias="CHAIN_URL")
    anchor_urls_: str = Field(default="", validation_alias="ANCHOR_URLS")
    host: str = "127.0.0.1"
    port: int = Field(default=8420, ge=0, le=65535)
    node_port: int = Field(default=8545, ge=0, le=65535)
    chain_id: int = Field(default=86371, gt=0)
    other_chains: dict[int, str] = Field(default={}, repr=False)
    batch_max_age_s: float = Field(default=2.0, ge=0)
    batch_max_records: int = Field(default=10_000, gt=0)
    merged_at_most: int = Field(default=50, gt=0, le=200)
    in_flight: int = Field(default=64, gt=0, le=4096)
    max_fee_gwei: int = Field(default=500, gt=0)
    confirmations: int = Field(default=1, ge=1)
    max_body_bytes: int = Field(default=16 * 1024 * 1024, gt=0)
    max_document_bytes: int = Field(default=20 * 1024 * 1024, gt=0)
    document_quota_bytes: int = Field(default=1024 * 1024 * 1024, gt=0)
    posts_per_s: int = Field(default=1_000, gt=0)
    records_per_s: int = Field(default=20_000, gt=0)
    signers: dict[str, str] = Field(default_factory=dict)
    retiring: list[str] = Field(default_factory=list)
    web3signer_url: str = ""
    signer_low_days: float = Field(default=7.0, ge=0)
    webhooks_allow_private: bool = False
    webhook_timeout_s: float = Field(default=15.0, gt=0, le=60)
    webhook_retry_s: float = Field(default=5.0, gt=0)
    webhook_dead_after_days: float = Field(default=3.0, gt=0)

    @cached_property
    def anchor_urls(self) -> tuple[str, ...]:
        """Addresses of the further anchors' nodes."""
        return tuple(url.strip() for url in self.anchor_urls_.split(",") if url.strip())

    @cached_property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database; a plain postgresql:// is given the driver that is installed."""
        if not self.database_url_:
            return f"sqlite:///{self.data_dir.resolve() / 'gateway.sqlite'}"
        for scheme in ("postgresql://", "postgres://"):
            if self.database_url_.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url_.removeprefix(scheme)
        return self.database_url_
