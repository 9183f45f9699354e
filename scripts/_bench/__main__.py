"""Runs one benchmark; the table goes to the screen, or with `--json` one object to standard output."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from scripts._bench import audit, index, reports
from scripts._bench.checks.report import SEED, measure_checks, show_checks
from scripts._bench.gas import measure, show
from scripts._bench.ingest.report import run
from scripts._bench.ingest.report import show as show_ingest
from scripts._bench.ingest.run import Scale
from scripts._bench.node import embedded, remote
from scripts._bench.quote import measure_quotes, show_quotes
from scripts._bench.relay import report as relay

DATABASES = ["sqlite", "postgresql"]


def main() -> int:
    """Runs the benchmark that the command line names; 0 if it could be measured."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure the service on this machine.")
    benchmarks = parser.add_subparsers(dest="benchmark", required=True)
    gas_parser = benchmarks.add_parser("gas", help="gas of whole transactions beside their floor and their peers")
    gas_parser.add_argument("--rpc", metavar="URL", help="a node instead of the embedded one, for example anvil")
    gas_parser.add_argument("--no-eas", action="store_true", help="leave out EAS, which is fetched from npm once")
    ingest_parser = benchmarks.add_parser(
        "ingest", help="how much evidence the gateway takes, on SQLite and PostgreSQL"
    )
    ingest_parser.add_argument("--database", choices=DATABASES, action="append", help="this one only")
    ingest_parser.add_argument("--batches", type=int, default=40, help="submissions of 1,000 records in each of 5 runs")
    ingest_parser.add_argument("--singles", type=int, default=3_000, help="posts of one record in each of 5 runs")
    ingest_parser.add_argument("--records", type=int, default=0, help="then a long run of so many, sampling memory")
    quote_parser = benchmarks.add_parser("quote", help="quotations a second in one process")
    index_parser = benchmarks.add_parser("index", help="events indexed a second, beside Ponder")
    index_parser.add_argument("--events", type=int, default=100_000, help="events on the chain (100000)")
    index_parser.add_argument("--runs", type=int, default=5, help="runs of each side (5)")
    index_parser.add_argument("--no-ponder", action="store_true", help="leave out Ponder, fetched from npm once")
    index_parser.add_argument("--lag-blocks", type=int, default=100, help="seconds and blocks to follow live (100)")
    audit_parser = benchmarks.add_parser("audit", help="time and memory of an audit of a chain made for it")
    audit_parser.add_argument("--events", type=int, default=1_000_000, help="a tenth of them vouchers (1000000)")
    reports_parser = benchmarks.add_parser("reports", help="time of reports over millions of rows in PostgreSQL")
    reports_parser.add_argument("--scale", type=float, default=1.0, help="1 is a million vouchers (1)")
    reports_parser.add_argument("--data", type=Path, metavar="FOLDER", help="keep the database, or take the one there")
    reports_parser.add_argument("--only-load", action="store_true", help="fill the database and ask for nothing")
    checks_parser = benchmarks.add_parser("checks", help="precision and recall of the fraud checks on seeded data")
    checks_parser.add_argument("--seed", type=int, default=SEED, help=f"another draw of the same kinds ({SEED})")
    checks_parser.add_argument("--cases", type=int, default=3_000, help="cases of each check (3000)")
    relay_parser = benchmarks.add_parser("relay", help="redemptions a second, beside the node's own limit and viem")
    relay_parser.add_argument("--requests", type=int, default=5_000, help="redemptions in each run (5000)")
    relay_parser.add_argument("--concurrency", type=int, default=32, help="requests at a time (32)")
    relay_parser.add_argument("--runs", type=int, default=3, help="runs of each side (3)")
    relay_parser.add_argument("--database", choices=DATABASES, default="sqlite")
    relay_parser.add_argument("--no-viem", action="store_true", help="leave out viem, which is fetched from npm once")
    parsers = (
        gas_parser,
        ingest_parser,
        quote_parser,
        index_parser,
        audit_parser,
        reports_parser,
        checks_parser,
        relay_parser,
    )
    for each in parsers:
        each.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()

    screen = Console(stderr=options.json)
    content, display = _BENCHMARKS[options.benchmark](options, screen)
    if options.json:
        print(json.dumps(content, ensure_ascii=False))
    else:
        display()
    return 0


Measured = tuple[dict[str, Any], Callable[[], None]]
"""What was measured, JSON-able, and what shows it to people."""


def _gas(options: argparse.Namespace, screen: Console) -> Measured:
    with remote(options.rpc) if options.rpc else embedded() as node, screen.status("deploying"):
        report = measure(node, eas=not options.no_eas)
    return report.to_dict(), lambda: show(report, screen)


def _ingest(options: argparse.Namespace, screen: Console) -> Measured:
    scale = Scale(batches=options.batches, singles=options.singles, records=options.records)
    with screen.status("posting"):
        found = run(options.database or DATABASES, scale)
    return found, lambda: show_ingest(found, screen)


def _checks(options: argparse.Namespace, screen: Console) -> Measured:
    rows = measure_checks(options.cases, options.seed)
    return {"seed": options.seed, "checks": [row.to_dict() for row in rows]}, lambda: show_checks(rows, screen)


def _quote(_: argparse.Namespace, screen: Console) -> Measured:
    quotes = measure_quotes()
    return quotes.to_dict(), lambda: show_quotes(quotes, screen)


def _index(options: argparse.Namespace, screen: Console) -> Measured:
    with screen.status("starting") as status:
        found = index.measure(
            options.events,
            options.runs,
            ponder=not options.no_ponder,
            lag_blocks=options.lag_blocks,
            progress=status.update,
        )
    return found.to_dict(), lambda: index.show(found, screen)


def _audit(options: argparse.Namespace, screen: Console) -> Measured:
    with screen.status("starting") as status:
        found = audit.measure(options.events, progress=status.update)
    return found.to_dict(), lambda: audit.show(found, screen)


def _reports(options: argparse.Namespace, screen: Console) -> Measured:
    with screen.status("starting") as status:
        found = reports.measure(options.scale, options.data, only_load=options.only_load, progress=status.update)
    return found.to_dict(), lambda: reports.show(found, screen)


def _relay(options: argparse.Namespace, screen: Console) -> Measured:
    scale = relay.Scale(options.requests, options.concurrency, options.runs)
    with screen.status("preparing") as status:
        found = relay.measure(scale, options.database, viem=not options.no_viem, progress=status.update)
    return found, lambda: relay.show(found, screen)


_BENCHMARKS = {
    "gas": _gas,
    "ingest": _ingest,
    "quote": _quote,
    "checks": _checks,
    "index": _index,
    "audit": _audit,
    "reports": _reports,
    "relay": _relay,
}


if __name__ == "__main__":
    sys.exit(main())
