"""Line and branch coverage of contracts/src by the unit and fuzz tests; at least 98 % of each file.

The tests compile the libraries' internal functions into themselves too, and forge reports both copies: a line counts as
covered when either of them ran.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from .campaign import CampaignError, Options, Result, forge, run, workspace

GOAL_PERCENT = 98


@dataclass
class Covered:
    """How often the lines and branches of a file ran."""

    lines: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    branches: dict[tuple[int, str, str], int] = field(default_factory=lambda: defaultdict(int))


def percent(counts: list[int]) -> float:
    return 100 * sum(count > 0 for count in counts) / len(counts) if counts else 100.0


def parse(lcov: str) -> dict[str, Covered]:
    """Reads an lcov report; what it states twice adds up."""
    files: dict[str, Covered] = defaultdict(Covered)
    name = ""
    for record in lcov.splitlines():
        kind, _, rest = record.partition(":")
        if kind == "SF":
            name = rest
        elif kind == "DA":
            line, count = rest.split(",")[:2]
            files[name].lines[int(line)] += int(count)
        elif kind == "BRDA":
            line, block, branch, count = rest.split(",")
            files[name].branches[int(line), block, branch] += 0 if count == "-" else int(count)
    return {name: covered for name, covered in files.items() if name.startswith("src/")}


def measure() -> dict[str, Covered]:
    # Through the IR, for without it the stack is too deep. Invariants and snapshots would run the same code again.
    with workspace(without=("invariant", "gas", "symbolic")) as project:
        contracts = project / "contracts"
        status, output = run(
            [forge(), "coverage", "--ir-minimum", "--report", "lcov", "--report-file", "lcov.info"],
            folder=contracts,
            shown=("[FAIL", "Error"),
        )
        if status != 0:
            raise CampaignError(output[-4000:])
        return parse(Path(contracts, "lcov.info").read_text(encoding="utf-8"))


def campaign(_: Options) -> Result:
    files = measure()
    print(f"{'file':<32} {'lines':>18} {'branches':>18}   uncovered")
    passed = bool(files)
    for name, covered in sorted(files.items()):
        lines, branches = list(covered.lines.values()), list(covered.branches.values())
        missed = [f"line {line}" for line, count in covered.lines.items() if not count]
        missed += [f"branch {branch} at {line}" for (line, _, branch), count in covered.branches.items() if not count]
        figures = [f"{percent(counts):.1f} % of {len(counts)}" for counts in (lines, branches)]
        print(f"{name:<32} {figures[0]:>18} {figures[1]:>18}   {', '.join(missed) or '-'}")
        passed &= percent(lines) >= GOAL_PERCENT and percent(branches) >= GOAL_PERCENT
    every_line = [count for covered in files.values() for count in covered.lines.values()]
    every_branch = [count for covered in files.values() for count in covered.branches.values()]
    return Result(
        passed=passed,
        figures=f"{percent(every_line):.1f} % of lines, {percent(every_branch):.1f} % of branches",
        goal=f"{GOAL_PERCENT} % of the lines and of the branches of each file",
    )
