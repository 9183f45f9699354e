"""Receipts proved from block hashes of real nodes, in blocks of many transactions of several types."""

import time
from typing import Any

import msgspec
import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.abi import to_bytes
from chain.node.codec import ordered_trie_root
from chain.receipts import ReceiptProof, ReceiptProofError, _path, fetch_proof, header_rlp, verify_proof
from chain.rpc import RpcClient, RpcError

from .faucet import FAUCET, GWEI, funded_signer

# More than 128, where the keys of the trie get a second byte.
BLOCK_SIZE = 140
# Creation code that logs 32 bytes under topic 7 and deploys nothing: MSTORE(0, 0xff); LOG1(0, 32, 7); STOP.
LOG_ONE_TOPIC = "0x60ff600052600760206000a100"


@pytest.fixture(scope="module")
def crowded(node_rpc: RpcClient) -> list[str]:
    """Hashes of transactions that share a block: plain and creating ones, of type 0 and type 2."""
    signer = funded_signer(node_rpc, "crowded block")
    chain_id = int(node_rpc.call("eth_chainId"), 16)
    first = int(node_rpc.call("eth_getTransactionCount", signer.address, "pending"), 16)
    raws = []
    for nonce in range(first, first + BLOCK_SIZE):
        fields: dict[str, Any] = {"chainId": chain_id, "nonce": nonce, "value": 0, "gas": 100_000}
        fields |= {"gasPrice": 5 * GWEI} if nonce % 3 else {"maxFeePerGas": 5 * GWEI, "maxPriorityFeePerGas": GWEI}
        fields |= {"data": LOG_ONE_TOPIC} if nonce % 2 else {"to": FAUCET.address}
        raws.append("0x" + signer.sign_transaction(fields).hex())
    # The first nonce comes last and lets the others go, all into one block.
    hashes = [node_rpc.call("eth_sendRawTransaction", raw) for raw in reversed(raws)]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if all(answer is not None for answer in node_rpc.batch([("eth_getTransactionReceipt", [h]) for h in hashes])):
            return hashes[::-1]
        time.sleep(0.02)
    raise TimeoutError("they were not mined")


@pytest.fixture(scope="module")
def proof(node_rpc: RpcClient, crowded: list[str]) -> ReceiptProof:
    return fetch_proof(node_rpc, crowded[7])


def test_receipts_of_a_crowded_block_are_proved(node_rpc: RpcClient, crowded: list[str]) -> None:
    blocks = set()
    for tx_hash in [*crowded[::9], *crowded[-14:]]:
        receipt = node_rpc.call("eth_getTransactionReceipt", tx_hash)
        proven = verify_proof(fetch_proof(node_rpc, tx_hash))
        assert "0x" + proven.block_hash.hex() == receipt["blockHash"]
        assert proven.block_number == int(receipt["blockNumber"], 16)
        assert proven.succeeded == (receipt["status"] == "0x1")
        logs = [(log.address.lower(), log.topics, log.data) for log in proven.logs]
        assert logs == [
            (log["address"], [to_bytes(topic) for topic in log["topics"]], to_bytes(log["data"]))
            for log in receipt["logs"]
        ]
        blocks.add(receipt["blockHash"])
    sizes = [int(node_rpc.call("eth_getBlockTransactionCountByHash", block), 16) for block in blocks]
    assert max(sizes) > 128
    assert any(node_rpc.call("eth_getTransactionReceipt", tx_hash)["logs"] for tx_hash in crowded)


def test_headers_hash_to_their_blocks(node_rpc: RpcClient, crowded: list[str]) -> None:
    assert crowded
    for number in range(int(node_rpc.call("eth_blockNumber"), 16) + 1):
        block = node_rpc.call("eth_getBlockByNumber", hex(number), False)
        assert header_rlp(block)
        with pytest.raises(ReceiptProofError, match="in its own way"):
            header_rlp({**block, "gasUsed": hex(int(block["gasUsed"], 16) + 1)})


