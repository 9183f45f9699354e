"""Time of reports over millions of rows, over HTTP, on a PostgreSQL that `load.py` filled.

    ./scripts/bench reports --scale 1

A service with its own embedded chain answers; its workers rest, so that nothing but the report is measured. Filling the
database at full size takes half an hour on a small machine and 15 GB.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine

from app.entities.models import Organisation
from app.indexer.models import IndexState
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from scripts._bench.load import SUPPLIERS, digest, load
from scripts._postgres import postgres

AIM_OVERVIEW_MS = 100.0
AIM_OTHER_MS = 2_000.0
_TIMES = 15


@dataclass(frozen=True)
class ReportTimes:
    """Milliseconds of each answer by path, and the rows that they were read from."""

    rows: dict[str, int]
    load_seconds: float
    times_ms: dict[str, list[float]]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        medians = {path: statistics.median(times) for path, times in self.times_ms.items()}
        overview = medians["/v1/reports/overview"]
        others = [median for path, median in medians.items() if path != "/v1/reports/overview"]
        return {
            "benchmark": "reports",
            "rows": self.rows,
            "load_seconds": self.load_seconds,
            "median_ms": medians,
            "worst_ms": {path: max(times) for path, times in self.times_ms.items()},
            "aims_met": {"overview": overview <= AIM_OVERVIEW_MS, "others": max(others) <= AIM_OTHER_MS},
        }


def measure(scale: float, progress: Callable[[str], None]) -> ReportTimes:
    """Fill a PostgreSQL of its own and ask for each report.

    Args:
        scale: 1 for a million vouchers.
        progress: told what goes on.
    """
    with (
        tempfile.TemporaryDirectory(prefix="suanquan-bench-", dir="/tmp") as folder,
        postgres(Path(folder) / "data") as databases,
    ):
        settings = Settings(
            data_dir=Path(folder) / "service", DATABASE_URL=databases.create(), CHAIN_URL="", port=0, node_port=0
        )
        progress("starting a service")
        with Runtime(settings) as runtime:
            began = time.monotonic()
            engine = create_engine(settings.database_url)
            rows = load(engine, scale, progress)
            engine.dispose()
            load_seconds = time.monotonic() - began
            supplier = _introduce(runtime)
            key = json.loads((settings.data_dir / "api-keys.json").read_text())["finance"]
            http = TestClient(create_app(runtime.gateway), headers={"Authorization": f"Bearer {key}"})
            paths = (
                "/v1/reports/overview",
                "/v1/reports/flows?by=month&dimension=regions",
                "/v1/reports/flows?by=day&dimension=programmes",
                "/v1/reports/refusals",
                f"/v1/suppliers/{supplier}/ledger",
            )
            times_ms = {path.replace(supplier, "{uscc}"): _ask(http, path) for path in paths}
    return ReportTimes(rows, load_seconds, times_ms)


def show(found: ReportTimes, screen: Console) -> None:
    """A table for people."""
    content = found.to_dict()
    table = Table(title=f"{found.rows}, loaded in {found.load_seconds:.0f} s", box=box.SIMPLE)
    for column in ("report", "median ms", "worst ms"):
        table.add_column(column, justify="left" if column == "report" else "right")
    for path, median in content["median_ms"].items():
        table.add_row(path, f"{median:.1f}", f"{content['worst_ms'][path]:.1f}")
    screen.print(table)
    screen.print(f"aims met: {content['aims_met']}")


def _introduce(runtime: Runtime) -> str:
    """Let the gateway know a supplier and the block; the supplier's number."""
    gateway = runtime.gateway
    uscc = "91410100MA0000000X"
    with gateway.sessions.begin() as session:
        session.add(
            Organisation(
                uscc=uscc,
                entity_id=digest("supplier", SUPPLIERS - 1),
                name="供应商",
                kind="supplier",
                region="410100",
                controller="",
                account=bytes(20),
                custodial=False,
                created_at=1,
            )
        )
        session.add(
            IndexState(
                chain_id=gateway.contracts.chain_id,
                deployment=gateway.contracts.ledger,
                block_number=1,
                block_hash=bytes(32),
                timestamp=1,
                final_block_number=0,
            )
        )
    return uscc


def _ask(http: TestClient, path: str) -> list[float]:
    found = []
    for _ in range(_TIMES):
        began = time.monotonic()
        answer = http.get(path)
        found.append((time.monotonic() - began) * 1000)
        if answer.status_code != 200:
            raise AssertionError(f"{path}: {answer.status_code} {answer.text}")
    return found
