"""What became of mutants: kept from run to run for as long as it holds, and reported."""

import hashlib
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from .campaign import CONTRACTS, REPORTS, ROOT, Result
from .mutants import Mutant

GOAL_PERCENT = 95
EXPLAINED = CONTRACTS / "mutation.toml"
KEPT = REPORTS / "mutation.json"
TESTS = ROOT / "tests" / "contracts"


@dataclass(frozen=True)
class Change:
    """A mutant and the file that it is in."""

    file: str
    mutant: Mutant

    @property
    def key(self) -> str:
        return f"{self.file} {self.mutant.key}"

    @property
    def function(self) -> str:
        """Contract and function that it is in."""
        return self.mutant.key.partition(":")[0]


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        outcome: killed (by a test, or by the time that it took), survived, equivalent, or stillborn.
        by: the first test that failed.
        suite: file of that test, from the folder of the tests.
    """

    change: Change
    outcome: str
    by: str = ""
    suite: str = ""


def digest(files: Iterable[Path]) -> str:
    """Of the contents of files and folders."""
    inner = [part for file in files for part in (sorted(file.rglob("*.sol")) if file.is_dir() else [file])]
    contents = [hashlib.sha256(file.read_bytes()).hexdigest() for file in inner if file.is_file()]
    return hashlib.sha256("".join(contents).encode()).hexdigest()[:16]


class Kept:
    """Verdicts on disk, so that a campaign goes on where it ended, and a new test costs only those that it concerns.

    A verdict rests on the contracts; of a mutant killed also on the suite that did it and on what suites share;
    of a survivor on all tests.
    """

    def __init__(self) -> None:
        self._contracts = digest([CONTRACTS / "src", CONTRACTS / "foundry.toml"])
        self._every_test = digest([TESTS])
        rows = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else []
        self._rows = {row["key"]: row for row in rows if row.get("rests_on")}

    def _rests_on(self, outcome: str, suite: str) -> str:
        tests = {"killed": digest([TESTS / "support", TESTS / suite]) if suite else self._every_test}
        return f"{self._contracts} {tests.get(outcome, self._every_test if outcome == 'survived' else '')}".strip()

    def find(self, change: Change) -> Verdict | None:
        row = self._rows.get(change.key)
        if row is None or row["rests_on"] != self._rests_on(row["outcome"], row["suite"]):
            return None
        return Verdict(change, row["outcome"], row["by"], row["suite"])

    def keep(self, verdict: Verdict) -> None:
        """Takes note of a verdict, and writes all of them down."""
        self._rows[verdict.change.key] = {
            "key": verdict.change.key,
            "line": verdict.change.mutant.line,
            **{name: value for name, value in asdict(verdict).items() if name != "change"},
            "rests_on": self._rests_on(verdict.outcome, verdict.suite),
        }
        rows = sorted(self._rows.values(), key=lambda row: (row["key"].partition(" ")[0], row["line"], row["key"]))
        partial = KEPT.with_suffix(".partial")
        partial.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(KEPT)


def explained() -> dict[str, str]:
    """Reasons of survivors that may live, by key of the mutant."""
    entries = tomllib.loads(EXPLAINED.read_text(encoding="utf-8")).get("survivor", [])
    return {entry["mutant"]: entry["reason"] for entry in entries}


def report(verdicts: list[Verdict], *, complete: bool) -> Result:
    """Prints the score of each file and the survivors."""
    verdicts = sorted(verdicts, key=lambda verdict: (verdict.change.file, verdict.change.mutant.start))
    print(f"\n{'file':<34} {'mutants':>8} {'killed':>8} {'survived':>9} {'score':>8}   equivalent, stillborn")
    for file in sorted({verdict.change.file for verdict in verdicts}):
        of_file = Counter(verdict.outcome for verdict in verdicts if verdict.change.file == file)
        tried = of_file["killed"] + of_file["survived"]
        score = f"{100 * of_file['killed'] / tried:.1f} %" if tried else "-"
        print(
            f"{file:<34} {tried:>8} {of_file['killed']:>8} {of_file['survived']:>9} {score:>8}   "
            f"{of_file['equivalent']}, {of_file['stillborn']}"
        )
    reasons = explained()
    survivors = [verdict for verdict in verdicts if verdict.outcome == "survived"]
    unexplained = [verdict for verdict in survivors if verdict.change.mutant.key not in reasons]
    for title, group in (
        ("Survivors without a reason in contracts/mutation.toml:", unexplained),
        ("Survivors explained there:", [verdict for verdict in survivors if verdict not in unexplained]),
    ):
        if group:
            print(f"\n{title}")
            for verdict in group:
                print(f"  {verdict.change.file}:{verdict.change.mutant.line} {verdict.change.mutant.key}")
    stale = reasons.keys() - {verdict.change.mutant.key for verdict in survivors} if complete else set()
    for key in sorted(stale):
        print(f"contracts/mutation.toml explains what does not survive: {key}", file=sys.stderr)

    killed = sum(verdict.outcome == "killed" for verdict in verdicts)
    tried = killed + len(survivors)
    percent = 100 * killed / tried if tried else 0.0
    return Result(
        passed=percent >= GOAL_PERCENT and not unexplained and not stale,
        figures=f"{killed} of {tried} mutants killed, {percent:.1f} %; {len(unexplained)} survivors unexplained",
        goal=f"{GOAL_PERCENT} % killed, each survivor with a reason in contracts/mutation.toml",
    )
