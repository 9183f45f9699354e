"""The indexer's simulation, long: the tables equal a clean rebuild, whatever node, chain, database and process did."""

import sys

from .campaign import ROOT, Options, Result, run

TEST = "tests/app/indexer/test_simulation.py"


def campaign(options: Options) -> Result:
    status, output = run(
        [sys.executable, "-P", "-m", "pytest", TEST],
        folder=ROOT,
        environment={
            "SUANQUAN_SIMULATION_ROUNDS": str(options.rounds),
            "SUANQUAN_SIMULATION_SEED": str(options.seed),
        },
    )
    summary = output.strip().splitlines()[-1].strip("= ") if output.strip() else "no answer"
    return Result(
        passed=status == 0,
        figures=f"{options.rounds:,} rounds on each database, seed {options.seed}: {summary}",
        goal="0 wrong rows",
    )
