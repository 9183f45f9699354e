"""Reorganisations, transactions that are stuck, outages, a chain where gas is free, and processes that are killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker, undefer

from chain.contracts import encode_call
from chain.enums import Funding
from chain.node.embedded import EmbeddedNode
from chain.relay import ChainTransaction, OperationStatus, Relay, TransactionStatus
from chain.rpc import RpcClient, RpcUnavailable
from scripts._anvil import Anvil, free_port
from tests.chain.faucet import FUNDED
from tests.chain.ledger_world import World
from tests.chain.relay.conftest import Desk

pytestmark = pytest.mark.slow

WORKER = """
import json, sys, threading
from chain.contracts import Contracts
from chain.keys import LocalSigner
from chain.relay import Relay
from chain.rpc import RpcClient
from chain.sql import open_engine, sessions

database, node, contracts, keys = sys.argv[1:]
signers = {name: LocalSigner(bytes.fromhex(key)) for name, key in json.loads(keys).items()}
with RpcClient(node) as rpc:
    relay = Relay(sessions(open_engine(database)), rpc, signers, Contracts.from_dict(json.loads(contracts)))
    print("ready", flush=True)
    relay.run(threading.Event())
"""


@pytest.fixture
def bent(make: sessionmaker[Session]) -> Iterator[Desk]:
    """A desk on an anvil of its own."""
    with Anvil() as anvil, RpcClient(anvil.url) as rpc:
        yield Desk(World.deployed(rpc, "bent"), make)


def _statuses(desk: Desk) -> list[str]:
    with desk.sessions() as session:
        query = select(ChainTransaction.status).order_by(ChainTransaction.nonce, ChainTransaction.id)
        return list(session.scalars(query))


def _step_until(relay: Relay, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline
        # Idle, it looks once a second.
        if not relay.step():
            time.sleep(0.02)


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_operations_whose_receipts_are_orphaned_are_mined_again(bent: Desk, restarted: bool) -> None:
    relay = bent.relay()
    ids = []
    for number in range(6):  # a block each
        ids += bent.put_many("registrar", bent.registrations([str(number)]))
        bent.finish(relay)
    bent.world.rpc.call("anvil_reorg", 4, [])
    assert bent.count("registrar") == bent.before["registrar"] + 2
    if restarted:
        relay.close()
        relay = bent.relay()
    _step_until(relay, lambda: bent.count("registrar") == bent.before["registrar"] + 6)
    bent.finish(relay)
    bent.assert_once("registrar", ids)
    for operation_id in ids:
        result = bent.get(operation_id).result
        assert result is not None
        receipt = bent.world.rpc.call("eth_getTransactionReceipt", result["tx_hash"])
        assert int(receipt["blockNumber"], 16) == result["block_number"]


def test_an_orphan_that_the_contract_would_refuse_by_now_costs_no_more_than_a_no_op(bent: Desk) -> None:
    world = bent.world
    world.register(world.registration("holder"))
    order = world.order((world.programme(Funding.FIRST_COME) << 32) + 1, "holder", 1_000)
    (one,) = bent.put_many("relayer", [encode_call("VoucherLedger", "issue", [order])], "VoucherLedger")
    relay = bent.relay()
    bent.finish(relay)
    world.rpc.call("anvil_reorg", 1, [])
    # On the new chain somebody else brings the same order first.
    world.act("operator", "VoucherLedger", "issue", order)
    _step_until(relay, lambda: bent.get(one).status == OperationStatus.REFUSED)
    assert (bent.get(one).error or {})["code"] == "VoucherLedger_VoucherIdTaken"
    assert [(row.noop, row.status) for row in bent.transactions()] == [(False, "dropped"), (True, "mined")]


def test_an_orphaned_batch_keeps_its_members_and_each_ends_anew(bent: Desk) -> None:
    world = bent.world
    world.register(world.registration("holder"))
    first = (world.programme(Funding.FIRST_COME) << 32) + 1
    numbers = [first, first + 1, first + 1, first + 2, first + 3]
    calls = [encode_call("VoucherLedger", "issue", [world.order(one, "holder", 1_000)]) for one in numbers]
    ids = bent.put_many("relayer", calls, "VoucherLedger")
    relay = bent.relay()
    bent.finish(relay)
    before = bent.carriers("relayer")
    assert list(before.values()) == [ids]
    world.rpc.call("anvil_reorg", 1, [])
    assert bent.count("relayer") == bent.before["relayer"]
    _step_until(relay, lambda: bent.count("relayer") != bent.before["relayer"])
    bent.finish(relay)
    assert bent.carriers("relayer") == before
    ended = [bent.get(one) for one in ids]
    assert [one.status for one in ended] == ["succeeded", "succeeded", "refused", "succeeded", "succeeded"]
    assert (ended[2].error or {})["code"] == "VoucherLedger_VoucherIdTaken"
    (place,) = {(one.result["tx_hash"], one.result["block_number"]) for one in ended if one.result}
    assert int(world.rpc.call("eth_getTransactionReceipt", place[0])["blockNumber"], 16) == place[1]


def test_an_operation_ends_only_with_its_confirmations(bent: Desk) -> None:
    ids = bent.put_many("registrar", bent.registrations(["one"]))
    relay = bent.relay(confirmations=3)
    _step_until(relay, lambda: _statuses(bent) == [TransactionStatus.MINED])
    assert bent.get(ids[0]).status == OperationStatus.SENT
    bent.world.rpc.call("anvil_reorg", 1, [])
    _step_until(relay, lambda: bent.count("registrar") == bent.before["registrar"] + 1)
    for _ in range(3):
        relay.step()
    assert bent.get(ids[0]).status == OperationStatus.SENT
    bent.world.rpc.call("anvil_mine", "0x2")
    bent.finish(relay)
    bent.assert_once("registrar", ids)


def test_what_is_final_is_watched_no_longer(bent: Desk) -> None:
    bent.put_many("registrar", bent.registrations(["one"]))
    relay = bent.relay(finality_depth=2)
    bent.finish(relay)
    bent.world.rpc.call("anvil_mine", "0x5")
    bent.put_many("registrar", bent.registrations(["two"]))
    bent.finish(relay)
    assert _statuses(bent) == [TransactionStatus.FINAL, TransactionStatus.MINED]


def test_fees_of_a_stuck_transaction_rise_until_it_is_mined(bent: Desk) -> None:
    rpc = bent.world.rpc
    rpc.call("evm_setAutomine", False)
    ids = bent.put_many("registrar", bent.registrations(["one", "two"]))
    relay = bent.relay(stuck_after=0.05)
    _step_until(relay, lambda: len(_statuses(bent)) == 4)
    rpc.call("evm_mine")
    bent.finish(relay)
    bent.assert_once("registrar", ids)
    with bent.sessions() as session:
        rows = session.scalars(select(ChainTransaction).order_by(ChainTransaction.nonce, ChainTransaction.id)).all()
    first = [row for row in rows if row.nonce == rows[0].nonce]
    fees = [row.max_fee_wei for row in first]
    assert all(after * 100 >= before * 110 for before, after in pairwise(fees))
    assert first[-1].status == TransactionStatus.MINED
    assert {row.status for row in first[:-1]} == {TransactionStatus.DROPPED}


def test_the_original_may_be_mined_after_its_replacement_was_sent(bent: Desk) -> None:
    rpc = bent.world.rpc
    rpc.call("evm_setAutomine", False)
    ids = bent.put_many("registrar", bent.registrations(["one"]))
    relay = bent.relay(stuck_after=0.05, max_bumps=1)
    _step_until(relay, lambda: len(_statuses(bent)) == 2)
    with bent.sessions() as session:
        rows = session.scalars(
            select(ChainTransaction).options(undefer(ChainTransaction.raw)).order_by(ChainTransaction.id)
        ).all()
    rpc.call("anvil_dropTransaction", "0x" + rows[1].hash.hex())
    rpc.call("eth_sendRawTransaction", "0x" + rows[0].raw.hex())
    rpc.call("evm_mine")
    bent.finish(relay)
    bent.assert_once("registrar", ids)
    assert _statuses(bent) == [TransactionStatus.MINED, TransactionStatus.DROPPED]
    result = bent.get(ids[0]).result
    assert result is not None
    assert result["tx_hash"] == "0x" + rows[0].hash.hex()


def test_no_money_is_needed_where_gas_is_free(make: sessionmaker[Session]) -> None:
    with (
        Anvil("--base-fee", "0", "--gas-price", "0", "--disable-min-priority-fee") as anvil,
        RpcClient(anvil.url) as rpc,
    ):
        world = World.deployed(rpc, "free")
        rpc.call("anvil_setBalance", world.signers["registrar"].address, "0x0")
        rpc.call("anvil_setNextBlockBaseFeePerGas", "0x0")
        desk = Desk(world, make)
        ids = desk.put_many("registrar", desk.registrations(["one", "two"]))
        desk.finish(desk.relay())
        desk.assert_once("registrar", ids)


def test_an_outage_of_the_node_under_load_is_drained_afterwards(make: sessionmaker[Session], tmp_path: Path) -> None:
    port = free_port()
    node = EmbeddedNode(tmp_path, funded=FUNDED, port=port)
    node.start()
    with RpcClient(node.url) as rpc:
        world = World.deployed(rpc, "outage")
        desk = Desk(world, make)
        relay = desk.relay()
        ids = desk.put_many("registrar", desk.registrations([str(number) for number in range(10)]))
        relay.step()
        node.stop()
        with pytest.raises(RpcUnavailable):
            relay.step()
        ids += desk.put_many("registrar", desk.registrations([str(number) for number in range(10, 20)]))
        with pytest.raises(RpcUnavailable):
            relay.step()
        node = EmbeddedNode(tmp_path, funded=FUNDED, port=port)
        node.start()
        desk.finish(relay)
        desk.assert_once("registrar", ids)
        node.stop()


def test_kill_9_at_any_moment_loses_nothing_and_does_nothing_twice(
    bent: Desk, database_url: str, tmp_path: Path
) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(WORKER)
    world = bent.world
    keys = {name: signer._key.secret.hex() for name, signer in world.signers.items()}
    url = world.rpc._url
    ids: list[str] = []
    moments = random.Random(5)
    # Two relays share the database: when one is killed, the other takes its keys.
    processes = [_start(worker, database_url, url, world, keys) for _ in range(2)]
    for round_number in range(4):
        ids += bent.put_many("registrar", bent.registrations([f"{round_number}/{n}" for n in range(25)]))
        time.sleep(moments.uniform(0.02, 0.25))
        killed = moments.randrange(2)
        processes[killed].send_signal(signal.SIGKILL)
        processes[killed].wait()
        processes[killed] = _start(worker, database_url, url, world, keys)
    deadline = time.monotonic() + 240
    while bent.unfinished():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for process in processes:
        process.kill()
        process.wait()
    bent.assert_once("registrar", ids)


def _start(worker: Path, database_url: str, url: str, world: World, keys: dict[str, str]) -> "subprocess.Popen[bytes]":
    arguments = [database_url, url, json.dumps(world.contracts.to_dict()), json.dumps(keys)]
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(
        [sys.executable, str(worker), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    return process
