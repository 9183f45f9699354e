"""Blocks, transactions, receipts and logs as the JSON that eth_ methods answer.

Text by hand where it is made once for every log of the chain; every value is hex, so there is nothing to escape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .codec import int_to_bytes, rlp_encode
from .header import Header
from .transaction import DYNAMIC_FEE, LEGACY, SignedTransaction


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the chain something is."""

    block_number: int
    block_hash: bytes
    timestamp: int


def log_json(
    place: Place,
    tx_hash: bytes,
    tx_position: int,
    position: int,
    *,
    address: bytes,
    topics: Sequence[bytes],
    data: bytes,
) -> str:
    """A log object; `position` counts in the block."""
    topic_list = ",".join(f'"0x{topic.hex()}"' for topic in topics)
    return (
        f'{{"address":"0x{address.hex()}","topics":[{topic_list}],"data":"0x{data.hex()}",'
        f'"blockNumber":"{place.block_number:#x}","blockHash":"0x{place.block_hash.hex()}",'
        f'"blockTimestamp":"{place.timestamp:#x}","transactionHash":"0x{tx_hash.hex()}",'
        f'"transactionIndex":"{tx_position:#x}","logIndex":"{position:#x}","removed":false}}'
    )


def receipt_members(
    place: Place,
    tx: SignedTransaction,
    position: int,
    *,
    succeeded: bool,
    gas_used: int,
    cumulative_gas_used: int,
    bloom: bytes,
    base_fee: int,
    created: bytes | None,
) -> str:
    """The members of a receipt object except its logs, without braces."""
    to = f'"0x{tx.to.hex()}"' if tx.to else "null"
    contract = f'"0x{created.hex()}"' if created else "null"
    return (
        f'"type":"{tx.type_id:#x}","status":"0x{int(succeeded)}","cumulativeGasUsed":"{cumulative_gas_used:#x}",'
        f'"logsBloom":"0x{bloom.hex()}","transactionHash":"0x{tx.hash.hex()}","transactionIndex":"{position:#x}",'
        f'"blockHash":"0x{place.block_hash.hex()}","blockNumber":"{place.block_number:#x}",'
        f'"gasUsed":"{gas_used:#x}","effectiveGasPrice":"{tx.effective_gas_price(base_fee):#x}",'
        f'"from":"0x{tx.sender.hex()}","to":{to},"contractAddress":{contract}'
    )


def header_members(header: Header, size: int) -> str:
    """The members of a block object except its transactions, without braces. `size` is the block's RLP in bytes."""
    return (
        f'"number":"{header.number:#x}","hash":"0x{header.hash.hex()}",'
        f'"parentHash":"0x{header.parent_hash.hex()}","sha3Uncles":"0x{header.uncles_hash.hex()}",'
        f'"miner":"0x{header.coinbase.hex()}","stateRoot":"0x{header.state_root.hex()}",'
        f'"transactionsRoot":"0x{header.transactions_root.hex()}","receiptsRoot":"0x{header.receipts_root.hex()}",'
        f'"logsBloom":"0x{header.bloom.hex()}","difficulty":"{header.difficulty:#x}",'
        f'"gasLimit":"{header.gas_limit:#x}","gasUsed":"{header.gas_used:#x}",'
        f'"timestamp":"{header.timestamp:#x}","extraData":"0x{header.extra_data.hex()}",'
        f'"mixHash":"0x{header.mix_hash.hex()}","nonce":"0x{header.nonce.hex()}",'
        f'"baseFeePerGas":"{header.base_fee_per_gas:#x}","withdrawalsRoot":"0x{header.withdrawals_root.hex()}",'
        f'"blobGasUsed":"{header.blob_gas_used:#x}","excessBlobGas":"{header.excess_blob_gas:#x}",'
        f'"parentBeaconBlockRoot":"0x{header.parent_beacon_block_root.hex()}",'
        f'"size":"{size:#x}","uncles":[],"withdrawals":[]'
    )


def pending_members(parent: Header, timestamp: int) -> str:
    """A block object's members for the block that would be mined next: what is not known yet is null."""
    return (
        f'"number":"{parent.number + 1:#x}","hash":null,"parentHash":"0x{parent.hash.hex()}",'
        f'"sha3Uncles":"0x{parent.uncles_hash.hex()}","miner":"0x{parent.coinbase.hex()}","stateRoot":null,'
        f'"transactionsRoot":null,"receiptsRoot":null,"logsBloom":null,"difficulty":"0x0",'
        f'"gasLimit":"{parent.gas_limit:#x}","gasUsed":"0x0","timestamp":"{timestamp:#x}","extraData":"0x",'
        f'"mixHash":null,"nonce":null,"baseFeePerGas":"{parent.base_fee_per_gas:#x}","withdrawalsRoot":null,'
        f'"blobGasUsed":"0x0","excessBlobGas":"0x0","size":"0x0","uncles":[],"withdrawals":[]'
    )


def block_size(header: bytes, transactions: Sequence[SignedTransaction]) -> int:
    """Bytes of the block's RLP: header, transactions, no uncles, no withdrawals."""
    body = sum(len(tx.raw if tx.type_id == LEGACY else rlp_encode(tx.raw)) for tx in transactions)
    return _list_size(len(header) + _list_size(body) + 2)


def _list_size(payload: int) -> int:
    return payload + (1 if payload < 56 else 1 + len(int_to_bytes(payload)))


def transaction_object(tx: SignedTransaction, base_fee: int, place: Mapping[str, object]) -> dict[str, object]:
    """A transaction object; `place` is what `mined_place` or `PENDING_PLACE` gives."""
    fields: dict[str, object] = {
        **place,
        "hash": "0x" + tx.hash.hex(),
        "type": hex(tx.type_id),
        "chainId": hex(tx.chain_id),
        "nonce": hex(tx.nonce),
        "from": "0x" + tx.sender.hex(),
        "to": "0x" + tx.to.hex() if tx.to else None,
        "value": hex(tx.value),
        "gas": hex(tx.gas),
        "gasPrice": hex(tx.effective_gas_price(base_fee)),
        "input": "0x" + tx.data.hex(),
        "v": hex(tx.v),
        "r": hex(tx.r),
        "s": hex(tx.s),
    }
    if tx.type_id == DYNAMIC_FEE:
        fields["maxFeePerGas"] = hex(tx.max_fee_per_gas)
        fields["maxPriorityFeePerGas"] = hex(tx.max_priority_fee_per_gas)
    if tx.type_id != LEGACY:
        fields["yParity"] = hex(tx.v)
        fields["accessList"] = [
            {"address": "0x" + address.hex(), "storageKeys": [f"0x{key:064x}" for key in keys]}
            for address, keys in tx.access_list
        ]
    return fields


PENDING_PLACE: Mapping[str, object] = {"blockHash": None, "blockNumber": None, "transactionIndex": None}


def mined_place(block_number: int, block_hash: bytes, position: int) -> dict[str, object]:
    """The members that say where a transaction was mined."""
    return {
        "blockHash": "0x" + block_hash.hex(),
        "blockNumber": hex(block_number),
        "transactionIndex": hex(position),
    }
