"""Events indexed per second from nothing, on PostgreSQL and on SQLite, beside Ponder; and the lag behind new blocks.

    ./scripts/bench index --events 100000 --runs 5

One chain for all, on anvil. Each run has a database of its own on one PostgreSQL server, which keeps its durability.
All validation is on: parent links, block hashes of logs, bloom filters. Both sides leave out Transfer and Locked, and
both are counted in events that they record. Aims are those of issue 6; busy machines give less, so CPU time stands
beside wall time.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, func, select, text

from app.indexer import Indexer
from app.indexer.models import ChainEvent, IndexState
from app.migrate import upgrade
from chain.rpc import RpcClient
from chain.sql import open_engine, sessions
from scripts._anvil import Anvil
from scripts._bench import ponder_run
from scripts._bench.events import make_events
from scripts._bench.ledger import Ledger
from scripts._bench.node import remote
from scripts._bench.peers import PeerUnavailable
from scripts._postgres import Databases, postgres

AIM_EVENTS_PER_SECOND = 20_000
AIM_TIMES_PONDER = 8.0
AIM_LAG_P99_MS = 300.0


@dataclass(frozen=True)
class Run:
    """One backfill.

    Attributes:
        cpu_seconds: user and system time of the indexing process; `server_cpu_seconds` of PostgreSQL's for it.
    """

    seconds: float
    cpu_seconds: float
    server_cpu_seconds: float | None = None


@dataclass(frozen=True)
class IndexReport:
    """What was measured; runs by side: postgresql, sqlite, ponder."""

    events: int
    runs: dict[str, list[Run]]
    lag_ms: list[float]
    ponder_missing: str | None

    def events_per_second(self, side: str) -> float | None:
        """By the median run."""
        runs = self.runs[side]
        return self.events / statistics.median(run.seconds for run in runs) if runs else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        rates = {side: self.events_per_second(side) for side in self.runs}
        ours, theirs = rates["postgresql"], rates["ponder"]
        times = ours / theirs if ours and theirs else None
        p99 = _percentile(self.lag_ms, 99)
        return {
            "benchmark": "index",
            "events": self.events,
            "events_per_second": rates,
            "times_ponder": times,
            "lag_ms": {"blocks": len(self.lag_ms), "p50": _percentile(self.lag_ms, 50), "p99": p99},
            "aims_met": {
                "events_per_second": ours is not None and ours >= AIM_EVENTS_PER_SECOND,
                "times_ponder": None if times is None else times >= AIM_TIMES_PONDER,
                "lag_p99": None if p99 is None else p99 <= AIM_LAG_P99_MS,
            },
            "ponder": {"version": ponder_run.VERSION, "missing": self.ponder_missing},
            "runs": {side: [asdict(run) for run in runs] for side, runs in self.runs.items()},
        }


def measure(events: int, runs: int, *, ponder: bool, lag_blocks: int, progress: Callable[[str], None]) -> IndexReport:
    """Make the chain, then index it again and again.

    Args:
        ponder: whether to measure Ponder too.
        lag_blocks: blocks of one second to follow live.
        progress: told what goes on.
    """
    found: dict[str, list[Run]] = {"postgresql": [], "sqlite": [], "ponder": []}
    missing = None
    with (
        tempfile.TemporaryDirectory(prefix="suanquan-bench-", dir="/tmp") as folder,
        postgres(Path(folder) / "data") as databases,
        Anvil("--gas-limit", "100000000", "--block-base-fee-per-gas", "0") as anvil,
        remote(anvil.url) as node,
    ):
        ledger, start_block = make_events(node, events, lambda made: progress(f"{made:,} of {events:,} events made"))
        count = events
        for number in range(runs):
            progress(f"run {number + 1} of {runs}: PostgreSQL")
            run, count = _run(_url(databases), anvil.url, ledger, start_block)
            found["postgresql"].append(run)
            progress(f"run {number + 1} of {runs}: SQLite")
            run, _ = _run(f"sqlite:///{folder}/{number}.sqlite", anvil.url, ledger, start_block)
            found["sqlite"].append(run)
            if ponder and missing is None:
                progress(f"run {number + 1} of {runs}: Ponder")
                try:
                    theirs = ponder_run.run(
                        ponder_run.prepare(),
                        ponder_run.Target(anvil.url, ledger.contracts, start_block, count, databases.create()),
                    )
                    found["ponder"].append(Run(theirs.seconds, theirs.cpu_seconds))
                except PeerUnavailable as error:
                    missing = str(error)
        progress("lag")
        lag = _lag(_url(databases), anvil.url, ledger, start_block, lag_blocks)
    return IndexReport(count, found, lag, missing)


def show(report: IndexReport, screen: Console) -> None:
    """A table for people."""
    table = Table(title=f"{report.events:,} events, median of the runs", box=box.SIMPLE)
    for column in ("side", "events/s", "seconds", "CPU seconds"):
        table.add_column(column, justify="left" if column == "side" else "right")
    for side, runs in report.runs.items():
        if runs:
            seconds = statistics.median(run.seconds for run in runs)
            cpu_seconds = statistics.median(run.cpu_seconds for run in runs)
            table.add_row(side, f"{report.events / seconds:,.0f}", f"{seconds:.2f}", f"{cpu_seconds:.2f}")
    screen.print(table)
    content = report.to_dict()
    screen.print(
        f"times Ponder: {content['times_ponder']}; lag in ms: {content['lag_ms']}; aims: {content['aims_met']}"
    )
    if report.ponder_missing:
        screen.print(f"Ponder was not measured: {report.ponder_missing}", markup=False)


def _url(databases: Databases) -> str:
    return databases.create().replace("postgresql://", "postgresql+psycopg://", 1)


def _run(url: str, rpc_url: str, ledger: Ledger, start_block: int) -> tuple[Run, int]:
    with _database(url) as engine, RpcClient(rpc_url) as rpc:
        make = sessions(engine)
        indexer = Indexer(make, rpc, ledger.contracts, start_block)
        server = _server_process(engine)
        server_before = ponder_run.cpu_seconds(server) if server else 0.0
        began, cpu_began = time.monotonic(), time.process_time()
        indexer.catch_up()
        seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
        server_cpu_seconds = ponder_run.cpu_seconds(server) - server_before if server else None
        with make() as session:
            count = session.scalar(select(func.count()).select_from(ChainEvent)) or 0
    return Run(seconds, cpu_seconds, server_cpu_seconds), count


@contextmanager
def _database(url: str) -> Iterator[Engine]:
    upgrade(url)
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _server_process(engine: Engine) -> int | None:
    """The process that serves the pool's only connection."""
    if engine.dialect.name != "postgresql":
        return None
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def _lag(url: str, rpc_url: str, ledger: Ledger, start_block: int, blocks: int) -> list[float]:
    """Milliseconds from when a block is mined until queries show its event, once a second."""
    lags: list[float] = []
    with _database(url) as engine, RpcClient(rpc_url) as rpc:
        make = sessions(engine)
        indexer = Indexer(make, rpc, ledger.contracts, start_block)
        indexer.catch_up()
        stop = threading.Event()
        worker = threading.Thread(target=indexer.run, args=(stop,))
        worker.start()
        seen = select(IndexState.block_number)
        for number in range(blocks):
            second = time.monotonic()
            block = ledger.set_supplier(listed=number % 2 == 0)
            mined = time.monotonic()
            while True:
                with make() as session:
                    session.connection(execution_options={"readonly": True})
                    if (session.scalar(seen) or 0) >= block:
                        break
                time.sleep(0.002)
            lags.append((time.monotonic() - mined) * 1000)
            time.sleep(max(0.0, second + 1 - time.monotonic()))
        stop.set()
        worker.join()
    return lags


def _percentile(values: list[float], percent: int) -> float | None:
    """The smallest value that so many per cent do not exceed."""
    if not values:
        return None
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]
