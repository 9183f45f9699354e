"""Runs the long campaigns; see scripts/check.

python -m scripts._long                    all of them
python -m scripts._long slither coverage   these
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from . import chaos, coverage, differential, fuzz, indexer, mutation, slither, symbolic
from .campaign import REPORTS, ROOT, CampaignError, Options, Result

CAMPAIGNS: dict[str, Callable[[Options], Result]] = {
    "fuzz": fuzz.campaign,
    "slither": slither.campaign,
    "symbolic": symbolic.campaign,
    "coverage": coverage.campaign,
    "differential": differential.campaign,
    "indexer": indexer.campaign,
    "chaos": chaos.campaign,
    "mutation": mutation.campaign,
}
SEED = 20240428
RESULTS = REPORTS / "results.json"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the table.

    Attributes:
        minutes: wall time.
        cpu_minutes: user and system time of the programs that were run, which tells more on a busy machine.
    """

    name: str
    passed: bool
    figures: str
    goal: str
    minutes: float
    cpu_minutes: float


class Copied:
    """Text goes to a stream and to a file."""

    def __init__(self, stream: TextIO, file: TextIO) -> None:
        self._stream = stream
        self._file = file

    def write(self, text: str) -> int:
        self._file.write(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._file.flush()
        self._stream.flush()


def carry_out(name: str, options: Options, stream: TextIO) -> Line:
    """Runs one campaign; what it prints goes to the stream and to .cache/long/NAME.txt."""
    began, before = time.monotonic(), os.times()
    report = Path(REPORTS, f"{name}.txt")
    with report.open("w", encoding="utf-8") as file, contextlib.redirect_stdout(Copied(stream, file)):
        print(f"\n=== {name}", flush=True)
        try:
            result = CAMPAIGNS[name](options)
        except CampaignError as error:
            print(error, flush=True)
            result = Result(passed=False, figures="could not be carried out", goal="to be carried out")
    after = os.times()
    used = sum(after[:4]) - sum(before[:4])
    return Line(
        name=name,
        passed=result.passed,
        figures=result.figures,
        goal=result.goal,
        minutes=round((time.monotonic() - began) / 60, 1),
        cpu_minutes=round(used / 60, 1),
    )


def commit() -> str:
    """The commit that was tested, with a + where the sources differ from it; empty outside of a checkout."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    changes = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=False)
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")


def print_table(lines: list[Line]) -> None:
    print(f"\n{'campaign':<13} {'result':<7} {'minutes':>8} {'CPU':>7}  figures")
    for line in lines:
        result = "ok" if line.passed else "FAILED"
        print(f"{line.name:<13} {result:<7} {line.minutes:>8.1f} {line.cpu_minutes:>7.1f}  {line.figures}")
        print(f"{'':<39} goal: {line.goal}")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/check --long", description="Run the long campaigns over the contracts and the indexer."
    )
    parser.add_argument("campaigns", nargs="*", choices=[[], *CAMPAIGNS], metavar="campaign", help=", ".join(CAMPAIGNS))
    parser.add_argument("--mutants", type=int, help="try only so many mutants, drawn by --seed")
    parser.add_argument("--cases", type=int, default=20_000, help="cases of the differential test (default: 20000)")
    parser.add_argument("--rounds", type=int, default=600, help="rounds of the indexer's simulation (default: 600)")
    parser.add_argument("--seed", type=int, default=SEED, help="what samples and cases are drawn by")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8), help="processes at a time")
    parser.add_argument("--json", action="store_true", help="print the table as JSON, and all else to standard error")
    arguments = parser.parse_args()
    options = Options(
        mutants=arguments.mutants,
        seed=arguments.seed,
        cases=arguments.cases,
        rounds=arguments.rounds,
        jobs=max(1, arguments.jobs),
    )

    REPORTS.mkdir(parents=True, exist_ok=True)
    stream = sys.stderr if arguments.json else sys.stdout
    began = datetime.now(UTC).isoformat(timespec="seconds")
    lines: list[Line] = []
    for name in arguments.campaigns or CAMPAIGNS:
        lines.append(carry_out(name, options, stream))
        answer = {"began": began, "commit": commit(), "campaigns": [asdict(line) for line in lines]}
        RESULTS.write_text(json.dumps(answer, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    if arguments.json:
        print(RESULTS.read_text(encoding="utf-8"), end="")
    else:
        print_table(lines)
    return 0 if all(line.passed for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
