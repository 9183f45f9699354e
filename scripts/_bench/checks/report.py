"""Precision and recall of each check: ./scripts/bench checks --json."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from app.checks.outcome import Answer
from app.checks.rules import NEWEST, decide
from app.policies.checks import Checks
from scripts._bench.checks.cases import DRAWS, cases

SEED = 20260717


@dataclass(frozen=True)
class Row:
    """One check over its cases.

    Attributes:
        caught: Frauds that did not pass.
        missed: Frauds that passed.
        disturbed: Honest claims that did not pass.
        cpu_us: Processor time of one decision.
    """

    check: str
    version: int
    cases: int
    caught: int
    missed: int
    disturbed: int
    cpu_us: float

    @property
    def precision(self) -> float:
        """Share of frauds among what was found; 1 where nothing was."""
        return self.caught / (self.caught + self.disturbed) if self.caught + self.disturbed else 1.0

    @property
    def recall(self) -> float:
        """Share of the frauds that was found."""
        return self.caught / (self.caught + self.missed)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        found = {**asdict(self), "precision": round(self.precision, 4), "recall": round(self.recall, 4)}
        return {**found, "cpu_us": round(self.cpu_us, 1)}


def measure_checks(count: int = 3_000, seed: int = SEED) -> list[Row]:
    """Every check with the thresholds that a policy file has if it names none."""
    return [_measure(code, count, seed) for code in DRAWS]


def _measure(code: str, count: int, seed: int) -> Row:
    settings, rule = Checks(), NEWEST[code]
    drawn = list(cases(code, count, seed))
    began = time.process_time()
    outcomes = [decide(rule, inputs, settings) for inputs, _ in drawn]
    cpu_us = (time.process_time() - began) / count * 1e6
    found = [outcome is not None and outcome.answer is not Answer.PASS for outcome in outcomes]
    truth = [fraud for _, fraud in drawn]
    pairs = list(zip(found, truth, strict=True))
    return Row(
        check=code,
        version=rule.version,
        cases=count,
        caught=pairs.count((True, True)),
        missed=pairs.count((False, True)),
        disturbed=pairs.count((True, False)),
        cpu_us=cpu_us,
    )


def show_checks(rows: list[Row], screen: Console) -> None:
    """The table."""
    table = Table(Column("check", no_wrap=True), "cases", "frauds\ncaught", "missed", "honest\nstopped")
    for heading in ("precision", "recall", "CPU µs"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        figures = (row.cases, row.caught, row.missed, row.disturbed)
        table.add_row(row.check, *map(str, figures), f"{row.precision:.1%}", f"{row.recall:.1%}", f"{row.cpu_us:.1f}")
    screen.print(table)
