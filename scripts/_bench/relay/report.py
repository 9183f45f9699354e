"""Runs all sides in turn on the same calls, and shows medians and ratios."""

import os
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts._bench.peers import PeerUnavailable
from scripts._bench.relay.others import GAS, node_limit, prepare_viem, viem
from scripts._bench.relay.ours import Ours, run
from scripts._bench.relay.world import World, prepared
from scripts._postgres import postgres

SIGNERS = 4
MERGED_AT_MOST = 50
_UNBATCHED, _BATCHED = "relay, one call a transaction", f"relay, up to {MERGED_AT_MOST} calls"
_SEVERAL = f"{_BATCHED}, {SIGNERS} signers"
_NODE, _VIEM, _VIEM_GAS = "node alone, signed before", "viem", "viem, gas limit given"
_COLUMNS = (
    ("accepted/s", "accepted_per_s"),
    ("p99, ms", "accept_p99_ms"),
    ("mined/s", "mined_per_s"),
    ("accepting", "accepting_cpu_us"),
    ("relay", "relay_cpu_us"),
    ("client", "client_cpu_us"),
    ("database", "database_cpu_us"),
    ("node", "node_cpu_us"),
)


@dataclass(frozen=True)
class Scale:
    """Redemptions in each run, requests at a time, runs of each side."""

    requests: int
    concurrency: int
    runs: int


def measure(scale: Scale, database: str, *, viem: bool, progress: Callable[[str], None]) -> dict[str, Any]:
    """Medians of all sides, and ours in ratio to each other one.

    Args:
        database: `sqlite` or `postgresql`.
        viem: whether to fetch and measure viem.
    """
    found: dict[str, Any] = {
        "benchmark": "relay",
        "requests": scale.requests,
        "concurrency": scale.concurrency,
        "runs": scale.runs,
        "database": database,
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "remarks": [],
    }
    with prepared(scale.requests, SIGNERS) as world, _databases(database) as new_database:
        base = Ours("", None, scale.concurrency, signers=1, merged_at_most=1)
        sides: dict[str, Callable[[World, Any], dict[str, float]]] = {
            _UNBATCHED: lambda world, anvil: run(world, anvil, new_database(base)),
            _BATCHED: lambda world, anvil: run(
                world, anvil, new_database(replace(base, merged_at_most=MERGED_AT_MOST))
            ),
            _SEVERAL: lambda world, anvil: run(
                world, anvil, new_database(replace(base, signers=SIGNERS, merged_at_most=MERGED_AT_MOST))
            ),
            _NODE: node_limit,
        }
        if viem:
            try:
                sides |= _viem_sides(scale.concurrency)
            except PeerUnavailable as reason:
                found["remarks"].append(f"viem was not measured: {reason}")
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
        # In turn, so that a busy moment of the machine does not meet one side alone.
        for number in range(scale.runs):
            for name, side in sides.items():
                progress(f"run {number + 1} of {scale.runs}: {name}")
                with world.node() as anvil:
                    runs[name].append(side(world, anvil))
    medians = {
        name: {key: statistics.median(one[key] for one in many) for key in many[0]} for name, many in runs.items()
    }
    found["sides"] = medians
    found["mined_ratio"] = {
        name: {
            other: medians[name]["mined_per_s"] / medians[other]["mined_per_s"]
            for other in (_VIEM, _VIEM_GAS, _NODE)
            if other in medians
        }
        for name in (_UNBATCHED, _BATCHED, _SEVERAL)
    }
    found["load_after"] = os.getloadavg()[0]
    return found


def show(found: dict[str, Any], screen: Console) -> None:
    """The figures as a table."""
    title = f"medians of {found['runs']} runs of {found['requests']:,} redemptions; CPU in µs a redemption"
    table = Table(title, *(heading for heading, _ in _COLUMNS))
    for name, figures in found["sides"].items():
        table.add_row(name, *(f"{figures[key]:,.0f}" if key in figures else "" for _, key in _COLUMNS))
    screen.print(table)
    for name, ratios in found["mined_ratio"].items():
        for other, ratio in ratios.items():
            screen.print(f"{name}: {ratio:.2f} × {other}")
    for remark in found["remarks"]:
        screen.print(remark, style="yellow")


def _viem_sides(concurrency: int) -> dict[str, Callable[[World, Any], dict[str, float]]]:
    folder = prepare_viem()
    return {
        _VIEM: lambda world, anvil: viem(folder, world, anvil, concurrency=concurrency, gas=None),
        _VIEM_GAS: lambda world, anvil: viem(folder, world, anvil, concurrency=concurrency, gas=GAS),
    }


@contextmanager
def _databases(kind: str) -> Iterator[Callable[[Ours], Ours]]:
    """Gives each run an empty database."""
    # Not on /tmp, which may be memory: what is acknowledged must be on a disk.
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        if kind == "sqlite":
            yield lambda how: replace(how, database_url=f"sqlite:///{tempfile.mkdtemp(dir=folder)}/relay.sqlite")
            return
        server = Path(tempfile.mkdtemp(prefix="suanquan-bench-pg-"))
        try:
            with postgres(server / "data") as databases:
                pid = int((server / "data" / "postmaster.pid").read_text().split()[0])
                yield lambda how: replace(
                    how,
                    database_url=databases.create().replace("postgresql://", "postgresql+psycopg://", 1),
                    database_pid=pid,
                )
        finally:
            shutil.rmtree(server, ignore_errors=True)
