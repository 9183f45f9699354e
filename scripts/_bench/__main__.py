"""Runs one benchmark; the table goes to the screen, or with `--json` one object to standard output."""

import argparse
import json
import sys

from rich.console import Console

from scripts._bench.gas import measure, show
from scripts._bench.ingest.report import run
from scripts._bench.ingest.report import show as show_ingest
from scripts._bench.ingest.run import Scale
from scripts._bench.node import embedded, remote
from scripts._bench.quote import measure_quotes, show_quotes

DATABASES = ["sqlite", "postgresql"]


def main() -> int:
    """Runs the benchmark that the command line names; 0 if it could be measured."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure the service on this machine.")
    benchmarks = parser.add_subparsers(dest="benchmark", required=True)
    gas_parser = benchmarks.add_parser("gas", help="gas of whole transactions beside their floor and their peers")
    gas_parser.add_argument("--rpc", metavar="URL", help="a node instead of the embedded one, for example anvil")
    gas_parser.add_argument("--no-eas", action="store_true", help="leave out EAS, which is fetched from npm once")
    gas_parser.add_argument("--json", action="store_true", help="print one JSON object")
    ingest_parser = benchmarks.add_parser(
        "ingest", help="how much evidence the gateway takes, on SQLite and PostgreSQL"
    )
    ingest_parser.add_argument("--database", choices=DATABASES, action="append", help="this one only")
    ingest_parser.add_argument("--batches", type=int, default=40, help="submissions of 1,000 records in each of 5 runs")
    ingest_parser.add_argument("--singles", type=int, default=3_000, help="posts of one record in each of 5 runs")
    ingest_parser.add_argument("--records", type=int, default=0, help="then a long run of so many, sampling memory")
    ingest_parser.add_argument("--json", action="store_true", help="print one JSON object")
    quote_parser = benchmarks.add_parser("quote", help="quotations a second in one process")
    quote_parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()

    screen = Console(stderr=options.json)
    if options.benchmark == "ingest":
        scale = Scale(batches=options.batches, singles=options.singles, records=options.records)
        with screen.status("posting"):
            found = run(options.database or DATABASES, scale)
        if options.json:
            print(json.dumps(found, ensure_ascii=False))
        else:
            show_ingest(found, screen)
        return 0
    if options.benchmark == "quote":
        quotes = measure_quotes()
        if options.json:
            print(json.dumps(quotes.to_dict()))
        else:
            show_quotes(quotes, screen)
        return 0
    with remote(options.rpc) if options.rpc else embedded() as node, screen.status("deploying"):
        report = measure(node, eas=not options.no_eas)
    if options.json:
        print(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        show(report, screen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
