"""What ours is beside: the node's own limit, and viem."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from chain.keys import LocalSigner
from chain.relay.fees import market_fees
from chain.rpc import RpcClient
from scripts._anvil import Anvil
from scripts._bench.ingest.usage import usage
from scripts._bench.peers import NODE, PeerUnavailable, npm_project
from scripts._bench.relay.world import World

_SOURCE = Path(__file__).resolve().parent / "viem"
VIEM_VERSION = str(json.loads((_SOURCE / "package.json").read_text())["dependencies"]["viem"])
# More than any redemption uses.
GAS = 600_000
_AT_ONCE = 100
_TIMEOUT_S = 900.0


def node_limit(world: World, anvil: Anvil) -> dict[str, float]:
    """Transactions that are signed beforehand, a hundred in each HTTP request."""
    relayer = LocalSigner(world.keys[0])
    with RpcClient(anvil.url, timeout=120.0) as rpc:
        head = rpc.call("eth_getBlockByNumber", "latest", False)
        fees = market_fees(rpc, int(head["baseFeePerGas"], 16)).fields()
        first = int(rpc.call("eth_getTransactionCount", relayer.address, "latest"), 16)
        fields = {"chainId": world.contracts.chain_id, "to": world.contracts.addresses["VoucherLedger"]}
        raw = [
            relayer.sign_transaction({**fields, **fees, "nonce": first + place, "gas": GAS, "value": 0, "data": data})
            for place, data in enumerate(world.calls)
        ]
        before, began = usage(anvil.pid).cpu_s, time.perf_counter()
        for start in range(0, len(raw), _AT_ONCE):
            rpc.batch([("eth_sendRawTransaction", ("0x" + one.hex(),)) for one in raw[start : start + _AT_ONCE]])
        _wait(rpc, relayer.address, first + len(raw))
        seconds = time.perf_counter() - began
        world.check(rpc)
        return {
            "mined_per_s": len(raw) / seconds,
            "node_cpu_us": (usage(anvil.pid).cpu_s - before) / len(raw) * 1e6,
        }


def prepare_viem() -> Path:
    """The folder of the client with its packages, installed once from the lock.

    Raises:
        PeerUnavailable: npm could not install them.
    """
    return npm_project(_SOURCE, f"viem-{VIEM_VERSION}")


def viem(folder: Path, world: World, anvil: Anvil, *, concurrency: int, gas: int | None) -> dict[str, float]:
    """The same calls by a viem client with its nonce manager.

    Args:
        gas: limit given to each; None where viem estimates it, as it does by default.

    Raises:
        PeerUnavailable: it failed.
    """
    asked: dict[str, Any] = {
        "url": anvil.url,
        "chainId": world.contracts.chain_id,
        "key": "0x" + world.keys[0].hex(),
        "to": world.contracts.addresses["VoucherLedger"],
        "calls": ["0x" + call.hex() for call in world.calls],
        "concurrency": concurrency,
        "gas": gas,
    }
    before = usage(anvil.pid).cpu_s
    done = subprocess.run(
        [str(NODE), "send.mjs"],
        cwd=folder,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    if done.returncode != 0:
        raise PeerUnavailable(f"viem failed: {done.stderr.strip()[-500:]}")
    used = usage(anvil.pid).cpu_s - before
    with RpcClient(anvil.url) as rpc:
        world.check(rpc)
    found = json.loads(done.stdout)
    count = len(world.calls)
    return {
        "accepted_per_s": count / found["sent_s"],
        "mined_per_s": count / found["mined_s"],
        "client_cpu_us": found["cpu_s"] / count * 1e6,
        "node_cpu_us": used / count * 1e6,
    }


def _wait(rpc: RpcClient, address: str, nonce: int) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while int(rpc.call("eth_getTransactionCount", address, "latest"), 16) < nonce:
        if time.monotonic() > deadline:
            raise TimeoutError(f"nonce {nonce} was not reached within {_TIMEOUT_S:g} s")
        time.sleep(0.01)
