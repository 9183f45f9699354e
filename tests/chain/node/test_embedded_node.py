"""What the embedded node promises beyond any node: geth's wording and rules, a wall clock, and limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account
from eth_utils import keccak

from chain.node.embedded import EmbeddedNode
from chain.node.methods import MAX_LOGS
from chain.rpc import RpcClient, RpcError

from . import shelf
from .assembler import assemble, initcode
from .conftest import ETHER, FUNDED, GWEI, Wallet, funded_wallet, wait_until


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedNode(tmp_path_factory.mktemp("chain"), funded=FUNDED) as node:
        yield node.url


def test_replacement_must_raise_both_fees_by_a_tenth(rpc: RpcClient, wallet: Wallet) -> None:
    nonce = wallet.nonce() + 1
    wallet.send(nonce=nonce, to=wallet.address, maxFeePerGas=10 * GWEI, maxPriorityFeePerGas=2 * GWEI)
    for fee, tip in [(11 * GWEI - 1, 3 * GWEI), (20 * GWEI, 22 * GWEI // 10 - 1), (20 * GWEI, 2 * GWEI)]:
        with pytest.raises(RpcError, match="replacement transaction underpriced"):
            wallet.send(nonce=nonce, to=wallet.address, maxFeePerGas=fee, maxPriorityFeePerGas=tip)
    wallet.send(nonce=nonce, to=wallet.address, maxFeePerGas=11 * GWEI, maxPriorityFeePerGas=22 * GWEI // 10)


def test_resent_pending_transaction_is_already_known(rpc: RpcClient, wallet: Wallet) -> None:
    raw = wallet.sign(nonce=wallet.nonce() + 1, to=wallet.address)
    assert rpc.call("eth_sendRawTransaction", raw) == "0x" + keccak(hexstr=raw).hex()
    with pytest.raises(RpcError, match=r"^already known"):
        rpc.call("eth_sendRawTransaction", raw)


def test_refusals_are_worded_as_geths(rpc: RpcClient, wallet: Wallet) -> None:
    me = wallet.address
    wallet.mine(nonce=0, to=me)
    for raw, message in [
        (wallet.sign(nonce=0, to=me), "nonce too low: next nonce 1, tx nonce 0"),
        (wallet.sign(to=me, gas=20_000), "intrinsic gas too low: gas 20000, minimum needed 21000"),
        (wallet.sign(to=me, gas=100_000_001), "exceeds block gas limit"),
        (wallet.sign(to=me, chainId=1), f"invalid chain id for signer: have 1 want {wallet.chain_id}"),
        (wallet.sign(to=me, value=200 * ETHER), "insufficient funds for gas * price + value: balance "),
        (wallet.sign(to=me, maxFeePerGas=GWEI - 1, maxPriorityFeePerGas=0), "max fee per gas less than block base fee"),
        (
            wallet.sign(to=me, maxFeePerGas=GWEI, maxPriorityFeePerGas=2 * GWEI),
            "max priority fee per gas higher than max fee per gas",
        ),
        ("0x", "typed transaction too short"),
        ("0x03c0", "transaction type not supported"),
        ("0x02c0", "rlp: expected a list of 12 fields"),
        ("0x02" + "ff" * 40, "rlp: "),
        ("0xf8", "rlp: "),
    ]:
        with pytest.raises(RpcError) as refusal:
            rpc.call("eth_sendRawTransaction", raw)
        assert message in refusal.value.message
        assert refusal.value.code == -32000


def test_broken_signature_is_refused(rpc: RpcClient, wallet: Wallet) -> None:
    raw = wallet.sign(to=wallet.address)
    with pytest.raises(RpcError, match="invalid sender"):
        rpc.call("eth_sendRawTransaction", raw[:-64] + "ff" * 32)  # s above half the curve's order (EIP-2)


def test_transaction_that_its_sender_cannot_pay_any_more_does_not_stop_the_chain(wallet: Wallet) -> None:
    first = wallet.nonce()
    wallet.send(nonce=first + 1, to=wallet.address, value=60 * ETHER)
    wallet.mine(nonce=first, to="0x" + "11" * 20, value=60 * ETHER)
    assert wallet.mine(nonce=first + 1, to=wallet.address, value=1 * ETHER, maxFeePerGas=90 * GWEI)["status"] == "0x1"


def test_higher_tip_is_mined_first_within_a_block(tmp_path: Path) -> None:
    accounts = [Account.create() for _ in range(3)]
    funded = {account.address: ETHER for account in accounts}
    with EmbeddedNode(tmp_path, funded=funded, block_time=2) as node, RpcClient(node.url, timeout=60) as rpc:
        wallets = [Wallet(account, rpc) for account in accounts]
        raws = [
            wallet.sign(to=wallet.address, maxPriorityFeePerGas=tip * GWEI)
            for wallet, tip in zip(wallets, [1, 3, 2], strict=True)
        ]
        # All in one exchange, right behind a block: they are there together when the next one is made.
        block = rpc.call("eth_blockNumber")
        wait_until(lambda: rpc.call("eth_blockNumber") != block or None)
        hashes = rpc.batch([("eth_sendRawTransaction", [raw]) for raw in raws])
        receipts = [wallets[0].receipt(tx_hash) for tx_hash in hashes]
        assert len({receipt["blockNumber"] for receipt in receipts}) == 1
        assert [int(receipt["transactionIndex"], 16) for receipt in receipts] == [2, 0, 1]


def test_block_time_seals_empty_blocks(tmp_path: Path) -> None:
    with EmbeddedNode(tmp_path, block_time=0.05) as node, RpcClient(node.url, timeout=60) as rpc:
        wait_until(lambda: int(rpc.call("eth_blockNumber"), 16) >= 3 or None)
        block = rpc.call("eth_getBlockByNumber", "latest", False)
        assert (block["transactions"], block["gasUsed"]) == ([], "0x0")


def test_timestamps_follow_the_clock_and_never_fall(tmp_path: Path) -> None:
    now = 1_700_000_000
    with EmbeddedNode(tmp_path, funded=FUNDED, clock=lambda: now) as node, RpcClient(node.url, timeout=60) as rpc:
        wallet = funded_wallet(rpc)
        contract = wallet.deploy_shelf()

        def timestamp() -> int:
            receipt = wallet.mine(to=wallet.address)
            return int(rpc.call("eth_getBlockByNumber", receipt["blockNumber"], False)["timestamp"], 16)

        assert [timestamp() for _ in range(3)] == [1_700_000_000] * 3
        now = 1_700_000_100
        assert timestamp() == 1_700_000_100
        now = 1_700_000_050
        assert timestamp() == 1_700_000_100
        now = 1_700_000_200
        request = {"to": contract, "data": "0x" + shelf.time().hex()}
        assert int(rpc.call("eth_call", request, "latest"), 16) == 1_700_000_100  # the newest block's own context
        assert int(rpc.call("eth_call", request, "pending"), 16) == 1_700_000_200  # what a transaction would see


def test_topic_wildcard_asks_for_a_topic(rpc: RpcClient, wallet: Wallet) -> None:
    contract = wallet.deploy_shelf()
    wallet.mine(to=contract, data=shelf.put(1, 9), gas=100_000)
    for topics, found in [([None, None], 1), ([None, None, None], 0)]:
        assert len(rpc.call("eth_getLogs", {"fromBlock": "0x0", "address": contract, "topics": topics})) == found


def test_too_many_logs_are_refused_with_a_range_that_works(rpc: RpcClient, wallet: Wallet) -> None:
    contract = wallet.deploy_shelf()
    each = MAX_LOGS // 4 + 1
    receipts = [wallet.mine(to=contract, data=shelf.put_many(n, each), gas=10_000_000) for n in range(1, 5)]
    first, last = receipts[0]["blockNumber"], receipts[3]["blockNumber"]
    wanted = {"address": contract, "fromBlock": first, "toBlock": last}
    with pytest.raises(RpcError) as refusal:
        rpc.call("eth_getLogs", wanted)
    proposed = receipts[2]["blockNumber"]
    assert refusal.value.code == -32005
    assert refusal.value.message == (
        f"query returned more than {MAX_LOGS} results. Try with this block range [{first}, {proposed}]."
    )
    assert len(rpc.call("eth_getLogs", {**wanted, "toBlock": proposed})) == 3 * each


def test_topic_index_finds_what_a_scan_finds(tmp_path: Path) -> None:
    # Ranges of 256 blocks and more go through the topic's index.
    with EmbeddedNode(tmp_path, funded=FUNDED, block_time=0.01) as node, RpcClient(node.url, timeout=60) as rpc:
        wallet = funded_wallet(rpc)
        contract = wallet.deploy_shelf()
        receipts = [wallet.mine(to=contract, data=shelf.put(key, 1), gas=100_000) for key in (4, 5, 4)]
        wait_until(lambda: int(rpc.call("eth_blockNumber"), 16) > 300 or None)
        wanted = {"fromBlock": "0x0", "toBlock": "latest", "topics": [None, f"0x{4:064x}"]}
        assert rpc.call("eth_getLogs", wanted) == receipts[0]["logs"] + receipts[2]["logs"]


def test_pending_block_shows_what_comes_next(rpc: RpcClient, wallet: Wallet) -> None:
    head = rpc.call("eth_getBlockByNumber", "latest", False)
    pending = rpc.call("eth_getBlockByNumber", "pending", True)
    assert (pending["parentHash"], pending["hash"]) == (head["hash"], None)
    assert int(pending["number"], 16) == int(head["number"], 16) + 1


def test_address_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'0x12' is not an address"):
        EmbeddedNode(tmp_path / "chain", funded={"0x12": 1})
    assert not (tmp_path / "chain").exists()


def test_only_loopback_is_served(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        EmbeddedNode(tmp_path, host="0.0.0.0").start()


def test_calls_nest_as_deep_as_their_gas_carries(rpc: RpcClient, wallet: Wallet) -> None:
    # A contract that does nothing but call itself with 63/64 of the gas: some 600 levels with 100 million gas.
    code = assemble("0x00 0x00 0x00 0x00 0x00 ADDRESS GAS CALL 0x00 MSTORE 0x20 0x00 RETURN")
    contract = wallet.mine(data=initcode(code), gas=200_000)["contractAddress"]
    assert rpc.call("eth_getCode", contract, "latest") == "0x" + code.hex()
    assert int(rpc.call("eth_call", {"to": contract}, "latest"), 16) == 1
    assert wallet.mine(to=contract, gas=100_000_000)["status"] == "0x1"
