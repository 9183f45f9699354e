"""Ponder 0.16.10 (npm) on the same chain and the same PostgreSQL server.

It is installed once from `ponder/package-lock.json` into `.cache/bench`; at run time nothing leaves the machine, and
its telemetry is off. Timed is from when its server answers, all its modules loaded, until its last event is in its
table.
"""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from chain import artifacts
from chain.contracts import CONTRACT_NAMES, LEDGER_LIBRARIES, ContractName, Contracts
from scripts._anvil import free_port
from scripts._bench.peers import NODE, PeerUnavailable, npm_project

VERSION = "0.16.10"
_SOURCE = Path(__file__).resolve().parent / "ponder"
_TIMEOUT_SECONDS = 1_800.0


@dataclass(frozen=True)
class PonderRun:
    """Seconds from the server's first answer to the last event, and of user and system time of its process."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Target:
    """What to index: node, deployment and its first block, the events that there are, and an empty database."""

    rpc: str
    contracts: Contracts
    start_block: int
    events: int
    database: str


def prepare() -> Path:
    """The folder of the application, with its packages.

    Raises:
        PeerUnavailable: npm could not install it.
    """
    return npm_project(_SOURCE, f"ponder-{VERSION}")


def run(folder: Path, target: Target) -> PonderRun:
    """Index from nothing into a new database.

    Raises:
        PeerUnavailable: it ended, or did not come to the last event.
    """
    bench = {
        "rpc": target.rpc,
        "database": target.database,
        "chainId": target.contracts.chain_id,
        "addresses": target.contracts.addresses,
        "startBlock": target.start_block,
        "abis": {name: _events(name) for name in CONTRACT_NAMES},
    }
    port = free_port()
    environment = {**os.environ, "PONDER_TELEMETRY_DISABLED": "true", "SUANQUAN_BENCH": json.dumps(bench)}
    command = [str(NODE), "node_modules/ponder/dist/esm/bin/ponder.js", "start", "--schema", "bench"]
    with (folder / "ponder.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--log-level", "warn"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            began = _wait_until_up(process, port)
            _wait_for_events(process, target.database, target.events)
            seconds = time.monotonic() - began
            used = cpu_seconds(process.pid)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return PonderRun(seconds, used)


def _events(contract: ContractName) -> list[dict[str, Any]]:
    """The events that come from a contract's address, each once."""
    parts = (contract, *(LEDGER_LIBRARIES if contract == "VoucherLedger" else ()))
    entries = (entry for part in parts for entry in artifacts.load(part).abi)
    return list({entry["name"]: entry for entry in entries if entry["type"] == "event"}.values())


def _wait_until_up(process: subprocess.Popen[bytes], port: int) -> float:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PeerUnavailable(f"ponder ended with status {process.returncode}; its log is ponder.log")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False, timeout=1).is_success:
                return time.monotonic()
        except httpx.HTTPError:
            time.sleep(0.02)
    raise PeerUnavailable("ponder did not come up")


def _wait_for_events(process: subprocess.Popen[bytes], database: str, events: int) -> None:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    with psycopg.connect(database, autocommit=True) as connection:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise PeerUnavailable(f"ponder ended with status {process.returncode}; its log is ponder.log")
            try:
                row = connection.execute("SELECT count(*) FROM bench.event").fetchone()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                row = None
            if row is not None and row[0] >= events:
                return
            time.sleep(0.1)
    raise PeerUnavailable(f"ponder did not index {events} events within {_TIMEOUT_SECONDS:g} s")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, from Linux; 0 elsewhere."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.is_file():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
