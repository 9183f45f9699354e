"""Chaos, long: 200 processes killed under load on each kind of chain and database; nothing lost, nothing done twice."""

import json
import sys

from .campaign import ROOT, Options, Result, run

KILLS = 200
KINDS = [(chain, database) for chain in ("anvil", "embedded") for database in ("sqlite", "postgresql")]


def campaign(options: Options) -> Result:
    flawed, kills, acknowledged = [], 0, 0
    for place, (chain, database) in enumerate(KINDS):
        seed = options.seed + place
        where = ["--chain", chain, "--database", database, "--seed", str(seed), "--kills", str(KILLS)]
        status, output = run(
            [sys.executable, "-P", "-m", "scripts._chaos", "--json", *where], folder=ROOT, shown=('{"',)
        )
        if status != 0:
            flawed.append(f"{chain} on {database}, seed {seed}")
            continue
        report = json.loads(output.strip().splitlines()[-1])
        kills, acknowledged = kills + report["kills"], acknowledged + report["acknowledged"]
    figures = f"{kills} kills, {acknowledged:,} requests acknowledged"
    return Result(
        passed=not flawed,
        figures=f"{figures}; flawed: {', '.join(flawed)}" if flawed else figures,
        goal="0 lost, 0 done twice, 0 nonces skipped, rows as rebuilt, budgets hold",
    )
