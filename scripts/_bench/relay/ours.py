"""Our side: requests are answered when they are durable; a relay in a process of its own sends them."""

import multiprocessing
import queue
import signal
import statistics
import threading
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.gateway import commands_at_once
from app.migrate import upgrade
from chain.contracts import Contracts
from chain.keys import LocalSigner
from chain.relay import Operation, Relay, enqueue
from chain.relay.models import UNFINISHED
from chain.rpc import RpcClient
from chain.sql import open_engine, reading, sessions
from scripts._anvil import Anvil
from scripts._bench.ingest.usage import usage
from scripts._bench.relay.world import World

_TIMEOUT_S = 900.0
_WARM_S = 30.0


@dataclass(frozen=True)
class Ours:
    """How a run is made.

    Attributes:
        database_pid: the database server, if there is one.
        concurrency: requests at a time.
        signers: keys that share the work.
        merged_at_most: redemptions of one transaction; 1 merges nothing.
    """

    database_url: str
    database_pid: int | None
    concurrency: int
    signers: int
    merged_at_most: int


def run(world: World, anvil: Anvil, how: Ours) -> dict[str, float]:
    """Accept all calls and wait until each is known to be mined.

    Raises:
        AssertionError: a redemption did not succeed.
        TimeoutError: not all were mined.
    """
    upgrade(how.database_url)
    engine = open_engine(how.database_url)
    make = sessions(engine)
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    arguments = (how, anvil.url, world.keys[: how.signers], world.contracts.to_dict(), ready)
    process = spawn.Process(target=_serve, args=arguments, daemon=True)
    process.start()
    try:
        if not ready.wait(_WARM_S) or process.pid is None:
            raise TimeoutError("the relay's process did not start")
        others = [] if how.database_pid is None else [how.database_pid]
        before = {"relay": usage(process.pid).cpu_s, "node": usage(anvil.pid).cpu_s}
        database_before = usage(*others).cpu_s if others else 0.0
        own = time.process_time()
        began = time.perf_counter()
        latencies = _accept(make, world, how)
        accepted_s = time.perf_counter() - began
        accepting_cpu_s = time.process_time() - own
        _wait(make)
        mined_s = time.perf_counter() - began
        used = {"relay": usage(process.pid).cpu_s - before["relay"], "node": usage(anvil.pid).cpu_s - before["node"]}
        used["database"] = (usage(*others).cpu_s if others else 0.0) - database_before
    finally:
        process.terminate()
        process.join()
    with RpcClient(anvil.url) as rpc:
        world.check(rpc)
    engine.dispose()
    count = len(world.calls)
    return {
        "accepted_per_s": count / accepted_s,
        "accept_p50_ms": statistics.median(latencies) * 1e3,
        "accept_p99_ms": statistics.quantiles(latencies, n=100)[98] * 1e3,
        "mined_per_s": count / mined_s,
        "accepting_cpu_us": accepting_cpu_s / count * 1e6,
        **{f"{name}_cpu_us": seconds / count * 1e6 for name, seconds in used.items()},
    }


def _accept(make: sessionmaker[Session], world: World, how: Ours) -> list[float]:
    """Each request is one transaction, as in the gateway; seconds that each took."""
    to = bytes.fromhex(world.contracts.addresses["VoucherLedger"].removeprefix("0x"))
    waiting: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    # The gateway's gate: on SQLite its commands take turns in the event loop, not at the database's lock.
    gate = threading.Semaphore(commands_at_once(how.database_url))
    for place, call in enumerate(world.calls):
        waiting.put((_name(place % how.signers), call))
    latencies: list[float] = []

    def lane() -> None:
        while True:
            try:
                signer, call = waiting.get_nowait()
            except queue.Empty:
                return
            began = time.perf_counter()
            with gate, make.begin() as session:
                enqueue(session, kind="redeem", signer=signer, to=to, data=call)
            latencies.append(time.perf_counter() - began)

    threads = [threading.Thread(target=lane) for _ in range(how.concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


def _wait(make: sessionmaker[Session]) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        with reading(make) as session:
            if session.scalar(select(Operation.seq).where(Operation.status.in_(UNFINISHED)).limit(1)) is None:
                return
        time.sleep(0.02)
    raise TimeoutError(f"not all operations ended within {_TIMEOUT_S:g} s")


def _name(place: int) -> str:
    return f"relayer-{place + 1}"


def _serve(how: Ours, node_url: str, keys: list[bytes], contracts: dict[str, Any], ready: Any) -> None:
    """The relay's process."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    make = sessions(open_engine(how.database_url))
    with RpcClient(node_url) as rpc:
        signers = {_name(place): LocalSigner(key) for place, key in enumerate(keys)}
        relay = Relay(make, rpc, signers, Contracts.from_dict(contracts), merged_at_most=how.merged_at_most)
        ready.set()
        relay.run(stop)
