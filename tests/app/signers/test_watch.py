"""Balances and gas are watched: a key that runs dry is told once, however many gateways look."""

import json
import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner

from app.commands.signers import cli
from app.events.models import Event
from app.settings import Settings
from app.signers.report import SignerView, report
from app.signers.watch import SignerWatch
from chain.keys import LocalSigner
from chain.relay import ChainTransaction, TransactionStatus, enqueue
from chain.rpc import RpcClient
from scripts._anvil import Anvil
from tests.chain.conftest import node_rpc, node_url
from tests.chain.faucet import ETHER, FAUCET, funded_signer, send
from tests.database import database_url, make

__all__ = ["database_url", "make", "node_rpc", "node_url"]
POOR = LocalSigner(b"\x05" * 32)


def watch(make: sessionmaker[Session], rpc: RpcClient, **signers: LocalSigner) -> None:
    """One look of a gateway of its own."""
    SignerWatch(make, rpc, signers, Settings()).step()


def told(make: sessionmaker[Session]) -> list[tuple[str, str]]:
    with make() as session:
        return [(one.type, one.data["name"]) for one in session.scalars(select(Event).order_by(Event.id))]


def views(make: sessionmaker[Session]) -> dict[str, SignerView]:
    with make() as session:
        return {one.name: one for one in report(session)}


def test_a_key_that_runs_dry_is_told_once_and_its_recovery_too(
    make: sessionmaker[Session], node_rpc: RpcClient, database_url: str, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.WARNING)
    rich = funded_signer(node_rpc, "rich")
    poor = LocalSigner(FAUCET.sign_payload(database_url.encode())[:32])
    receipt = send(node_rpc, rich, to=rich.address, value=1, gas=21_000)
    with make.begin() as session:
        operation = enqueue(session, kind="test", signer="rich", to=bytes(20), data=b"")
        session.flush()
        carried = {"operation_id": operation.id} if hasattr(ChainTransaction, "operation_id") else {}
        session.add(
            ChainTransaction(
                signer=bytes.fromhex(rich.address[2:]),
                nonce=0,
                hash=bytes.fromhex(receipt["transactionHash"][2:]),
                raw=b"",
                gas_limit=21_000,
                max_fee_wei=1,
                status=TransactionStatus.MINED,
                waiting_since=operation.created_at,
                **carried,
            )
        )
    for _ in range(2):
        watch(make, node_rpc, rich=rich, poor=poor)
    assert told(make) == [("signer.balance_low", "poor")]
    assert f"the key poor ({poor.address.lower()}) has 0 wei left" in caplog.text

    seen = views(make)
    fee_wei = 21_000 * int(receipt["effectiveGasPrice"], 16)
    assert seen["rich"].spent_24h_wei == seen["rich"].spent_30d_wei == str(fee_wei)
    assert seen["rich"].transactions_30d == 1
    assert seen["rich"].queued == 1
    assert seen["rich"].days_left == pytest.approx(int(seen["rich"].balance_wei) * 30 / fee_wei, abs=0.1)
    assert (seen["poor"].low, seen["poor"].needs_balance, seen["poor"].days_left) == (True, True, None)

    monkeypatch.setenv("DATABASE_URL", database_url)
    shown = CliRunner().invoke(cli, ["--json"])
    assert shown.exit_code == 1
    assert [one["low"] for one in json.loads(shown.stdout)] == [True, False]

    send(node_rpc, FAUCET, to=poor.address, value=10 * ETHER, gas=21_000)
    for _ in range(2):
        watch(make, node_rpc, rich=rich, poor=poor)
    assert told(make)[1:] == [("signer.balance_recovered", "poor")]
    assert CliRunner().invoke(cli, []).exit_code == 0


@pytest.fixture(scope="module")
def free_rpc() -> Iterator[RpcClient]:
    with (
        Anvil("--base-fee", "0", "--gas-price", "0", "--disable-min-priority-fee") as anvil,
        RpcClient(anvil.url) as rpc,
    ):
        yield rpc


def test_where_gas_is_free_no_balance_is_needed(make: sessionmaker[Session], free_rpc: RpcClient) -> None:
    watch(make, free_rpc, poor=POOR)
    assert told(make) == []
    (seen,) = views(make).values()
    assert (seen.balance_wei, seen.low, seen.needs_balance) == ("0", False, False)
    assert seen.note == "gas is free on this chain: no balance is needed"


def test_an_outage_of_the_node_is_waited_out(make: sessionmaker[Session]) -> None:
    with RpcClient("http://127.0.0.1:9") as gone:
        assert SignerWatch(make, gone, {"poor": POOR}, Settings()).step() is False
    assert told(make) == []
