"""What every node must do alike: the same tests on the embedded node and on anvil."""

import subprocess
from typing import Any

import pytest
import rlp
from eth_utils import keccak
from trie import HexaryTrie
from web3 import Web3

from chain.rpc import RpcClient, RpcError
from scripts._anvil import program

from . import shelf
from .conftest import ETHER, GWEI, Wallet, wait_until

HEADER_FIELDS = [
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
    "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot",
    "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot",
]  # fmt: skip
QUANTITIES = {
    "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas",
}  # fmt: skip


def to_bytes(value: str) -> bytes:
    return bytes.fromhex(value[2:])


def quantity(value: str) -> bytes:
    number = int(value, 16)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def header_hash(block: dict[str, Any]) -> str:
    values = [quantity(block[name]) if name in QUANTITIES else to_bytes(block[name]) for name in HEADER_FIELDS]
    return "0x" + keccak(rlp.encode(values)).hex()


def trie_root(items: list[bytes]) -> str:
    trie = HexaryTrie({})
    for index, item in enumerate(items):
        trie[rlp.encode(index)] = item
    return "0x" + trie.root_hash.hex()


def encoded_receipt(receipt: dict[str, Any]) -> bytes:
    logs = [
        [to_bytes(log["address"]), [*map(to_bytes, log["topics"])], to_bytes(log["data"])] for log in receipt["logs"]
    ]
    payload = rlp.encode(
        [quantity(receipt["status"]), quantity(receipt["cumulativeGasUsed"]), to_bytes(receipt["logsBloom"]), logs]
    )
    return quantity(receipt["type"]) + payload


def block_of(rpc: RpcClient, receipt: dict[str, Any], full: bool = False) -> Any:
    return rpc.call("eth_getBlockByHash", receipt["blockHash"], full)


def test_a_client_recomputes_block_hashes_from_their_fields(rpc: RpcClient, wallet: Wallet) -> None:
    contract = wallet.deploy_shelf()
    block = block_of(rpc, wallet.mine(to=contract, data=shelf.put(1, 2), gas=100_000))
    assert header_hash(block) == block["hash"]
    parent = rpc.call("eth_getBlockByNumber", hex(int(block["number"], 16) - 1), False)
    assert block["parentHash"] == parent["hash"] == header_hash(parent)


def test_receipts_rebuild_the_receipts_root(rpc: RpcClient, wallet: Wallet) -> None:
    contract = wallet.deploy_shelf()
    first = wallet.nonce()
    wallet.send(nonce=first + 1, to=contract, data=shelf.put_many(7, 3), gas=200_000)
    wallet.send(nonce=first + 2, to=contract, data=shelf.put(0, 1), gas=200_000)  # reverts
    wallet.send(nonce=first + 3, to=contract, data=shelf.put(5, 6), gas=200_000, gasPrice=5 * GWEI)  # legacy
    wallet.send(nonce=first + 4, to=contract, data=shelf.put(8, 6), gas=200_000, gasPrice=5 * GWEI, accessList=[])
    wallet.send(nonce=first, to=wallet.address)
    last = wallet.receipt("0x" + keccak(to_bytes(wallet.sign(nonce=first, to=wallet.address))).hex())
    wait_until(lambda: wallet.nonce("latest") == first + 5 or None)
    for number in range(int(last["blockNumber"], 16), int(rpc.call("eth_blockNumber"), 16) + 1):
        block = rpc.call("eth_getBlockByNumber", hex(number), False)
        receipts = rpc.call("eth_getBlockReceipts", hex(number))
        assert [receipt["transactionHash"] for receipt in receipts] == block["transactions"]
        assert trie_root([encoded_receipt(receipt) for receipt in receipts]) == block["receiptsRoot"]
        assert rpc.call("eth_getBlockReceipts", block["hash"]) == receipts
        assert receipts == [rpc.call("eth_getTransactionReceipt", one) for one in block["transactions"]]
        assert int(block["gasUsed"], 16) == sum(int(receipt["gasUsed"], 16) for receipt in receipts)


def test_failed_transaction_is_mined_with_status_zero_and_no_logs(wallet: Wallet) -> None:
    receipt = wallet.mine(to=wallet.deploy_shelf(), data=shelf.put(0, 1), gas=200_000)
    assert (receipt["status"], receipt["logs"]) == ("0x0", [])


