"""Quotations a second, in one process, each policy compiled once.

    ./scripts/bench quote --json

One quotation is what `POST /v1/quotes` does between decoding JSON and encoding it: the question is checked member by
member and answered with its reasons in both languages. The questions are the worked examples of the shipped policies,
each asked for CLAIMANTS claimants of other revenue in turn, and for an amount of its own every time.
"""

import statistics
import time
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from app.policies.compiled import CompiledPolicy, compiled
from app.policies.explain import asked
from app.policies.files import shipped
from app.policies.question import ask
from app.policies.quote import quote

AIM_PER_SECOND = 10_000
ROUNDS = 7
CLAIMANTS = 5_000
"""More than conditions remember answers for."""
QUOTES_IN_A_ROUND = 2_000


@dataclass(frozen=True)
class Row:
    """One policy.

    Attributes:
        per_second: median over the rounds, by the clock.
        cpu_us: median processor time of one quotation, user and system.
    """

    policy: str
    conditions: int
    per_second: float
    cpu_us: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "policy": self.policy,
            "conditions": self.conditions,
            "quotes_per_second": round(self.per_second),
            "cpu_us_each": round(self.cpu_us, 1),
        }


@dataclass(frozen=True)
class QuoteReport:
    """All policies."""

    rows: list[Row]

    @property
    def slowest(self) -> Row:
        """The policy that takes longest."""
        return min(self.rows, key=lambda row: row.per_second)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "benchmark": "quote",
            "aim_per_second": AIM_PER_SECOND,
            "aim_met": self.slowest.per_second >= AIM_PER_SECOND,
            "slowest": self.slowest.to_dict(),
            "policies": [row.to_dict() for row in self.rows],
        }


def measure_quotes() -> QuoteReport:
    """Measures every shipped policy."""
    return QuoteReport([_measure(compiled(content)) for content in shipped().values()])


def _measure(policy: CompiledPolicy) -> Row:
    examples = [asked(one) for part in policy.policy.programmes for one in part.examples]
    questions = [_varied(examples[index % len(examples)], index) for index in range(CLAIMANTS)]
    rounds = [_round(policy, questions, number) for number in range(ROUNDS + 1)][1:]  # the first warms up
    conditions = sum(len(one.eligible) + len(one.excluded) + len(one.tiers) for one in policy.programmes)
    return Row(
        policy.policy.policy,
        conditions,
        per_second=statistics.median(1 / wall for wall, _ in rounds),
        cpu_us=statistics.median(cpu * 1e6 for _, cpu in rounds),
    )


def _varied(example: dict[str, Any], index: int) -> dict[str, Any]:
    """An example for another claimant and another amount."""
    claimant = dict(example["claimant"])
    for name in ("revenue_prior_year_fen", "compute_spend_prior_year_fen"):
        if claimant.get(name):
            claimant[name] += index * 100
    trade = {**example["trade"], "settled_fen": example["trade"]["settled_fen"] + index}
    return {**example, "claimant": claimant, "trade": trade}


def _round(policy: CompiledPolicy, questions: list[dict[str, Any]], number: int) -> tuple[float, float]:
    """Seconds of one quotation, by the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    first = number * QUOTES_IN_A_ROUND
    for index in range(first, first + QUOTES_IN_A_ROUND):
        quote(policy, ask(questions[index % len(questions)])).to_dict()
    return (time.perf_counter() - wall) / QUOTES_IN_A_ROUND, (time.process_time() - cpu) / QUOTES_IN_A_ROUND


def show_quotes(report: QuoteReport, screen: Console) -> None:
    """Prints the table."""
    table = Table("policy", "conditions", "quotes/s", "CPU µs each", title="Quotations in one process")
    for row in report.rows:
        table.add_row(row.policy, str(row.conditions), f"{row.per_second:,.0f}", f"{row.cpu_us:.1f}")
    screen.print(table)
    verdict = "met" if report.slowest.per_second >= AIM_PER_SECOND else "missed"
    screen.print(f"aim {AIM_PER_SECOND:,}/s {verdict}: {report.slowest.policy} {report.slowest.per_second:,.0f}/s")
