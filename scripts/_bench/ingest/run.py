"""Measures the intake of evidence on one kind of database."""

import asyncio
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from chain.contracts import Contracts
from chain.keys import Keystore
from chain.rpc import RpcClient
from chain.verify import verify
from scripts._bench.ingest.client import Connection, at_rate, in_lanes, prepared
from scripts._bench.ingest.platforms import Platform, register
from scripts._bench.ingest.raw import insert_rates, rows_of
from scripts._bench.ingest.usage import usage
from scripts._demo.service import Service

RUNS = 5
LANES = 4
"""Platforms that post batches at the same time, each its submissions in order."""
BATCH = 1_000
LARGE_BATCH = 10_000
SINGLES_AT_ONCE = 64
RATE_PER_S = 300
RATE_SECONDS = 10.0
BATCH_AGE_S = 2.0
SAMPLE_RECORDS = 250_000
ANCHOR_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Scale:
    """How much is posted.

    Attributes:
        batches: Submissions of 1,000 signed records in each of five runs.
        singles: Posts of one record in each of five runs.
        records: Records of the long run over which memory is sampled; 0 leaves it out.
    """

    batches: int = 40
    singles: int = 3_000
    records: int = 0


@dataclass
class Bench:
    """A service with its platforms.

    Attributes:
        others: Processes beside the service whose use counts too: the database server.
    """

    service: Service
    database_url: str
    others: tuple[int, ...] = ()
    signing: list[Platform] = field(default_factory=lambda: [Platform(n, custody=False) for n in range(1, LANES + 1)])
    custody: Platform = field(default_factory=lambda: Platform(100, custody=True))

    def __post_init__(self) -> None:
        self.service.start()
        self._url = httpx.URL(self.service.url)
        register(self.service, [*self.signing, self.custody])
        about = self.service.get("/v1/chain")
        self._contracts = Contracts.from_dict({"chain_id": about["chain_id"], **about["contracts"]})
        self._key = Keystore(self.service.data_dir / "keys").secret("jurisdiction")

    def request(self, platform: Platform, size: int) -> bytes:
        """A post, ready to send."""
        body = platform.submission(size, self._contracts, self._key)
        return prepared(self._url, platform.api_key, body)

    def batches(self, submissions: int) -> dict[str, float]:
        """Signed submissions of 1,000 records: records a second, and what they cost the service and the client."""
        lanes = [[self.request(platform, BATCH) for _ in range(submissions // LANES)] for platform in self.signing]
        size = statistics.mean(len(request) for lane in lanes for request in lane) / BATCH
        before, own = usage(self.service.pid, *self.others), time.process_time()
        seconds = asyncio.run(in_lanes(self._url, lanes))
        count = sum(map(len, lanes)) * BATCH
        after, own = usage(self.service.pid, *self.others), time.process_time() - own
        return {
            "records_per_s": count / seconds,
            "service_cpu_us_per_record": (after.cpu_s - before.cpu_s) / count * 1e6,
            "client_cpu_us_per_record": own / count * 1e6,
            "bytes_per_record": size,
        }

    def singles(self, posts: int) -> dict[str, float]:
        """Posts of one record, 64 at a time."""
        lanes = [
            [self.request(self.custody, 1) for _ in range(posts // SINGLES_AT_ONCE)] for _ in range(SINGLES_AT_ONCE)
        ]
        before, own = usage(self.service.pid, *self.others), time.process_time()
        seconds = asyncio.run(in_lanes(self._url, lanes))
        count = sum(map(len, lanes))
        after, own = usage(self.service.pid, *self.others), time.process_time() - own
        return {
            "posts_per_s": count / seconds,
            "service_cpu_us_per_post": (after.cpu_s - before.cpu_s) / count * 1e6,
            "client_cpu_us_per_post": own / count * 1e6,
        }

    def latency(self) -> dict[str, float]:
        """Posts of one record at 300 a second: milliseconds."""
        count = int(RATE_PER_S * RATE_SECONDS)
        requests = iter([self.request(self.custody, 1) for _ in range(count)])
        found = asyncio.run(at_rate(self._url, requests, per_s=RATE_PER_S, seconds=RATE_SECONDS))
        cuts = statistics.quantiles(found, n=100)
        return {"p50_ms": cuts[49] * 1e3, "p99_ms": cuts[98] * 1e3, "max_ms": max(found) * 1e3}

    def anchoring(self) -> dict[str, float]:
        """One submission of 10,000 records, posted when all before are anchored: seconds from receipt to anchored, gas
        of its batch, and milliseconds in which a bundle of one of its records is verified offline."""
        self._await_anchored(self.custody.uscc)
        answer = asyncio.run(self._one(self.request(self.custody, LARGE_BATCH)))
        start = time.perf_counter()
        receipt = msgspec.json.decode(answer)
        self._await_anchored(self.custody.uscc)
        seconds = time.perf_counter() - start
        view = self.service.get(f"/v1/evidence/{receipt['items'][0]['id']}", self.service.keys()["operator"])
        with RpcClient(self.service.node_url) as rpc:
            gas = int(rpc.call("eth_getTransactionReceipt", view["tx_hash"])["gasUsed"], 16)
        bundle = self.service.fetch(f"/v1/evidence/{view['id']}/bundle", self.service.keys()["operator"])
        return {
            "seconds_to_anchored": seconds,
            "gas": gas,
            "gas_per_record": gas / LARGE_BATCH,
            "verify_offline_ms": statistics.median(_verified(bundle) for _ in range(RUNS)) * 1e3,
        }

    async def _one(self, request: bytes) -> bytes:
        connection = await Connection.open(self._url)
        answer = await connection.send(request)
        connection.close()
        return answer

    def _await_anchored(self, uscc: str) -> None:
        key = self.service.keys()["operator"]
        deadline = time.monotonic() + ANCHOR_TIMEOUT_S
        while time.monotonic() < deadline:
            view = self.service.get(f"/v1/platforms/{uscc}/stream", key)
            if view["anchored_to"] == view["next_sequence"] - 1 and not view["pending"]:
                return
            time.sleep(0.05)
        raise TimeoutError(f"{uscc} was not anchored within {ANCHOR_TIMEOUT_S:g} s")

    def long_run(self, records: int) -> dict[str, Any]:
        """Many records in custody, and the service's memory meanwhile."""
        samples: list[dict[str, float]] = []
        done = 0
        start = time.perf_counter()
        while done < records:
            part = min(SAMPLE_RECORDS, records - done) // (LANES * BATCH)
            for _ in range(part):
                lanes = [[self.request(self.custody, BATCH)] for _ in range(LANES)]
                asyncio.run(in_lanes(self._url, lanes))
            done += max(part, 1) * LANES * BATCH
            used = usage(self.service.pid)
            samples.append(
                {"records": done, "rss_mb": round(used.root_rss_mb, 1), "tree_rss_mb": round(used.rss_mb, 1)}
            )
        return {"records": done, "seconds": time.perf_counter() - start, "samples": samples}


def measure(folder: Path, database_url: str, raw_url: str, others: tuple[int, ...], scale: Scale) -> dict[str, Any]:
    """All figures on one database.

    Args:
        folder: Of the service, empty.
        raw_url: Another, empty database on the same server, or another file.
    """
    settings = {
        "DATABASE_URL": database_url,
        "SUANQUAN_BATCH_MAX_AGE_S": str(BATCH_AGE_S),
        # The limits of one key are not what is measured.
        "SUANQUAN_POSTS_PER_S": "1000000",
        "SUANQUAN_RECORDS_PER_S": "10000000",
    }
    service = Service(folder, settings)
    try:
        bench = Bench(service, database_url, others)
        bench.batches(LANES)  # starts the checking processes
        found: dict[str, Any] = {
            "batches": _medians([bench.batches(scale.batches) for _ in range(RUNS)]),
            "singles": _medians([bench.singles(scale.singles) for _ in range(RUNS)]),
            "at_300_per_s": _medians([bench.latency() for _ in range(RUNS)]),
            "anchoring": bench.anchoring(),
        }
        found["anchoring"]["batch_age_s"] = BATCH_AGE_S
        if scale.records:
            found["long_run"] = bench.long_run(scale.records)
    finally:
        service.kill()
    parents, groups = rows_of(database_url, BATCH, scale.batches)
    raw = statistics.median(insert_rates(raw_url, parents, groups, RUNS))
    found["raw_insert_rows_per_s"] = raw
    found["ratio_to_raw"] = found["batches"]["records_per_s"] / raw
    return found


def _verified(bundle: bytes) -> float:
    """Seconds in which a bundle is verified."""
    start = time.perf_counter()
    report = verify(bundle)
    seconds = time.perf_counter() - start
    assert report.ok, report.failed  # noqa: S101 - else there is nothing to measure
    return seconds


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}
