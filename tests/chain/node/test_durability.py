"""What the embedded node keeps over a stop, and over kill -9."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from chain.node import DataFolderError
from chain.node.embedded import EmbeddedNode
from chain.node.machine import Machine
from chain.node.store import ChainStore
from chain.rpc import RpcClient, RpcUnavailable

from . import shelf
from .conftest import FAUCET, FUNDED, funded_wallet, wait_until

ROOT = Path(__file__).resolve().parents[3]
NODE_PROGRAM = """
import sys, time
from chain.node.embedded import EmbeddedNode
with EmbeddedNode(sys.argv[1], funded={sys.argv[2]: 10**24}) as node:
    print(node.url, flush=True)
    time.sleep(600)
"""


class NodeProcess:
    """The node in a process of its own, so that it can be killed."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", NODE_PROGRAM, str(folder), FAUCET.address],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


def test_restart_keeps_head_balances_logs_and_receipts(tmp_path: Path) -> None:
    with EmbeddedNode(tmp_path, funded=FUNDED) as node, RpcClient(node.url, timeout=60) as rpc:
        wallet = funded_wallet(rpc)
        contract = wallet.deploy_shelf()
        receipt = wallet.mine(to=contract, data=shelf.put(1, 2), gas=100_000)
        questions = [
            ("eth_chainId", []),
            ("eth_getBlockByNumber", ["latest", True]),
            ("eth_getBlockByNumber", ["earliest", True]),
            ("eth_getBalance", [wallet.address, "latest"]),
            ("eth_getTransactionCount", [wallet.address, "pending"]),
            ("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest"}]),
            ("eth_getTransactionReceipt", [receipt["transactionHash"]]),
            ("eth_getCode", [contract, "latest"]),
            ("eth_call", [{"to": contract, "data": "0x" + shelf.get(1).hex()}, "latest"]),
        ]
        before = rpc.batch(questions)
    with node, RpcClient(node.url, timeout=60) as rpc:
        assert rpc.batch(questions) == before
        wallet.rpc = rpc
        assert wallet.mine(to=contract, data=shelf.put(1, 3), gas=100_000)["status"] == "0x1"


def test_queued_transactions_outlive_a_restart(tmp_path: Path) -> None:
    with EmbeddedNode(tmp_path, funded=FUNDED) as node, RpcClient(node.url, timeout=60) as rpc:
        wallet = funded_wallet(rpc)
        queued = wallet.send(nonce=1, to=wallet.address)
    with node, RpcClient(node.url, timeout=60) as rpc:
        wallet.rpc = rpc
        assert rpc.call("eth_getTransactionByHash", queued)["blockNumber"] is None
        wallet.send(nonce=0, to=wallet.address)
        assert wallet.receipt(queued)["status"] == "0x1"


def test_journal_cut_short_by_a_crash_keeps_what_is_whole(tmp_path: Path) -> None:
    with EmbeddedNode(tmp_path, funded=FUNDED) as node, RpcClient(node.url, timeout=60) as rpc:
        wallet = funded_wallet(rpc)
        queued = [wallet.send(nonce=nonce, to=wallet.address) for nonce in (1, 2)]
    journal = tmp_path / "pending"
    journal.write_bytes(journal.read_bytes()[:-7])
    with node, RpcClient(node.url, timeout=60) as rpc:
        assert rpc.call("eth_getTransactionByHash", queued[0]) is not None
        assert rpc.call("eth_getTransactionByHash", queued[1]) is None


def send_all(url: str, raws: list[str]) -> None:
    with RpcClient(url, timeout=60) as rpc, suppress(RpcUnavailable):  # the kill
        for raw in raws:
            rpc.call("eth_sendRawTransaction", raw)


def collect_receipts(url: str, first: int, receipts: dict[str, object]) -> None:
    """Keeps the receipts of each block from the first on, as soon as it is there."""
    with RpcClient(url, timeout=60) as rpc, suppress(RpcUnavailable):
        for number in count(first):
            while (found := rpc.call("eth_getBlockReceipts", hex(number))) is None:
                time.sleep(0.001)
            receipts.update((receipt["transactionHash"], receipt) for receipt in found)


def assert_blocks_are_whole_and_linked(rpc: RpcClient) -> None:
    parent = None
    for number in range(int(rpc.call("eth_blockNumber"), 16) + 1):
        block = rpc.call("eth_getBlockByNumber", hex(number), False)
        receipts = rpc.call("eth_getBlockReceipts", hex(number))
        assert [receipt["transactionHash"] for receipt in receipts] == block["transactions"]
        assert parent in {None, block["parentHash"]}
        parent = block["hash"]


def test_journal_stays_small_while_one_transaction_waits(tmp_path: Path) -> None:
    with EmbeddedNode(tmp_path, funded=FUNDED) as node, RpcClient(node.url, timeout=60) as rpc:
        wallet, waiting = funded_wallet(rpc), funded_wallet(rpc)
        queued = waiting.send(nonce=1, to=waiting.address)
        for start in range(0, 1_500, 500):
            raws = [wallet.sign(nonce=start + n, to=wallet.address) for n in range(500)]
            rpc.batch([("eth_sendRawTransaction", [raw]) for raw in raws])
        wait_until(lambda: wallet.nonce("latest") == 1_500 or None)
        wallet.mine(to=wallet.address)  # the block after which the journal is sure to have been looked at
        assert (tmp_path / "pending").stat().st_size < 1_200 * 130
    with node, RpcClient(node.url, timeout=60) as rpc:
        assert rpc.call("eth_getTransactionByHash", queued) is not None