def test_fifty_pending_transactions_of_one_sender_are_mined_in_nonce_order(rpc: RpcClient, wallet: Wallet) -> None:
    contract = wallet.deploy_shelf()
    first = wallet.nonce()
    raws = [wallet.sign(nonce=first + n, to=contract, data=shelf.put(1, n), gas=100_000) for n in range(50)]
    hashes = rpc.batch([("eth_sendRawTransaction", [raw]) for raw in raws])
    places = [
        (int(receipt["blockNumber"], 16), int(receipt["transactionIndex"], 16))
        for receipt in map(wallet.receipt, hashes)
    ]
    assert places == sorted(places)
    assert int(rpc.call("eth_call", {"to": contract, "data": "0x" + shelf.get(1).hex()}, "latest"), 16) == 49


def test_transaction_after_a_gap_waits_until_the_gap_is_filled(rpc: RpcClient, wallet: Wallet) -> None:
    first = wallet.nonce()
    queued = wallet.send(nonce=first + 1, to=wallet.address)
    assert wallet.nonce("pending") == first
    waiting = rpc.call("eth_getTransactionByHash", queued)
    assert (waiting["hash"], waiting["blockNumber"]) == (queued, None)
    assert rpc.call("eth_getTransactionReceipt", queued) is None
    wallet.send(nonce=first, to=wallet.address)
    assert wallet.receipt(queued)["status"] == "0x1"
    assert wallet.nonce("latest") == first + 2


def test_replacement_needs_higher_fees(rpc: RpcClient, wallet: Wallet) -> None:
    first = wallet.nonce()
    original = wallet.send(nonce=first + 1, to=wallet.address, maxFeePerGas=10 * GWEI, maxPriorityFeePerGas=2 * GWEI)
    with pytest.raises(RpcError, match="replacement transaction underpriced"):
        wallet.send(nonce=first + 1, to=wallet.address, value=1, maxFeePerGas=10 * GWEI, maxPriorityFeePerGas=2 * GWEI)
    replacement = wallet.send(
        nonce=first + 1, to=wallet.address, value=1, maxFeePerGas=11 * GWEI, maxPriorityFeePerGas=22 * GWEI // 10
    )
    wallet.send(nonce=first, to=wallet.address)
    assert wallet.receipt(replacement)["status"] == "0x1"
    assert rpc.call("eth_getTransactionReceipt", original) is None


def test_used_nonce_is_too_low(rpc: RpcClient, wallet: Wallet) -> None:
    nonce = wallet.nonce()
    wallet.mine(nonce=nonce, to=wallet.address)
    with pytest.raises(RpcError, match="nonce too low"):
        wallet.send(nonce=nonce, to=wallet.address, value=1)


def test_sender_without_money_is_refused(rpc: RpcClient, wallet: Wallet) -> None:
    with pytest.raises(RpcError, match=r"(?i)insufficient funds"):
        wallet.send(to=wallet.address, value=1_000 * ETHER)


@pytest.fixture
def logged(rpc: RpcClient, wallet: Wallet) -> tuple[str, list[Any]]:
    """A contract with four logs, in blocks of their own, of the keys 1, 2, 2 and 3; and the receipts."""
    contract = wallet.deploy_shelf()
    return contract, [wallet.mine(to=contract, data=shelf.put(key, 9), gas=100_000) for key in (1, 2, 2, 3)]


def topic(number: int) -> str:
    return f"0x{number:064x}"


PUT = "0x" + shelf.PUT_TOPIC.hex()


@pytest.mark.parametrize(
    ("topics", "keys"),
    [
        ([], [1, 2, 2, 3]),
        ([PUT], [1, 2, 2, 3]),
        ([None, topic(2)], [2, 2]),
        ([PUT, [topic(1), topic(3)]], [1, 3]),
        ([[PUT, topic(1)], None], [1, 2, 2, 3]),
        ([topic(1)], []),
        ([PUT, topic(4)], []),
    ],
)
def test_logs_are_found_by_topics(
    rpc: RpcClient, logged: tuple[str, list[Any]], topics: list[Any], keys: list[int]
) -> None:
    contract, receipts = logged
    wanted = {"fromBlock": receipts[0]["blockNumber"], "toBlock": "latest", "address": contract, "topics": topics}
    found = rpc.call("eth_getLogs", wanted)
    assert [int(log["topics"][1], 16) for log in found] == keys
    assert all(log in [one for receipt in receipts for one in receipt["logs"]] for log in found)


def test_logs_are_found_by_range_and_by_block_hash(rpc: RpcClient, logged: tuple[str, list[Any]]) -> None:
    contract, receipts = logged
    middle = {"fromBlock": receipts[1]["blockNumber"], "toBlock": receipts[2]["blockNumber"]}
    expected = receipts[1]["logs"] + receipts[2]["logs"]
    assert rpc.call("eth_getLogs", middle) == expected
    assert rpc.call("eth_getLogs", {**middle, "address": [contract, "0x" + "11" * 20]}) == expected
    assert rpc.call("eth_getLogs", {**middle, "address": "0x" + "11" * 20}) == []
    assert rpc.call("eth_getLogs", {"blockHash": receipts[3]["blockHash"]}) == receipts[3]["logs"]


