"""Runs one campaign: `./scripts/chaos --kills 200 --seed 7 --json`."""

import argparse
import json
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from chain.keys import KEY_NAMES, Keystore
from chain.node import EmbeddedNode
from chain.rpc import RpcClient
from scripts._anvil import Anvil
from scripts._chaos.books import check
from scripts._chaos.load import Load
from scripts._chaos.processes import Processes
from scripts._chaos.proxy import Proxy
from scripts._postgres import postgres

ETHER = 10**18
DEEPEST = 6
OUTAGE_S = 1.0


def main() -> int:
    """0 if nothing was lost or done twice."""
    parser = argparse.ArgumentParser(prog="scripts/chaos", description="Break a running service, and check its books.")
    parser.add_argument("--kills", type=int, default=10, help="processes killed, at least")
    parser.add_argument("--seed", type=int, default=1, help="what the moments are drawn by")
    parser.add_argument("--chain", choices=("anvil", "embedded"), default="anvil")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work in this folder and leave it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    screen = Console(stderr=True)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="suanquan-chaos-")))
        folder.mkdir(exist_ok=True)
        draw = random.Random(options.seed)
        keystore = Keystore(folder / "keys")
        addresses = [keystore.signer(name).address for name in KEY_NAMES]
        if options.chain == "anvil":
            node_url = stack.enter_context(Anvil()).url
        else:
            funded = dict.fromkeys(addresses, 1000 * ETHER)
            node_url = stack.enter_context(EmbeddedNode(folder / "chain", funded=funded)).url
        rpc = stack.enter_context(RpcClient(node_url))
        if options.chain == "anvil":
            for address in addresses:
                rpc.call("anvil_setBalance", address, hex(1_000 * ETHER))
        proxy = stack.enter_context(Proxy(node_url, random.Random(options.seed + 1)))
        settings = {"CHAIN_URL": proxy.url, "SUANQUAN_BATCH_MAX_AGE_S": "0.5"}
        if options.database == "postgresql":
            settings["DATABASE_URL"] = stack.enter_context(postgres(folder / "postgresql")).create()
        processes = Processes(folder, settings)
        processes.run("deploy")
        stack.callback(processes.stop)
        for name in processes.names:
            processes.start(name)
        load = Load(processes, draw)
        screen.print("preparing programme, vouchers and evidence ...")
        load.prepare(folder)
        proxy.trouble = 0.03
        load.start()
        counts = {"kills": 0, "outages": 0, "reorganisations": 0}
        while counts["kills"] < options.kills:
            time.sleep(draw.uniform(0.05, 0.6))
            _break_something(options.chain, draw, processes=processes, proxy=proxy, rpc=rpc, counts=counts)
            screen.print(f"{counts}", end="\r")
        proxy.trouble = 0.0
        load.finish()
        report = check(processes, load, rpc, folder, settings)
        report |= counts | {"lost_answers": proxy.lost, "seed": options.seed, "chain": options.chain}
        report |= {"database": options.database, "seconds": round(time.monotonic() - began, 1)}
    print(json.dumps(report) if options.json else "\n".join(f"{name:20} {value}" for name, value in report.items()))
    return 0 if report["ok"] else 1


def _break_something(
    chain: str, draw: random.Random, *, processes: Processes, proxy: Proxy, rpc: RpcClient, counts: dict[str, int]
) -> None:
    chance = draw.random()
    if chance < 0.1:
        proxy.down = True
        time.sleep(draw.uniform(0.1, OUTAGE_S))
        proxy.down = False
        counts["outages"] += 1
    elif chance < 0.25 and chain == "anvil":
        depth = draw.randint(1, DEEPEST)
        rpc.call("anvil_reorg", depth, [])
        counts["reorganisations"] += 1
    else:
        name = draw.choice(processes.names)
        processes.kill(name)
        processes.start(name)
        if name == "gateway":
            processes.wait_for_gateway()
        counts["kills"] += 1
    processes.revive()


if __name__ == "__main__":
    sys.exit(main())
