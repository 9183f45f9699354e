"""Money for tests: the first account of the well-known test mnemonic, which anvil funds and the fixtures here too."""

import time
from typing import Any

from eth_hash.auto import keccak

from chain.keys import LocalSigner, derive
from chain.rpc import RpcClient

ETHER = 10**18
GWEI = 10**9
FAUCET = LocalSigner(bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
FUNDED = {FAUCET.address: 1_000_000 * ETHER}


def send(rpc: RpcClient, signer: LocalSigner, **fields: Any) -> dict[str, Any]:
    """Sign, send and wait; the receipt, whatever its status."""
    gas = fields.pop("gas", None)
    if gas is None:
        call = {name: fields[name] for name in ("to", "data") if name in fields}
        # A second later a checkpoint or a new day's slot may be a new word, which costs 22,100 more than an old one.
        gas = int(rpc.call("eth_estimateGas", {"from": signer.address, **call}), 16) * 12 // 10 + 100_000
    transaction = {
        "chainId": int(rpc.call("eth_chainId"), 16),
        "nonce": int(rpc.call("eth_getTransactionCount", signer.address, "pending"), 16),
        "maxFeePerGas": 10 * GWEI,
        "maxPriorityFeePerGas": GWEI,
        "gas": gas,
        "value": 0,
        **fields,
    }
    tx_hash = rpc.call("eth_sendRawTransaction", "0x" + signer.sign_transaction(transaction).hex())
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        receipt: dict[str, Any] | None = rpc.call("eth_getTransactionReceipt", tx_hash)
        # A receipt can be there a moment before the state of its block is the latest.
        if receipt is not None and int(rpc.call("eth_blockNumber"), 16) >= int(receipt["blockNumber"], 16):
            return receipt
        time.sleep(0.005)
    raise TimeoutError(f"{tx_hash} was not mined")


def funded_signer(rpc: RpcClient, label: str) -> LocalSigner:
    """A key of its own for a label, with 100 ether on it."""
    signer = derive(keccak(label.encode()), "test")
    if int(rpc.call("eth_getBalance", signer.address, "latest"), 16) < 50 * ETHER:
        send(rpc, FAUCET, to=signer.address, value=100 * ETHER, gas=21_000)
    return signer