def test_full_disk_writes_no_block_and_is_got_over(tmp_path: Path) -> None:
    store = ChainStore(tmp_path / "chain.sqlite")
    machine = Machine(store, chain_id=1, funded={}, clock=lambda: 1)
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")

    def mine_until_full() -> None:
        while True:
            machine.mine([])

    with pytest.raises(sqlite3.OperationalError, match="full"):
        mine_until_full()
    head = machine.head
    assert store.head_header() == head.encoded
    store._writer.execute(f"PRAGMA max_page_count = {pages + 1_000}")
    machine.mine([])
    assert machine.head.parent_hash == head.hash
    store.close()


@pytest.mark.parametrize("receipts_before_the_kill", [1, 40, 150])
def test_kill_in_the_middle_of_mining_leaves_whole_blocks(tmp_path: Path, receipts_before_the_kill: int) -> None:
    node = NodeProcess(tmp_path)
    acknowledged: dict[str, object] = {}
    with RpcClient(node.url, timeout=60) as rpc:
        wallet = funded_wallet(rpc)
        contract = wallet.deploy_shelf()
        # Nonce 0 was the deployment: the transaction with nonce n puts n at key n.
        raws = [wallet.sign(nonce=n, to=contract, data=shelf.put(n, n), gas=100_000) for n in range(1, 601)]
        first = int(rpc.call("eth_blockNumber"), 16) + 1
    with ThreadPoolExecutor(2) as threads:
        threads.submit(send_all, node.url, raws)
        watching = threads.submit(collect_receipts, node.url, first, acknowledged)
        try:
            wait_until(lambda: len(acknowledged) >= receipts_before_the_kill or None)
        finally:
            node.kill()
        watching.result()

    again = NodeProcess(tmp_path)
    try:
        with RpcClient(again.url, timeout=60) as rpc:
            wallet.rpc = rpc
            for tx_hash, receipt in acknowledged.items():
                assert rpc.call("eth_getTransactionReceipt", tx_hash) == receipt
            assert_blocks_are_whole_and_linked(rpc)
            # What was journalled is mined now, what was not sent can be, and no nonce is missing.
            wait_until(lambda: wallet.nonce("latest") == wallet.nonce() or None)
            for raw in raws[wallet.nonce() - 1 :]:
                rpc.call("eth_sendRawTransaction", raw)
            wait_until(lambda: wallet.nonce("latest") == 601 or None)
            for key in range(1, 601, 50):
                value = rpc.call("eth_call", {"to": contract, "data": "0x" + shelf.get(key).hex()}, "latest")
                assert int(value, 16) == key
    finally:
        again.kill()


def test_second_node_on_a_folder_is_refused(tmp_path: Path) -> None:
    with EmbeddedNode(tmp_path), pytest.raises(DataFolderError, match=f"in use by another node .process {os.getpid()}"):
        EmbeddedNode(tmp_path).start()
    with EmbeddedNode(tmp_path):
        pass


def test_folder_of_a_killed_node_is_free(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path)
    with pytest.raises(DataFolderError, match=f"process {node.process.pid}"):
        EmbeddedNode(tmp_path).start()
    node.kill()
    with EmbeddedNode(tmp_path):
        pass


def test_folder_of_another_chain_is_refused(tmp_path: Path) -> None:
    with EmbeddedNode(tmp_path, chain_id=5):
        pass
    with pytest.raises(DataFolderError, match="holds chain 5, not chain 6"):
        EmbeddedNode(tmp_path, chain_id=6).start()
    with EmbeddedNode(tmp_path, chain_id=5):
        pass


def test_reads_stay_consistent_while_blocks_are_mined(tmp_path: Path) -> None:
    with EmbeddedNode(tmp_path, funded=FUNDED) as node, RpcClient(node.url, timeout=60) as rpc:
        wallet = funded_wallet(rpc)
        contract = wallet.deploy_shelf()
        raws = [wallet.sign(nonce=1 + n, to=contract, data=shelf.put(1, n + 1), gas=100_000) for n in range(200)]
        done, begun = threading.Event(), threading.Barrier(5)

        def read() -> int:
            seen: set[str] = set()
            last = False
            with RpcClient(node.url, timeout=60) as reader:
                # Once before the first block and once after the last one, at least.
                while not last:
                    last = done.is_set()
                    block = reader.call("eth_getBlockByNumber", "latest", False)
                    at = {"blockHash": block["hash"]}
                    call = {"to": contract, "data": "0x" + shelf.get(1).hex()}
                    value, nonce = reader.batch(
                        [("eth_call", [call, at]), ("eth_getTransactionCount", [wallet.address, at])]
                    )
                    # put(1, n) has nonce n: two reads of one block never disagree.
                    assert int(value, 16) == int(nonce, 16) - 1
                    if not seen:
                        begun.wait(120)
                    seen.add(block["hash"])
            return len(seen)

        with ThreadPoolExecutor(4) as threads:
            readers = [threads.submit(read) for _ in range(4)]
            try:
                begun.wait(120)
                for raw in raws:
                    rpc.call("eth_sendRawTransaction", raw)
                wait_until(lambda: wallet.nonce("latest") == 201 or None)
            finally:
                done.set()
            assert all(reader.result() > 1 for reader in readers)
