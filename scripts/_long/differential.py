"""The differential test's long run: contract and Python reference decide alike on many random cases."""

import sys

from .campaign import ROOT, Options, Result, run

TEST = "tests/differential/test_redemption_rules.py"


def campaign(options: Options) -> Result:
    status, output = run(
        [sys.executable, "-P", "-m", "pytest", TEST],
        folder=ROOT,
        environment={
            "SUANQUAN_DIFFERENTIAL_CASES": str(options.cases),
            "SUANQUAN_DIFFERENTIAL_SEED": str(options.seed),
        },
    )
    summary = output.strip().splitlines()[-1].strip("= ") if output.strip() else "no answer"
    return Result(
        passed=status == 0,
        figures=f"{options.cases:,} cases, seed {options.seed}: {summary}",
        goal="contract and reference decide alike; planted differences are found",
    )