def test_filters_report_each_log_once(rpc: RpcClient, wallet: Wallet) -> None:
    contract = wallet.deploy_shelf()
    logs = rpc.call("eth_newFilter", {"address": contract, "topics": [None, topic(2)]})
    blocks = rpc.call("eth_newBlockFilter")
    wallet.mine(to=contract, data=shelf.put(1, 9), gas=100_000)
    receipt = wallet.mine(to=contract, data=shelf.put(2, 9), gas=100_000)
    assert wait_until(lambda: rpc.call("eth_getFilterChanges", logs) or None) == receipt["logs"]
    assert rpc.call("eth_getFilterChanges", logs) == []
    wait_until(lambda: receipt["blockHash"] in rpc.call("eth_getFilterChanges", blocks) or None)
    assert rpc.call("eth_uninstallFilter", logs) is True
    assert rpc.call("eth_uninstallFilter", logs) is False


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_revert_carries_its_data(rpc: RpcClient, wallet: Wallet, method: str) -> None:
    request = {"from": wallet.address, "to": wallet.deploy_shelf(), "data": "0x" + shelf.put(0, 1).hex()}
    with pytest.raises(RpcError, match="execution reverted: zero key") as refusal:
        rpc.call(method, request, "latest")
    assert (refusal.value.code, refusal.value.data) == (3, "0x" + shelf.ZERO_KEY_REVERT.hex())


def test_past_state_stays_readable(rpc: RpcClient, wallet: Wallet) -> None:
    contract = wallet.deploy_shelf()
    receipts = [wallet.mine(to=contract, data=shelf.put(1, value), gas=100_000) for value in (5, 6)]
    request = {"to": contract, "data": "0x" + shelf.get(1).hex()}
    assert [int(rpc.call("eth_call", request, receipt["blockNumber"]), 16) for receipt in receipts] == [5, 6]
    at = {"blockHash": receipts[0]["blockHash"]}
    assert int(rpc.call("eth_call", request, at), 16) == 5
    assert int(rpc.call("eth_getStorageAt", contract, "0x1", at), 16) == 5
    assert int(rpc.call("eth_getStorageAt", contract, topic(1), "latest"), 16) == 6
    before = hex(int(receipts[0]["blockNumber"], 16) - 1)
    assert int(rpc.call("eth_call", request, before), 16) == 0


@pytest.mark.parametrize(
    "payload", [shelf.put(3, 4), shelf.put_inside(3, 4), shelf.put_many(3, 20)], ids=["plain", "inner call", "loop"]
)
def test_estimated_gas_is_enough_and_not_wasteful(rpc: RpcClient, wallet: Wallet, payload: bytes) -> None:
    contract = wallet.deploy_shelf()
    request = {"from": wallet.address, "to": contract, "data": "0x" + payload.hex()}
    estimate = int(rpc.call("eth_estimateGas", request), 16)
    receipt = wallet.mine(to=contract, data=payload, gas=estimate)
    assert receipt["status"] == "0x1"
    assert estimate <= int(receipt["gasUsed"], 16) * 1.05


def test_estimate_of_a_deployment_and_of_a_transfer(rpc: RpcClient, wallet: Wallet) -> None:
    assert rpc.call("eth_estimateGas", {"from": wallet.address, "to": wallet.address, "value": "0x1"}) == hex(21_000)
    estimate = rpc.call("eth_estimateGas", {"from": wallet.address, "data": "0x" + shelf.INITCODE.hex()})
    assert wallet.mine(data=shelf.INITCODE, gas=int(estimate, 16))["status"] == "0x1"


def test_value_moves_and_fees_are_paid(rpc: RpcClient, wallet: Wallet) -> None:
    stranger = "0x" + "5e" * 19 + f"{wallet.account.key[0]:02x}"
    before = int(rpc.call("eth_getBalance", wallet.address, "latest"), 16)
    already = int(rpc.call("eth_getBalance", stranger, "latest"), 16)
    receipt = wallet.mine(to=stranger, value=ETHER)
    fee = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert int(rpc.call("eth_getBalance", stranger, "latest"), 16) == already + ETHER
    assert int(rpc.call("eth_getBalance", wallet.address, "latest"), 16) == before - ETHER - fee


