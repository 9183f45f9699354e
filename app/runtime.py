"""Starts and stops a service: keys, node, database, deployment, workers.

Everything it needs it makes at first start, and finds again after `kill -9`: the keystore, the embedded chain, the
database and the deployment are each durable step by step.
"""

import logging
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from functools import partial

from sqlalchemy.orm import Session, sessionmaker

from app.applications.publicity import PublicityWorker
from app.auth.models import ApiKey
from app.auth.roles import Role
from app.auth.service import create_key
from app.checks.refunds import RefundWatch
from app.claims.presenter import ClaimPresenter
from app.deployment import Deployment
from app.events.publisher import Publisher
from app.events.recorder import record_changes
from app.evidence.anchorer import Anchorer
from app.evidence.logs import FurtherLog, open_logs
from app.gateway import Gateway
from app.indexer.projected import OWN, scoped
from app.indexing import indexers
from app.keyring import AUTOMATIC, open_signers
from app.migrate import upgrade
from app.node_process import NodeProcess
from app.secret_file import write_secret
from app.settings import Settings
from app.signers.watch import SignerWatch
from app.webhooks.courier import Courier
from app.webhooks.service import deliver
from app.workers import Worker, stepping
from chain.contracts import Contracts
from chain.deploy import Journal, deploy
from chain.enums import Role as OfficerRole
from chain.keys import ADMIN, Keystore, Signer
from chain.relay.fees import GWEI
from chain.relay.relay import Relay
from chain.rpc import RpcClient
from chain.sql import open_engine, sessions

log = logging.getLogger(__name__)

OFFICERS: Mapping[str, tuple[Role, str]] = {
    "operator": (Role.OPERATOR, ""),
    "registrar": (Role.REGISTRAR, ""),
    "reviewer-1": (Role.REVIEWER, "reviewer-1"),
    "reviewer-2": (Role.REVIEWER, "reviewer-2"),
    "reviewer-3": (Role.REVIEWER, "reviewer-3"),
    "finance": (Role.FINANCE, ""),
    "regulator": (Role.REGULATOR, ""),
}
"""API keys that are made at first start: name in `api-keys.json` to role and subject."""
GRANTS = {
    OfficerRole.OPERATOR: ("operator",),
    OfficerRole.REGISTRAR: ("registrar",),
    OfficerRole.REVIEWER: ("reviewer-1", "reviewer-2", "reviewer-3", AUTOMATIC),
    OfficerRole.FINANCE: ("finance",),
    OfficerRole.REGULATOR: ("regulator",),
    OfficerRole.RELAYER: ("relayer",),
}
"""Role on chain to the keys that are given it."""


class NotDeployed(Exception):
    """There are no contracts yet; the text says what to do."""


class UnknownWorker(Exception):
    """There is no worker of that name; the text lists those there are."""