def test_a_proof_of_one_place_proves_no_other(node_rpc: RpcClient, crowded: list[str]) -> None:
    one, other = (fetch_proof(node_rpc, tx_hash) for tx_hash in crowded[3:5])
    for wrong in (
        msgspec.structs.replace(one, index=one.index + 1),
        msgspec.structs.replace(one, path=other.path),
        msgspec.structs.replace(one, path=one.path[:-1]),
        msgspec.structs.replace(one, path=one.path[1:]),
        msgspec.structs.replace(one, index=10_000),
        msgspec.structs.replace(one, index=-1),
        msgspec.structs.replace(one, header=b""),
        msgspec.structs.replace(one, header=one.header + b"\0"),
    ):
        with pytest.raises(ReceiptProofError):
            verify_proof(wrong)


@given(data=st.data())
@settings(max_examples=200)
def test_whatever_is_changed_in_a_path_is_refused(proof: ReceiptProof, data: st.DataObject) -> None:
    node = data.draw(st.integers(0, len(proof.path) - 1))
    at = data.draw(st.integers(0, len(proof.path[node]) - 1))
    changed = bytearray(proof.path[node])
    changed[at] ^= data.draw(st.integers(1, 255))
    path = [*proof.path[:node], bytes(changed), *proof.path[node + 1 :]]
    with pytest.raises(ReceiptProofError):
        verify_proof(msgspec.structs.replace(proof, path=path))


@given(garbage=st.binary(max_size=200), index=st.integers(-1, 2**70))
def test_garbage_is_refused_not_crashed_on(garbage: bytes, index: int) -> None:
    for proof in (
        ReceiptProof(header=garbage, index=index, path=[garbage]),
        ReceiptProof(header=garbage, index=0, path=[]),
    ):
        with pytest.raises(ReceiptProofError):
            verify_proof(proof)


def test_transactions_that_are_not_mined_are_told(node_rpc: RpcClient) -> None:
    with pytest.raises(ReceiptProofError, match="not mined"):
        fetch_proof(node_rpc, "0x" + "ab" * 32)


class Changing(RpcClient):
    """A real client of a real node, one of whose answers is changed on the way."""

    def __init__(self, url: str, method: str, change: Any) -> None:
        super().__init__(url)
        self._method = method
        self._change = change

    def call(self, method: str, *params: object, timeout: float | None = None) -> Any:
        answer = super().call(method, *params, timeout=timeout)
        return self._change(answer) if method == self._method else answer


def _no_such_method(_: Any) -> Any:
    raise RpcError(-32601, "the method does not exist")


def test_nodes_that_lie_lose_or_lack_a_method(node_url: str, node_rpc: RpcClient, crowded: list[str]) -> None:
    wanted = fetch_proof(node_rpc, crowded[0])
    with Changing(node_url, "eth_getBlockReceipts", _no_such_method) as rpc:
        assert fetch_proof(rpc, crowded[0]) == wanted
    for method, change, reason in (
        ("eth_getBlockReceipts", lambda receipts: receipts[:-1], "all receipts"),
        ("eth_getBlockReceipts", lambda receipts: None, "all receipts"),
        ("eth_getBlockReceipts", lambda rs: [{**r, "blockHash": "0x" + "00" * 32} for r in rs], "reorganised"),
        ("eth_getBlockReceipts", lambda rs: [{**r, "cumulativeGasUsed": "0x1"} for r in rs], "receipts root"),
        ("eth_getBlockByHash", lambda block: None, "any more"),
    ):
        with Changing(node_url, method, change) as rpc, pytest.raises(ReceiptProofError, match=reason):
            fetch_proof(rpc, crowded[0])


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 127, 128, 129, 200])
def test_paths_hold_for_blocks_of_every_size(node_rpc: RpcClient, size: int) -> None:
    """On top of a real header, whose receipts root is replaced by that of made-up receipts."""
    members = rlp.decode(header_rlp(node_rpc.call("eth_getBlockByNumber", "0x0", False)))
    bloom = bytes(256)
    receipts = [
        (b"\x02" if n % 2 else b"") + rlp.encode([b"\x01", n + 1, bloom, [[bytes(20), [], bytes([n])]]])
        for n in range(size)
    ]
    members[5] = ordered_trie_root(receipts)
    header = rlp.encode(members)
    for index in {0, size // 2, size - 1}:
        proven = verify_proof(ReceiptProof(header=header, index=index, path=_path(header, receipts, index)))
        assert proven.block_hash == keccak(header)
        assert [log.data for log in proven.logs] == [bytes([index])]
