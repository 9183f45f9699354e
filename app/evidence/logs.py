"""The evidence logs that a service anchors in: its own chain's, and one on each chain that ANCHOR_URLS names.

A further log has a database of its own with the tables of the gateway's: a file beside it on SQLite, a schema in it on
PostgreSQL. So relay, indexer and anchorer work on it as they are, and whatever happens there (outage, reorganisation,
refusal) holds up nothing here.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, make_url, text
from sqlalchemy.orm import Session, sessionmaker

from app.deployment import Deployment
from app.evidence.anchorer import LOOK_S, RELAYER, Anchorer
from app.gateway import EvidenceLog, Gateway
from app.indexer.indexer import Indexer
from app.indexer.projected import OWN, scoped
from app.migrate import upgrade
from app.workers import Commits, Worker
from chain.contracts import Contracts
from chain.deploy import DeployError, Journal, deploy_log
from chain.keys import ADMIN
from chain.relay.relay import Relay
from chain.rpc import RpcClient, RpcError, RpcUnavailable
from chain.sql import open_engine, sessions

log = logging.getLogger(__name__)

RETRY_S = 5.0
SCHEMA = "anchor_"


def store_url(database_url: str, chain_id: int) -> str:
    """SQLAlchemy URL of the database of a further log."""
    url = make_url(database_url)
    if url.drivername.startswith("sqlite"):
        path = Path(url.database or "gateway.sqlite")
        return f"sqlite:///{path.with_name(f'{path.stem}-anchor-{chain_id}{path.suffix}')}"
    options = " ".join([*url.query.get("options", "").split(), f"-csearch_path={SCHEMA}{chain_id:d}"])  # type: ignore[union-attr]
    return url.update_query_dict({"options": options}).render_as_string(hide_password=False)


def open_logs(database_url: str, stack: ExitStack) -> tuple[EvidenceLog, ...]:
    """The further logs that are deployed, whether or not their nodes answer now. The stack closes them."""
    opened = []
    for chain_id in _chain_ids(database_url):
        make = open_store(database_url, chain_id, stack)
        with make() as session:
            row = session.get(Deployment, OWN)
            if row is not None and row.contracts is not None:
                opened.append(EvidenceLog(Contracts.from_dict(row.contracts), row.start_block or 0, make))
    return tuple(opened)


def deploy_further(gateway: Gateway) -> list[Contracts]:
    """Deploys a log on each chain that ANCHOR_URLS names and that has none yet; goes on where it was interrupted.

    Raises:
        DeployError: Two addresses are of one chain, or as chain.deploy says.
        RpcError, RpcUnavailable: A node refused or does not answer.
    """
    made: list[Contracts] = []
    for url in gateway.settings.anchor_urls:
        with RpcClient(url) as rpc:
            chain_id = int(rpc.call("eth_chainId"), 16)
            if chain_id in (gateway.contracts.chain_id, *(one.chain_id for one in made)):
                raise DeployError(f"ANCHOR_URLS names chain {chain_id} twice, or it is the service's own chain")
            made.append(_deployed(gateway, rpc, chain_id))
    return made


class FurtherLog:
    """Follows one address of ANCHOR_URLS while the service runs."""

    def __init__(self, gateway: Gateway, url: str) -> None:
        self._gateway = gateway
        self._url = url

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set; a node that is away, or has no log yet, is waited for."""
        with RpcClient(self._url) as rpc:
            found = self._found(rpc, stop)
            if found is None:
                return
            found.rpc = rpc
            for worker in (workers := self._workers(found, rpc)):
                worker.start()
            stop.wait()
            found.rpc = None
            for worker in workers:
                worker.stop()

    def _found(self, rpc: RpcClient, stop: threading.Event) -> EvidenceLog | None:
        told = ""
        while not stop.is_set():
            try:
                chain_id = int(rpc.call("eth_chainId"), 16)
            except (RpcError, RpcUnavailable) as error:
                why = f"a further anchor does not answer: {error}"
            else:
                for one in self._gateway.further_logs:
                    if one.contracts.chain_id == chain_id:
                        return one
                why = f"chain {chain_id} of ANCHOR_URLS has no evidence log yet: run `suanquan deploy`, then restart"
            if why != told:
                log.warning("%s", why)
                told = why
            stop.wait(RETRY_S)
        return None

    def _workers(self, found: EvidenceLog, rpc: RpcClient) -> list[Worker]:
        gateway, name = self._gateway, found.contracts.chain_id
        relay = Relay(
            found.sessions, rpc, gateway.signers, found.contracts, confirmations=gateway.settings.confirmations
        )
        indexer = Indexer(found.sessions, rpc, found.contracts, found.start_block)
        return [
            Worker(f"relay {name}", relay.run),
            Worker(f"indexer {name}", indexer.run),
            Worker(f"anchorer {name}", Commits(found.sessions).stepping(Anchorer(gateway, found).step, LOOK_S)),
        ]


def _deployed(gateway: Gateway, rpc: RpcClient, chain_id: int) -> Contracts:
    with ExitStack() as stack:
        make = open_store(gateway.settings.database_url, chain_id, stack)
        with make() as session:
            row = session.get(Deployment, OWN)
            journal: Journal = dict(row.journal) if row else {}
            if row is not None and row.contracts is not None:
                return Contracts.from_dict(row.contracts)
        relayers = [gateway.signers[RELAYER].address]
        save = partial(_save_journal, make)
        contracts, start_block = deploy_log(rpc, gateway.signers[ADMIN], relayers=relayers, journal=journal, save=save)
        with make.begin() as session:
            done = session.get_one(Deployment, OWN)
            done.contracts, done.start_block = contracts.to_dict(), start_block
        return contracts


def _save_journal(make: sessionmaker[Session], journal: Journal) -> None:
    with make.begin() as session:
        row = session.get(Deployment, OWN)
        if row is None:
            row = Deployment(id=OWN)
            session.add(row)
        row.journal = dict(journal)


def open_store(database_url: str, chain_id: int, stack: ExitStack) -> sessionmaker[Session]:
    """The database of a further log, made where missing. The stack closes it."""
    if not database_url.startswith("sqlite"):
        with _engine(database_url) as engine, engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}{chain_id:d}"))
    url = store_url(database_url, chain_id)
    upgrade(url)
    engine = open_engine(url)
    stack.callback(engine.dispose)
    return scoped(sessions(engine), OWN)


def _chain_ids(database_url: str) -> list[int]:
    """Chains that have a database here."""
    if database_url.startswith("sqlite"):
        path = Path(make_url(database_url).database or "")
        names = [file.stem.removeprefix(f"{path.stem}-anchor-") for file in path.parent.glob(f"{path.stem}-anchor-*")]
    else:
        query = text("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, :prefix)")
        with _engine(database_url) as engine, engine.connect() as connection:
            names = [str(name).removeprefix(SCHEMA) for name in connection.scalars(query, {"prefix": SCHEMA})]
    return sorted({int(name) for name in names if name.isdigit()})


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()
