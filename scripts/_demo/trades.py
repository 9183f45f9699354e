"""Trades for the demo: from a public GPU-cluster trace, or a small realistic set of its own.

Price rule and cards, for both, are those of `app.client.gpu_trace`.
"""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

from app.client.gpu_trace import CARDS, FIRST_DAY, SEED, Task, priced, read_tasks

COUNT = 304
"""Trades that the demo makes."""


def tasks(trace: Path | None) -> list[Task]:
    """COUNT tasks, in order of settlement."""
    draw = random.Random(SEED)
    found = (task for _, task in read_tasks(trace, draw)) if trace else _own(draw)
    return sorted(islice(found, COUNT), key=lambda task: (task.ended_at, task.number))


def _own(draw: random.Random) -> Iterator[Task]:
    """Rentals of 8 to 64 cards for one to ten days."""
    for number in range(COUNT):
        model = draw.choice(list(CARDS))
        price, domestic = priced(model, draw)
        cards = draw.choice((8, 16, 16, 32, 64))
        hours = draw.randint(24, 240)
        start = FIRST_DAY + timedelta(hours=draw.randint(0, 24 * 280))
        yield Task(number, model, domestic, price, cards * hours * 1000, start, start + timedelta(hours=hours))
