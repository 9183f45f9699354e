"""Time of reports over millions of rows, over HTTP, on a PostgreSQL that `load.py` filled.

    ./scripts/bench reports --scale 1 --data /tmp/suanquan-bench-reports

A service with its own embedded chain answers; its workers rest, so that nothing but the report is measured. Filling the
database at full size takes a quarter of an hour on a small machine and 20 GB; with `--data` it is kept, and a later run
measures at once.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, func, select

from app.entities.models import Organisation
from app.indexer.models import ChainBlock, IndexState
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from scripts._bench.load import load
from scripts._bench.load_sql import SUPPLIERS
from scripts._postgres import postgres

AIM_OVERVIEW_MS = 100.0
AIM_OTHER_MS = 2_000.0
_TIMES = 15
_SUPPLIER = "91410100MA0000000X"
_LOADED = "loaded.json"
_OVERVIEW = "overview"
PATHS = (
    _OVERVIEW,
    *(f"overview?dimension={one}" for one in ("periods", "tiers", "regions", "kinds", "suppliers")),
    "overview?as_of=2025-06-17",
    "overview?as_of=60000",
    "overview?dimension=suppliers&as_of=60000",
    "flows?by=month&dimension=regions",
    "flows?by=day&dimension=programmes",
    "flows?by=month&dimension=suppliers",
    "budgets",
    "budgets?as_of=60000",
    "burn",
    "burn?by=day",
    "progress",
    "progress?as_of=2025-06-17",
    "stages",
    "suppliers?first=2025-01-01&last=2025-12-31",
    "statement?supplier={uscc}",
    "statement?supplier={uscc}&by=day",
    "concentration",
    "concentration?first=2025-01-15&last=2025-11-17&as_of=60000",
    "refusals",
    "refusals?first=2025-01-15&last=2025-11-17",
    "effect",
    "voucher?voucher_id=4294967297",
    "overview?dimension=regions&format=csv",
    "overview?dimension=regions&format=xlsx",
    "overview?dimension=regions&format=pdf",
)
"""What is asked for."""


@dataclass(frozen=True)
class ReportTimes:
    """Milliseconds of each answer by path, and the rows that they were read from."""

    rows: dict[str, int]
    load_seconds: float
    times_ms: dict[str, list[float]]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        medians = {path: statistics.median(times) for path, times in self.times_ms.items()}
        others = [median for path, median in medians.items() if path != _OVERVIEW]
        overview_ms = medians.get(_OVERVIEW, 0.0)
        return {
            "benchmark": "reports",
            "rows": self.rows,
            "load_seconds": self.load_seconds,
            "median_ms": medians,
            "worst_ms": {path: max(times) for path, times in self.times_ms.items()},
            "aims_met": {
                "overview": overview_ms <= AIM_OVERVIEW_MS,
                "others": max(others, default=0.0) <= AIM_OTHER_MS,
            },
        }


def measure(scale: float, data: Path | None, *, only_load: bool, progress: Callable[[str], None]) -> ReportTimes:
    """Fill a PostgreSQL of its own, or take one that is filled, and ask for each report.

    Args:
        scale: 1 for a million vouchers.
        data: Folder in which the database is kept; None for one that goes away.
        only_load: Ask for nothing.
        progress: told what goes on.
    """
    with _folder(data) as folder, postgres(folder / "data") as databases:
        kept = folder / _LOADED
        loaded: dict[str, Any] = (
            json.loads(kept.read_text()) if kept.exists() else {"url": databases.create(), "rows": None}
        )
        settings = Settings(data_dir=folder / "service", DATABASE_URL=loaded["url"], CHAIN_URL="", port=0, node_port=0)
        progress("starting a service")
        with Runtime(settings) as runtime:
            if loaded["rows"] is None:
                databases.trade_durability_for_speed()
                began = time.monotonic()
                engine = create_engine(settings.database_url)
                loaded["rows"] = load(engine, scale, progress)
                engine.dispose()
                loaded["seconds"] = round(time.monotonic() - began, 1)
                _introduce(runtime)
                kept.write_text(json.dumps(loaded))
            key = json.loads((settings.data_dir / "api-keys.json").read_text())["finance"]
            http = TestClient(create_app(runtime.gateway), headers={"Authorization": f"Bearer {key}"})
            times_ms: dict[str, list[float]] = {}
            for path in () if only_load else PATHS:
                progress(path)
                times_ms[path] = _ask(http, f"/v1/reports/{path.replace('{uscc}', _SUPPLIER)}")
    return ReportTimes(loaded["rows"], loaded["seconds"], times_ms)


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


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="suanquan-bench-", dir="/tmp") as folder:
        yield Path(folder)


def _introduce(runtime: Runtime) -> None:
    """Let the gateway know a supplier and the newest block."""
    gateway = runtime.gateway
    with gateway.sessions.begin() as session:
        session.add(
            Organisation(
                uscc=_SUPPLIER,
                entity_id=_supplier_id(),
                name="供应商",
                kind="supplier",
                region="410100",
                controller="",
                account=bytes(20),
                custodial=False,
                created_at=1,
            )
        )
        number = session.scalar(select(func.max(ChainBlock.number)))
        block = session.get_one(ChainBlock, number)
        session.add(
            IndexState(
                chain_id=gateway.contracts.chain_id,
                deployment=gateway.contracts.ledger,
                block_number=block.number,
                block_hash=block.hash,
                timestamp=block.timestamp,
                final_block_number=block.number,
            )
        )


def _supplier_id() -> bytes:
    return sha256(f"supplier{SUPPLIERS - 1}".encode()).digest()


def _ask(http: TestClient, path: str) -> list[float]:
    found = []
    for _ in range(_TIMES):
        began = time.monotonic()
        answer = http.get(path)
        found.append((time.monotonic() - began) * 1000)
        if answer.status_code != 200:
            raise AssertionError(f"{path}: {answer.status_code} {answer.text}")
    return found
