"""Receipts proved from a block hash alone: header, receipts root, Merkle-Patricia path, receipt, logs.

Nodes are asked for the block and its receipts only; the proof is made here, so any node will do, and checked here
without one. A header is kept as its RLP: its keccak is the block hash, whatever fields later forks append.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak
from trie.exceptions import BadTrieProof, ValidationError
from trie.hexary import HexaryTrie

from .abi import checksum_address, to_bytes
from .rpc import RpcClient, RpcError

# Members of a block as JSON-RPC names them, in the order in which they are hashed (Yellow Paper 4.4.3, EIP-1559, 4895,
# 4844, 4788, 7685). Whether one is a number decides how zero is encoded.
_HEADER = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
)
_LATER_FORKS = (
    ("baseFeePerGas", True),
    ("withdrawalsRoot", False),
    ("blobGasUsed", True),
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),
)
_RECEIPTS_ROOT, _NUMBER, _TIMESTAMP = 5, 8, 11
_METHOD_NOT_FOUND = -32601
_MAX_TYPE = 0x7F


class ReceiptProofError(ValueError):
    """A receipt cannot be proved, or a proof does not hold; the text says why."""


class ReceiptProof(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt in one block.

    Attributes:
        header: RLP of the block header.
        index: position of the transaction in the block.
        path: RLP of the trie's nodes from the receipts root to the receipt.
    """

    header: bytes
    index: int
    path: list[bytes]


class ProvenLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log in a proven receipt; `address` in EIP-55 form, topics of 32 bytes."""

    address: str
    topics: list[bytes]
    data: bytes

    def as_rpc(self) -> dict[str, Any]:
        """The log as `chain.contracts.decode_event` takes it."""
        return {"address": self.address, "topics": self.topics, "data": self.data}


class ProvenReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof proves, given that the block hash is trusted.

    Attributes:
        block_hash: 32 bytes; the one thing left to trust.
        block_number: height of the block.
        timestamp: Unix seconds of the block.
        succeeded: whether the transaction did.
        logs: in order.
    """

    block_hash: bytes
    block_number: int
    timestamp: int
    succeeded: bool
    logs: list[ProvenLog]


def fetch_proof(rpc: RpcClient, tx_hash: str) -> ReceiptProof:
    """The proof of a mined transaction's receipt.

    Args:
        tx_hash: 0x-hex.

    Raises:
        ReceiptProofError: the transaction is not mined, or the node's receipts do not make up the header's root.
        RpcError, RpcUnavailable: the node refused or does not answer.
    """
    receipt = rpc.call("eth_getTransactionReceipt", tx_hash)
    if receipt is None:
        raise ReceiptProofError(f"transaction {tx_hash} is not mined")
    block_hash = receipt["blockHash"]
    block = rpc.call("eth_getBlockByHash", block_hash, False)
    if block is None:
        raise ReceiptProofError(f"the node does not know block {block_hash} any more")
    header = header_rlp(block)
    index = int(receipt["transactionIndex"], 16)
    return ReceiptProof(header=header, index=index, path=_path(header, _receipts_of(rpc, block), index))


def verify_proof(proof: ReceiptProof) -> ProvenReceipt:
    """Check a proof without a node.

    Raises:
        ReceiptProofError: it does not hold.
    """
    root, number, timestamp = _read_header(proof.header)
    if not 0 <= proof.index < 2**32:
        raise ReceiptProofError(f"a block has no transaction {proof.index}")
    try:
        nodes = [rlp.decode(node, strict=True) for node in proof.path]
        encoded = HexaryTrie.get_from_proof(root, rlp.encode(proof.index), nodes)  # type: ignore[no-untyped-call]
    except (BadTrieProof, ValidationError, rlp.exceptions.RLPException, ValueError, TypeError, LookupError) as error:
        raise ReceiptProofError(f"the path does not lead from the receipts root to a receipt: {error}") from error
    if not encoded:
        raise ReceiptProofError(f"the block has no transaction {proof.index}")
    succeeded, logs = _read_receipt(encoded)
    return ProvenReceipt(
        block_hash=keccak(proof.header), block_number=number, timestamp=timestamp, succeeded=succeeded, logs=logs
    )


