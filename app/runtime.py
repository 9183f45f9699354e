"""Starts and stops a service: keys, node, database, deployment, workers.

Everything it needs it makes at first start, and finds again after `kill -9`: the keystore, the embedded chain, the
database and the deployment are each durable step by step.
"""

import logging
from collections.abc import Collection, Mapping
from contextlib import ExitStack

from sqlalchemy.orm import Session, sessionmaker

from app.applications.publicity import PublicityWorker
from app.auth.models import ApiKey
from app.auth.roles import Role
from app.auth.service import create_key
from app.checks.refunds import RefundWatch
from app.claims.presenter import ClaimPresenter
from app.deploying import able, deployed
from app.deployment import Deployment
from app.events.publisher import Publisher
from app.events.recorder import record_changes
from app.evidence.anchorer import LOOK_S, Anchorer
from app.evidence.logs import FurtherLog, open_logs
from app.gateway import Gateway
from app.indexer.projected import OWN, scoped
from app.indexing import indexers
from app.keyring import open_signers
from app.migrate import upgrade
from app.node_process import NodeProcess
from app.pools import Pools
from app.secret_file import write_secret
from app.settings import Settings
from app.signers.watch import SignerWatch
from app.webhooks.courier import Courier
from app.webhooks.service import deliver
from app.workers import ONLY_RECEIPTS, Commits, Worker, every_second
from chain.keys import Keystore
from chain.relay.fees import GWEI
from chain.relay.relay import Relay
from chain.rpc import RpcClient
from chain.sql import open_engine, reading, sessions

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
        own_chain = not settings.chain_url
        contracts, start_block = deployed(make, rpc, signers, deploys=self._deploys, own_chain=own_chain)
        self.gateway = Gateway(
            settings=settings,
            sessions=make,
            rpc=rpc,
            contracts=contracts,
            start_block=start_block,
            signers=signers,
            pools=Pools(able(rpc, contracts, signers), settings.retiring),
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
        stepping = Commits(gateway.sessions, but=ONLY_RECEIPTS).stepping
        loops = {
            "relay": relay.run,
            "anchorer": Commits(gateway.sessions).stepping(Anchorer(gateway).step, LOOK_S),
            "publicity": every_second(PublicityWorker(gateway).step),
            "claims": stepping(ClaimPresenter(gateway).step),
            "refunds": every_second(RefundWatch(gateway).step),
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

    def _make_api_keys(self, make: sessionmaker[Session]) -> None:
        """One key for each officer, at first start, in a file for the owner alone."""
        path = self._settings.data_dir / "api-keys.json"
        with reading(make) as session:
            if session.query(ApiKey).first() is not None:
                return
        with make.begin() as session:
            # Held, so that of two gateways that start together one makes them.
            session.get_one(Deployment, 1, with_for_update=True)
            if session.query(ApiKey).first() is None:
                made = {name: create_key(session, role, subject) for name, (role, subject) in OFFICERS.items()}
                # Before the commit: keys that nobody can read are worse than a file that is written again.
                write_secret(path, made)
