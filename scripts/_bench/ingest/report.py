"""Runs the measurements on SQLite and PostgreSQL, and shows them."""

import os
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts._bench.ingest.run import Scale, measure
from scripts._postgres import postgres

ROWS = (
    ("batches of 1,000: records/s", "batches", "records_per_s"),
    ("… service and database CPU, µs a record", "batches", "service_cpu_us_per_record"),
    ("… client CPU, µs a record", "batches", "client_cpu_us_per_record"),
    ("… bytes a record", "batches", "bytes_per_record"),
    ("single posts/s, 64 at once", "singles", "posts_per_s"),
    ("… service and database CPU, µs a post", "singles", "service_cpu_us_per_post"),
    ("at 300/s: median, ms", "at_300_per_s", "p50_ms"),
    ("at 300/s: 99th percentile, ms", "at_300_per_s", "p99_ms"),
    ("10,000 records: receipt to anchored, s", "anchoring", "seconds_to_anchored"),
    ("… gas a record", "anchoring", "gas_per_record"),
    ("… a bundle of it verified offline, ms", "anchoring", "verify_offline_ms"),
)


def run(databases: list[str], scale: Scale) -> dict[str, Any]:
    """The figures of each database."""
    found: dict[str, Any] = {"benchmark": "ingest", "cores": os.cpu_count(), "load_before": os.getloadavg()[0]}
    for name in databases:
        # Not on /tmp, which may be memory: what is acknowledged must be on a disk.
        with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
            found[name] = _on_sqlite(Path(folder), scale) if name == "sqlite" else _on_postgresql(Path(folder), scale)
    found["load_after"] = os.getloadavg()[0]
    return found


def _on_sqlite(folder: Path, scale: Scale) -> dict[str, Any]:
    data = folder / "service"
    data.mkdir()
    return measure(data, f"sqlite:///{data / 'gateway.sqlite'}", f"sqlite:///{folder / 'raw.sqlite'}", (), scale)


def _on_postgresql(folder: Path, scale: Scale) -> dict[str, Any]:
    data = folder / "service"
    data.mkdir()
    server = Path(tempfile.mkdtemp(prefix="suanquan-bench-pg-"))
    with postgres(server / "data") as databases:
        pid = int((server / "data" / "postmaster.pid").read_text().split()[0])
        url, raw = (databases.create().replace("postgresql://", "postgresql+psycopg://", 1) for _ in range(2))
        return measure(data, url, raw, (pid,), scale)


def show(found: dict[str, Any], screen: Console) -> None:
    """The figures as a table."""
    names = [name for name in ("sqlite", "postgresql") if name in found]
    table = Table("medians of 5", *names)
    for title, group, figure in ROWS:
        table.add_row(title, *(f"{found[name][group][figure]:,.1f}" for name in names))
    table.add_row(
        "raw bulk insert of the same rows/s", *(f"{found[name]['raw_insert_rows_per_s']:,.0f}" for name in names)
    )
    table.add_row("service ÷ raw", *(f"{found[name]['ratio_to_raw']:.2f}" for name in names))
    screen.print(table)
    for name in names:
        for sample in found[name].get("long_run", {}).get("samples", []):
            screen.print(f"{name}: {sample['records']:>10,} records, service {sample['rss_mb']:.1f} MB")