def header_rlp(block: Mapping[str, Any]) -> bytes:
    """RLP of a block's header, from the block as `eth_getBlockByHash` gives it.

    Raises:
        ReceiptProofError: its keccak is not the block's hash, as on chains that hash their headers in their own way.
    """
    members = [_member(block[name], number=number) for name, number in _HEADER]
    for name, number in _LATER_FORKS:
        if block.get(name) is None:
            break
        members.append(_member(block[name], number=number))
    encoded: bytes = rlp.encode(members)
    if keccak(encoded) != to_bytes(block["hash"]):
        raise ReceiptProofError(
            f"the header of block {block['hash']} does not hash to it: this chain hashes headers in its own way"
        )
    return encoded


def header_number(header: bytes) -> int:
    """Number of the block of a header's RLP.

    Raises:
        ReceiptProofError: it is no header.
    """
    return _read_header(header)[1]


def parent_hash(header: bytes) -> bytes:
    """Hash of the block before; as `header_number`."""
    _read_header(header)
    parent: bytes = rlp.decode(header)[0]
    return parent


def receipt_rlp(receipt: Mapping[str, Any]) -> bytes:
    """A receipt as it stands in the trie (EIP-2718), from the receipt as nodes give it."""
    logs = [
        [to_bytes(log["address"]), [to_bytes(topic) for topic in log["topics"]], to_bytes(log["data"])]
        for log in receipt["logs"]
    ]
    body: bytes = rlp.encode(
        [
            _member(receipt["status"], number=True),
            _member(receipt["cumulativeGasUsed"], number=True),
            to_bytes(receipt["logsBloom"]),
            logs,
        ]
    )
    kind = int(receipt.get("type") or "0x0", 16)
    return bytes([kind]) + body if kind else body


def _receipts_of(rpc: RpcClient, block: Mapping[str, Any]) -> list[bytes]:
    try:
        receipts = rpc.call("eth_getBlockReceipts", block["hash"])
    except RpcError as error:
        if error.code != _METHOD_NOT_FOUND:
            raise
        receipts = rpc.batch([("eth_getTransactionReceipt", [tx_hash]) for tx_hash in block["transactions"]])
    if not isinstance(receipts, list) or len(receipts) != len(block["transactions"]):
        raise ReceiptProofError(f"the node does not have all receipts of block {block['hash']}")
    for receipt in receipts:
        if isinstance(receipt, RpcError):
            raise receipt
        if receipt is None or receipt["blockHash"] != block["hash"]:
            raise ReceiptProofError(f"the node answered for another block than {block['hash']}: it was reorganised")
    return [receipt_rlp(one) for one in sorted(receipts, key=lambda one: int(one["transactionIndex"], 16))]


def _path(header: bytes, receipts: Sequence[bytes], index: int) -> list[bytes]:
    trie = HexaryTrie({})
    for position, receipt in enumerate(receipts):
        trie.set(rlp.encode(position), receipt)  # type: ignore[no-untyped-call]
    root, _, _ = _read_header(header)
    if trie.root_hash != root:
        raise ReceiptProofError("the node's receipts do not make up the receipts root of the block")
    nodes = trie.get_proof(rlp.encode(index))  # type: ignore[no-untyped-call]
    return [rlp.encode(node) for node in nodes]


@lru_cache(maxsize=256)
def _read_header(header: bytes) -> tuple[bytes, int, int]:
    """Receipts root, number and time."""
    try:
        members = rlp.decode(header, strict=True)
    except rlp.exceptions.RLPException as error:
        raise ReceiptProofError(f"the header is not RLP: {error}") from error
    if not isinstance(members, list) or len(members) < len(_HEADER):
        raise ReceiptProofError("the header lacks members")
    if not all(isinstance(member, bytes) for member in members) or len(members[_RECEIPTS_ROOT]) != 32:
        raise ReceiptProofError("the header has members of another kind")
    return members[_RECEIPTS_ROOT], int.from_bytes(members[_NUMBER], "big"), int.from_bytes(members[_TIMESTAMP], "big")


def _read_receipt(encoded: bytes) -> tuple[bool, list[ProvenLog]]:
    body = encoded[1:] if encoded[0] <= _MAX_TYPE else encoded
    try:
        status, _, _, logs = rlp.decode(body, strict=True)
        found = [
            ProvenLog(address=checksum_address(address), topics=list(topics), data=data)
            for address, topics, data in logs
        ]
    except (rlp.exceptions.RLPException, ValueError, TypeError) as error:
        raise ReceiptProofError(f"the receipt does not decode: {error}") from error
    return status == b"\x01", found


def _member(value: str, *, number: bool) -> bytes:
    if not number:
        return to_bytes(value)
    integer = int(value, 16)
    return integer.to_bytes((integer.bit_length() + 7) // 8, "big")
