"""All Solidity tests with the numbers of `[profile.long]`: 10,000 runs of each fuzz test, long invariant sequences.

The table shows how often each handler was called, and how often for nothing. One that never succeeded would prove
nothing, so it fails the campaign.
"""

import re
from dataclasses import dataclass

from .campaign import Options, Result, forge, run, workspace

ROW = re.compile(
    r"^\| (?P<contract>\w+) +\| (?P<function>\w+) +\| (?P<calls>\d+) +\| (?P<reverts>\d+) +\| (?P<discards>\d+) +\|"
)
TOTAL = re.compile(r"(\d+) tests passed, (\d+) failed, (\d+) skipped")
SHOWN = ("|", "╭", "╰", "[FAIL", "Ran ", "Encountered", "Failing")


@dataclass(frozen=True)
class Calls:
    """Calls of one handler function: how many, and of them reverted or given up as not applicable."""

    name: str
    calls: int
    reverts: int
    discards: int

    @property
    def idle(self) -> bool:
        return self.calls <= self.reverts + self.discards


def calls(output: str) -> list[Calls]:
    """Rows of the call/revert tables."""
    rows = (ROW.match(line) for line in output.splitlines())
    return [
        Calls(f"{row['contract']}.{row['function']}", int(row["calls"]), int(row["reverts"]), int(row["discards"]))
        for row in rows
        if row
    ]


def run_tests() -> tuple[int, str]:
    environment = {"FOUNDRY_PROFILE": "long", "FOUNDRY_INVARIANT_SHOW_METRICS": "true"}
    with workspace(without=("symbolic",)) as project:
        return run([forge(), "test"], folder=project / "contracts", environment=environment, shown=SHOWN)


def campaign(_: Options) -> Result:
    status, output = run_tests()
    table = calls(output)
    idle = [row.name for row in table if row.idle]
    for name in idle:
        print(f"{name} never succeeded, so nothing is proved of it")
    totals = TOTAL.findall(output)
    passed, failed = (totals[-1][0], totals[-1][1]) if totals else ("no", "?")
    made, reverted = sum(row.calls for row in table), sum(row.reverts for row in table)
    effective = made - reverted - sum(row.discards for row in table)
    return Result(
        passed=status == 0 and bool(table) and not idle,
        figures=f"{passed} tests passed, {failed} failed; invariants held after {effective:,} operations of "
        f"{len(table)} kinds ({made:,} calls, {reverted:,} reverted, the others had nothing to act on)",
        goal="all tests pass, none reverts in the invariant campaign, every operation of the handler took effect",
    )