def test_transaction_looks_the_same_from_every_side(rpc: RpcClient, wallet: Wallet) -> None:
    receipt = wallet.mine(to=wallet.address, value=1)
    by_hash = rpc.call("eth_getTransactionByHash", receipt["transactionHash"])
    place = receipt["transactionIndex"]
    assert by_hash == rpc.call("eth_getTransactionByBlockHashAndIndex", receipt["blockHash"], place)
    assert by_hash == rpc.call("eth_getTransactionByBlockNumberAndIndex", receipt["blockNumber"], place)
    assert by_hash == block_of(rpc, receipt, full=True)["transactions"][int(place, 16)]
    assert by_hash["from"] == wallet.address.lower()
    count = rpc.call("eth_getBlockTransactionCountByHash", receipt["blockHash"])
    assert count == hex(len(block_of(rpc, receipt)["transactions"]))
    assert count == rpc.call("eth_getBlockTransactionCountByNumber", receipt["blockNumber"])


def test_what_does_not_exist_is_null(rpc: RpcClient) -> None:
    nothing = "0x" + "ab" * 32
    far = hex(10**9)
    for method, *params in [
        ("eth_getTransactionByHash", nothing),
        ("eth_getTransactionReceipt", nothing),
        ("eth_getBlockByHash", nothing, False),
        ("eth_getBlockByNumber", far, True),
        ("eth_getTransactionByBlockHashAndIndex", nothing, "0x0"),
        ("eth_getTransactionByBlockNumberAndIndex", "0x0", "0x5"),
    ]:
        assert rpc.call(method, *params) is None, method


def test_batch_answers_each_request_for_itself(rpc: RpcClient) -> None:
    chain_id, error, number = rpc.batch([("eth_chainId", []), ("eth_noSuchMethod", []), ("eth_blockNumber", [])])
    assert int(chain_id, 16) > 0
    assert int(number, 16) >= 0
    assert isinstance(error, RpcError)
    assert error.code == -32601


def test_fee_history_covers_the_blocks_asked_for(rpc: RpcClient, wallet: Wallet) -> None:
    receipt = wallet.mine(to=wallet.address, maxFeePerGas=10 * GWEI, maxPriorityFeePerGas=3 * GWEI)
    history = rpc.call("eth_feeHistory", "0x1", receipt["blockNumber"], [50])
    assert history["oldestBlock"] == receipt["blockNumber"]
    assert len(history["baseFeePerGas"]) == 2
    assert history["reward"] == [[hex(3 * GWEI)]]


def test_web3_sends_waits_calls_and_reads_events(url: str, wallet: Wallet) -> None:
    web3 = Web3(Web3.HTTPProvider(url))
    shelf_type = web3.eth.contract(abi=shelf.ABI, bytecode=shelf.INITCODE)

    def send(transaction: Any) -> Any:
        signed = wallet.account.sign_transaction(
            {**transaction, "nonce": web3.eth.get_transaction_count(wallet.account.address, "pending")}
        )
        tx_hash = web3.eth.send_raw_transaction(signed.raw_transaction)
        wallet.receipt(tx_hash.to_0x_hex())
        return web3.eth.wait_for_transaction_receipt(tx_hash)

    # build_transaction fills gas and the fee fields from the node, as a user of web3.py would have it.
    origin = {"from": wallet.account.address}
    contract = web3.eth.contract(
        address=send(shelf_type.constructor().build_transaction(origin))["contractAddress"], abi=shelf.ABI
    )
    receipt = send(contract.functions.put(11, 22).build_transaction(origin))
    assert contract.functions.get(11).call() == 22
    assert contract.events.Put().process_receipt(receipt)[0]["args"] == {"key": 11, "value": 22}
    found = contract.events.Put().get_logs(from_block=receipt["blockNumber"], argument_filters={"key": 11})
    assert [log["args"]["value"] for log in found] == [22]
    assert contract.events.Put().get_logs(block_hash=receipt["blockHash"]) == found


def test_cast_sends_and_reads(url: str, wallet: Wallet) -> None:
    cast = program("cast")
    contract = wallet.deploy_shelf()
    key = ["--private-key", "0x" + wallet.account.key.hex()]

    def run(*command: str) -> str:
        return subprocess.run(
            [cast, *command, "--rpc-url", url], check=True, capture_output=True, text=True, timeout=300
        ).stdout.strip()

    run("send", *key, contract, "put(uint256,uint256)", "21", "42")
    assert run("call", contract, "get(uint256)(uint256)", "21") == "42"
    assert shelf.PUT_TOPIC.hex() in run("logs", "--from-block", "0", "--address", contract, PUT)
    assert run("nonce", wallet.address) == "2"
    assert int(run("block-number")) > 0
