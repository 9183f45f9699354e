"""One campaign: a service under load, what breaks it at moments drawn by a seed, and its books afterwards."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

from chain.keys import KEY_NAMES, LocalSigner
from chain.node.embedded import EmbeddedNode
from chain.rpc import RpcClient
from scripts._anvil import Anvil
from scripts._chaos.books import check
from scripts._chaos.load import Load
from scripts._chaos.processes import Processes
from scripts._chaos.proxy import Proxy
from scripts._postgres import Databases, postgres

KEYS = (*KEY_NAMES, "relayer-2", "relayer-3")
WEI = 1_000 * 10**18
DEEPEST = 6
OUTAGE_S = 1.0
CALM_S = 1.2
"""Between two mishaps at most."""
TROUBLE = 0.03
"""Share of the node's answers that are lost, and as many that come late."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is broken, and how often.

    Attributes:
        kills: processes killed, at least.
        seed: what moments and victims are drawn by.
        chain: `anvil` or `embedded`; the embedded node knows no reorganisations.
        database: `sqlite` or `postgresql`; SQLite has no server to restart.
        trades: evidence to claim.
        folder: of the service; the logs of its processes stay there.
    """

    kills: int
    seed: int
    chain: str
    database: str
    folder: Path
    trades: int | None = None


def carry_out(options: Options, say: Callable[[str], None]) -> dict[str, Any]:
    """The report; `ok` says whether nothing was lost, done twice or skipped.

    Raises:
        TimeoutError: Something that was acknowledged did not end.
    """
    began = time.monotonic()
    draw = random.Random(options.seed)
    keys = {name: keccak(f"suanquan/chaos/{options.seed}/{name}".encode()) for name in KEYS}
    with ExitStack() as stack:
        node_url = stack.enter_context(_node(options, [LocalSigner(key).address for key in keys.values()]))
        rpc = stack.enter_context(RpcClient(node_url))
        proxy = stack.enter_context(Proxy(node_url, random.Random(options.seed + 1)))
        settings = {"CHAIN_URL": proxy.url, "SUANQUAN_BATCH_MAX_AGE_S": "0.5", **_in_environment(keys)}
        databases = None
        if options.database == "postgresql":
            databases = stack.enter_context(postgres(options.folder / "postgresql"))
            settings["DATABASE_URL"] = databases.create()
        processes = Processes(options.folder, settings)
        processes.run("deploy")
        stack.callback(processes.stop)
        for name in processes.names:
            processes.start(name)
        load = Load(processes, draw)
        say("preparing programme, vouchers and evidence ...")
        load.prepare(options.folder, options.trades)
        proxy.trouble = TROUBLE
        load.start()
        counts = {"kills": 0, "outages": 0, "reorganisations": 0, "database_restarts": 0}
        while counts["kills"] < options.kills:
            time.sleep(draw.uniform(0.05, CALM_S))
            what = _break_something(draw, processes, proxy, rpc if options.chain == "anvil" else None, databases)
            counts[what] += 1
            processes.revive()
            say(f"{counts}")
        proxy.trouble = 0.0
        load.finish()
        report = check(processes, load, rpc, options.folder, settings)
    report |= counts | {"lost_answers": proxy.lost, "seed": options.seed, "chain": options.chain}
    return report | {"database": options.database, "seconds": round(time.monotonic() - began, 1)}


@contextmanager
def _node(options: Options, addresses: list[str]) -> Iterator[str]:
    if options.chain == "embedded":
        with EmbeddedNode(options.folder / "chain", funded=dict.fromkeys(addresses, WEI)) as node:
            yield node.url
        return
    with Anvil() as anvil, RpcClient(anvil.url) as rpc:
        for address in addresses:
            rpc.call("anvil_setBalance", address, hex(WEI))
        yield anvil.url


def _in_environment(keys: Mapping[str, bytes]) -> dict[str, str]:
    """Settings with the keys: a keystore's password would be worked through at each of hundreds of starts."""
    variables = {name: f"CHAOS_{name.upper().replace('-', '_')}" for name in keys}
    places = {name: f"env:{variable}" for name, variable in variables.items()}
    return {"SUANQUAN_SIGNERS": json.dumps(places), **{variables[name]: key.hex() for name, key in keys.items()}}


def _break_something(
    draw: random.Random, processes: Processes, proxy: Proxy, anvil: RpcClient | None, databases: Databases | None
) -> str:
    """One mishap; its name among the counts.

    Args:
        anvil: a node that can be told to reorganise; None where there is none.
        databases: a server that can be restarted; None where there is none.
    """
    chance = draw.random()
    if chance < 0.1:
        proxy.down = True
        time.sleep(draw.uniform(0.1, OUTAGE_S))
        proxy.down = False
        return "outages"
    if chance < 0.2 and anvil is not None:
        anvil.call("anvil_reorg", draw.randint(1, DEEPEST), [])
        return "reorganisations"
    if chance < 0.25 and databases is not None:
        databases.crash()
        return "database_restarts"
    name = draw.choice(processes.names)
    processes.kill(name)
    processes.start(name)
    if name == "gateway":
        processes.wait_for_gateway()
    return "kills"
