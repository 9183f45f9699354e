"""Runs one campaign: `./scripts/chaos --kills 200 --seed 7 --json`."""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from scripts._chaos.campaign import Options, carry_out


def main() -> int:
    """0 if nothing was lost or done twice."""
    parser = argparse.ArgumentParser(prog="scripts/chaos", description="Break a running service, and check its books.")
    parser.add_argument("--kills", type=int, default=10, help="processes killed, at least")
    parser.add_argument("--seed", type=int, default=1, help="what the moments are drawn by")
    parser.add_argument("--chain", choices=("anvil", "embedded"), default="anvil")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work in this folder and leave it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    screen = Console(stderr=True)
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="suanquan-chaos-")))
        folder.mkdir(exist_ok=True)
        options = Options(
            kills=given.kills, seed=given.seed, chain=given.chain, database=given.database, folder=folder.resolve()
        )
        report = carry_out(options, lambda text: screen.print(text, end="\r"))
    print(json.dumps(report) if given.json else "\n".join(f"{name:26} {value}" for name, value in report.items()))
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