class Runtime:
    """A service while it runs. Use as a context manager; `gateway` is there inside.

    Args:
        deploys: Whether contracts are deployed where there are none. On an embedded chain they always are.
    """

    gateway: Gateway
    node_url: str

    def __init__(self, settings: Settings, *, deploys: bool = False) -> None:
        self._settings = settings
        self._deploys = deploys or not settings.chain_url
        self._stack = ExitStack()

    def __enter__(self) -> "Runtime":
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        settings = self._settings
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        keystore = Keystore(settings.data_dir / "keys")
        node = None if settings.chain_url else self._stack.enter_context(NodeProcess(settings))
        signers = open_signers(settings, keystore)
        upgrade(settings.database_url)
        engine = open_engine(settings.database_url)
        self._stack.callback(engine.dispose)
        make = scoped(sessions(engine), OWN)
        record_changes(make)

        self.node_url = node.url if node else settings.chain_url
        rpc = RpcClient(self.node_url)
        self._stack.callback(rpc.close)
        contracts, start_block = self._contracts(make, rpc, signers)
        self.gateway = Gateway(
            settings=settings,
            sessions=make,
            rpc=rpc,
            contracts=contracts,
            start_block=start_block,
            signers=signers,
            jurisdiction_key=keystore.secret("jurisdiction"),
            custody_seed=keystore.secret("custody"),
            webhook_seed=keystore.secret("webhooks"),
            command_gate=Gateway.gate_for(settings.database_url),
            further_logs=open_logs(settings.database_url, self._stack),
        )
        self._make_api_keys(make)

    def start_workers(self, names: Collection[str] | None = None) -> None:
        """Starts relay, indexer and all other workers beside the caller, or of these only the named ones.

        Raises:
            UnknownWorker: There is no worker of a name.
        """
        gateway = self.gateway
        relay = Relay(
            gateway.sessions,
            gateway.rpc,
            gateway.signers,
            gateway.contracts,
            confirmations=gateway.settings.confirmations,
            in_flight=gateway.settings.in_flight,
            merged_at_most=gateway.settings.merged_at_most,
            max_fee_wei=gateway.settings.max_fee_gwei * GWEI,
        )
        loops = {
            "relay": relay.run,
            "anchorer": stepping(Anchorer(gateway).step),
            "publicity": PublicityWorker(gateway).run,
            "claims": stepping(ClaimPresenter(gateway).step),
            "refunds": RefundWatch(gateway).run,
            "events": stepping(Publisher(gateway.sessions, gateway.contracts, deliver).step),
            "webhooks": Courier(gateway.sessions, gateway.settings, gateway.webhook_seed).run,
            **{f"further log {url}": FurtherLog(gateway, url).run for url in gateway.settings.anchor_urls},
        }
        watch = SignerWatch(gateway.sessions, gateway.rpc, gateway.signers, gateway.settings)
        loops["signers"] = stepping(watch.step)
        for number, indexer in indexers(gateway).items():
            loops["indexer" if number == OWN else f"indexer {number}"] = indexer.run
        if unknown := sorted(set(names or ()) - loops.keys()):
            raise UnknownWorker(f"There is no worker {unknown[0]}; there are {', '.join(sorted(loops))}.")
        for name, run in loops.items():
            if names is not None and name not in names:
                continue
            worker = Worker(name, run)
            worker.start()
            self._stack.callback(worker.stop)

    def _contracts(
        self, make: sessionmaker[Session], rpc: RpcClient, signers: Mapping[str, Signer]
    ) -> tuple[Contracts, int]:
        """The deployment of this database, made or gone on with where that is allowed."""
        with make() as session:
            row = session.get(Deployment, 1)
            journal: Journal = dict(row.journal) if row else {}
            if row and row.contracts is not None and row.start_block is not None:
                return Contracts.from_dict(row.contracts), row.start_block
        if not self._deploys:
            raise NotDeployed("No contracts are deployed on this chain yet: run `suanquan deploy` once.")
        log.info("deploying the contracts")
        grants = {role: [signers[name].address for name in names] for role, names in GRANTS.items()}
        save = partial(_save_journal, make)
        contracts, start_block = deploy(rpc, signers[ADMIN], roles=grants, journal=journal, save=save)
        with make.begin() as session:
            row = session.get_one(Deployment, 1)
            row.contracts, row.start_block = contracts.to_dict(), start_block
        return contracts, start_block

    def _make_api_keys(self, make: sessionmaker[Session]) -> None:
        """One key for each officer, at first start, in a file for the owner alone."""
        path = self._settings.data_dir / "api-keys.json"
        with make.begin() as session:
            if session.query(ApiKey).first() is None:
                made = {name: create_key(session, role, subject) for name, (role, subject) in OFFICERS.items()}
                # Before the commit: keys that nobody can read are worse than a file that is written again.
                write_secret(path, made)


def _save_journal(make: sessionmaker[Session], journal: Journal) -> None:
    with make.begin() as session:
        row = session.get(Deployment, 1)
        if row is None:
            row = Deployment(id=1)
            session.add(row)
        row.journal = dict(journal)
