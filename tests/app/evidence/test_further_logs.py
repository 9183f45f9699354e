"""A second chain anchors the same submissions, each chain in its own time: the service's own is the embedded one, the
other is anvil, which is bent and stopped here."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import Session, sessionmaker

from app.deployment import Deployment
from app.evidence.logs import deploy_further, open_logs, open_store, store_url
from app.evidence.models import EvidenceStream
from app.runtime import Runtime
from app.settings import Settings
from chain.contracts import Contracts
from chain.deploy import DeployError
from chain.keys import Keystore
from chain.rpc import RpcClient
from chain.verify import verify
from scripts._anvil import Anvil
from tests.app.claims.scenario import until
from tests.app.conftest import RunningService, serving
from tests.app.organisations import new_uscc, registration
from tests.database import database_url, make  # noqa: F401 - fixtures


class Platform:
    """A platform in custody of a service."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self.uscc = new_uscc()
        service.settle("/v1/entities", "registrar", {"entities": [registration(self.uscc, "platform")]})
        self.key = service.api_key("platform", self.uscc)
        self._number = 0

    def trade(self) -> str:
        """Posts a trade; its evidence id."""
        self._number += 1
        record = {
            "trade_id": f"T{self._number}",
            "invoice_id": f"I{self._number}",
            "platform": self.uscc,
            "buyer": "maker:1",
            "supplier": "maker:2",
            "kind": "compute",
            "compute_type": "super",
            "domestic_chip": False,
            "region_id": "410100",
            "traded_at": "2024-07-01T08:00:00Z",
            "contract_signed_at": "2024-06-01T00:00:00Z",
            "contract_number": "C",
            "contract_fen": 100,
            "settled_fen": 100,
            "other_support_fen": 0,
            "buyer_paid": True,
        }
        answer = self.service.post("/v1/evidence", self.key, {"platform": self.uscc, "records": [record]})
        assert answer.is_success, answer.text
        return str(answer.json()["items"][0]["id"])

    def anchors(self, evidence_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """On the service's own chain, and on the other."""
        own, further = self.service.get(f"/v1/evidence/{evidence_id}", self.key).json()["anchors"]
        return own, further

    def wait(self, evidence_id: str, *chains: int) -> None:
        """Until these of the two chains have anchored it."""
        until(lambda: all(self.anchors(evidence_id)[one]["state"] in ("anchored", "final") for one in chains) or None)

    def bundle(self, evidence_id: str) -> bytes:
        return self.service.get(f"/v1/evidence/{evidence_id}/bundle", self.key).content


OWN, FURTHER = 0, 1


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Anvil]:
    with Anvil("--state", str(tmp_path / "anvil.json")) as anvil:
        yield anvil


@pytest.fixture
def platform(node: Anvil, tmp_path: Path) -> Iterator[Platform]:
    environment = {"DATABASE_URL": "", "CHAIN_URL": "", "ANCHOR_URLS": node.url}
    settings = Settings(data_dir=tmp_path / "data", port=0, node_port=0, batch_max_age_s=0.1, **environment)
    keys = Keystore(settings.data_dir / "keys")
    with RpcClient(node.url) as rpc:
        for name in ("admin", "relayer"):
            rpc.call("anvil_setBalance", keys.signer(name).address, hex(10**21))
    with Runtime(settings, deploys=True) as runtime:
        first = deploy_further(runtime.gateway)
        assert deploy_further(runtime.gateway) == first
        twice = Settings(data_dir=tmp_path, **{**environment, "ANCHOR_URLS": f"{node.url}, {node.url}/"})
        with pytest.raises(DeployError, match="twice"):
            deploy_further(replace(runtime.gateway, settings=twice))
    with serving(settings) as service:
        yield Platform(service)


def test_each_chain_anchors_on_its_own_through_reorganisation_and_outage(platform: Platform, node: Anvil) -> None:
    first = platform.trade()
    platform.wait(first, OWN, FURTHER)
    own_before, before = platform.anchors(first)

    # Its block is taken away: the same transaction is sent again, and the other chain does not care.
    with RpcClient(node.url) as rpc:
        gone = rpc.call("eth_getTransactionReceipt", before["tx_hash"])["blockHash"]
        rpc.call("anvil_reorg", 1, [])

        def moved() -> bool | None:
            found = rpc.call("eth_getTransactionReceipt", before["tx_hash"])
            return (found is not None and found["blockHash"] != gone) or None

        until(moved)
    platform.wait(first, FURTHER)
    assert platform.anchors(first)[OWN]["block_number"] == own_before["block_number"]

    # Its node is away: the own chain goes on, and the other follows when it is back.
    node.stop()
    second = platform.trade()
    platform.wait(second, OWN)
    assert platform.anchors(second)[FURTHER]["state"] in ("waiting", "pending")
    alone = verify(platform.bundle(second))
    assert (alone.ok, alone.further) == (True, [])
    node.start()
    platform.wait(second, FURTHER)

    # The bundle has both, and a block of each chain vouches alone.
    bundle = platform.bundle(second)
    report = verify(bundle)
    assert report.ok, report.failed
    assert [block.chain_id for block in report.further] == [31337]
    assert [part["chain_id"] for part in json.loads(bundle)["further"]] == [31337]

    # A node of each chain, told apart by the chain that it says: nothing is left to trust but what was not asked.
    own = platform.service.gateway.rpc
    with RpcClient(node.url) as other:
        for nodes, trust, further in (((own, other), 0, 0), ((other, own), 0, 0), ((own,), 0, 1), ((other,), 1, 0)):
            report = verify(bundle, *nodes)
            assert report.ok, report.failed
            assert (len(report.trust), len(report.further)) == (trust, further)


def test_a_further_log_has_a_database_of_its_own(make: sessionmaker[Session]) -> None:  # noqa: F811
    with make() as session:
        url = session.get_bind().engine.url.render_as_string(hide_password=False)
    contracts = Contracts(7, *(f"0x{number:040x}" for number in (1, 2, 3)))
    with ExitStack() as stack:
        with open_store(url, 7, stack).begin() as session:
            assert open_logs(url, stack) == ()
            session.add(Deployment(id=1, journal={}, contracts=contracts.to_dict(), start_block=3))
        (log,) = open_logs(url, stack)
        with log.sessions.begin() as session:
            session.add(EvidenceStream(platform_id=bytes(32), uscc="x", next_sequence=1))
        assert (log.contracts, log.start_block) == (contracts, 3)
        with make() as session:
            assert session.get(EvidenceStream, bytes(32)) is None
        with log.sessions() as session:
            assert inspect(session.connection()).has_table("evidence_anchors")
        (again,) = open_logs(url, stack)
        with again.sessions() as session:
            assert session.get(EvidenceStream, bytes(32)) is not None


def test_the_store_of_a_further_log_is_beside_the_gateways() -> None:
    assert store_url("sqlite:////data/gateway.sqlite", 7) == "sqlite:////data/gateway-anchor-7.sqlite"
    url = "postgresql+psycopg://u:p@h/db?host=%2Fsock"
    assert store_url(url, 7) == "postgresql+psycopg://u:p@h/db?host=%2Fsock&options=-csearch_path%3Danchor_7"
