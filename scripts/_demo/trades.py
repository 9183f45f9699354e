"""Trades for the demo: from a public GPU-cluster trace, or a small realistic set of its own.

The price rule, the same for both: card-hours × unit price, rounded to the fen, where the unit price is that of the card
model times (1 + d), d drawn evenly from −10 % to +10 % by a generator seeded with SEED. A trace names no parties, so
task i goes to buyer i mod 8 and to the supplier that the same generator draws.
"""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

SEED = 20240428
"""The day on which the Zhengzhou policy was published."""
COUNT = 304
"""Trades that the demo makes."""
FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
"""Second zero of a trace."""

CARDS = {
    # model: (unit price in fen per card-hour, domestic)
    "A10": (850, False),
    "T4": (420, False),
    "V100M32": (1650, False),
    "G2": (780, False),
    "Ascend 910B": (1980, True),
    "K100": (1150, True),
}


@dataclass(frozen=True)
class Task:
    """One settled task.

    Attributes:
        card_hours: Milli card-hours.
        started_at: First second.
        ended_at: First second after it, when it was settled.
    """

    number: int
    model: str
    domestic: bool
    unit_price_fen: int
    card_milli_hours: int
    started_at: datetime
    ended_at: datetime

    @property
    def settled_fen(self) -> int:
        """Card-hours × unit price, to the nearest fen, at least one."""
        return max(1, (self.card_milli_hours * self.unit_price_fen + 500) // 1000)


def tasks(trace: Path | None) -> list[Task]:
    """COUNT tasks, in order of settlement."""
    draw = random.Random(SEED)
    made = islice(_from_trace(trace, draw) if trace else _own(draw), COUNT)
    return sorted(made, key=lambda task: (task.ended_at, task.number))


def _priced(model: str, draw: random.Random) -> tuple[int, bool]:
    price, domestic = CARDS[model]
    return round(price * (1 + draw.uniform(-0.1, 0.1))), domestic


def _own(draw: random.Random) -> Iterator[Task]:
    """Rentals of 8 to 64 cards for one to ten days."""
    for number in range(COUNT):
        model = draw.choice(list(CARDS))
        price, domestic = _priced(model, draw)
        cards = draw.choice((8, 16, 16, 32, 64))
        hours = draw.randint(24, 240)
        start = FIRST_DAY + timedelta(hours=draw.randint(0, 24 * 280))
        yield Task(number, model, domestic, price, cards * hours * 1000, start, start + timedelta(hours=hours))


def _from_trace(path: Path, draw: random.Random) -> Iterator[Task]:
    """Finished GPU tasks of the openb trace format: card-hours = num_gpu × gpu_milli / 1000 × seconds / 3600. Rows
    without a GPU, a schedule or an end are passed over."""
    models = list(CARDS)
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if not row["scheduled_time"] or not row["deletion_time"] or int(row["num_gpu"]) == 0:
                continue
            begin, end = int(row["scheduled_time"]), int(row["deletion_time"])
            milli_hours = int(row["num_gpu"]) * int(row["gpu_milli"]) * (end - begin) // 3600
            if milli_hours <= 0:
                continue
            asked = row["gpu_spec"].split("|")[0]
            model = asked if asked in CARDS else draw.choice(models)
            price, domestic = _priced(model, draw)
            yield Task(
                number,
                model,
                domestic,
                price,
                milli_hours,
                FIRST_DAY + timedelta(seconds=begin),
                FIRST_DAY + timedelta(seconds=end),
            )
