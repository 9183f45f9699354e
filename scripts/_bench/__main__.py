"""Runs one benchmark; the table goes to the screen, or with `--json` one object to standard output."""

import argparse
import json
import sys

from rich.console import Console

from scripts._bench.gas import measure, show
from scripts._bench.node import embedded, remote


def main() -> int:
    """Runs the benchmark that the command line names; 0 if it could be measured."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure the service on this machine.")
    benchmarks = parser.add_subparsers(dest="benchmark", required=True)
    gas_parser = benchmarks.add_parser("gas", help="gas of whole transactions beside their floor and their peers")
    gas_parser.add_argument("--rpc", metavar="URL", help="a node instead of the embedded one, for example anvil")
    gas_parser.add_argument("--no-eas", action="store_true", help="leave out EAS, which is fetched from npm once")
    gas_parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()

    screen = Console(stderr=options.json)
    with remote(options.rpc) if options.rpc else embedded() as node, screen.status("deploying"):
        report = measure(node, eas=not options.no_eas)
    if options.json:
        print(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        show(report, screen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
