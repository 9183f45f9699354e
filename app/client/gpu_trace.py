"""Trades from a public GPU-cluster trace in the openb format (Alibaba clusterdata, cluster-trace-gpu-v2023).

A trace says what was metered, not who paid whom how much. The rule that adds it, the same for every run:

    card-hours = num_gpu × gpu_milli / 1000 × (deletion_time − scheduled_time) / 3600, to the thousandth, rounded down
    unit price = that of the card model × (1 + d), d drawn evenly from −10 % to +10 %, to the fen
    settled    = card-hours × unit price, to the nearest fen, at least one

The card model is the first that the task asked for, drawn evenly where it asked for none that has a price here. All
draws come from one generator seeded with SEED, in order of the rows. Row i goes to buyer i mod (number of buyers) and
supplier i mod (number of suppliers); second zero of the trace is FIRST_DAY. Rows without a GPU, a schedule or an end
are passed over.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.client.files import FileError, Line

SEED = 20240428
"""The day on which the Zhengzhou policy was published."""
FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)

CARDS = {
    # model: (unit price in fen per card-hour, domestic)
    "A10": (850, False),
    "T4": (420, False),
    "V100M32": (1650, False),
    "G2": (780, False),
    "Ascend 910B": (1980, True),
    "K100": (1150, True),
}
COLUMNS = ("name", "num_gpu", "gpu_milli", "gpu_spec", "deletion_time", "scheduled_time")


@dataclass(frozen=True, slots=True)
class Task:
    """One settled task.

    Attributes:
        number: Row of the trace, from 0.
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


@dataclass(frozen=True, slots=True)
class Party:
    """Who takes part: USCC and GB/T 2260 region."""

    uscc: str
    region: str


def priced(model: str, draw: random.Random) -> tuple[int, bool]:
    """Unit price in fen per card-hour, and whether the card is a domestic one."""
    price, domestic = CARDS[model]
    return round(price * (1 + draw.uniform(-0.1, 0.1))), domestic


def read_tasks(path: Path, draw: random.Random) -> Iterator[tuple[int, Task]]:
    """The tasks of a trace, each with its line in the file.

    Raises:
        FileError: The file is no openb trace.
    """
    models = list(CARDS)
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        lacking = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if lacking:
            raise FileError(f"{path} is no openb trace: it lacks the column {', '.join(lacking)}")
        for number, row in enumerate(rows):
            try:
                if not row["scheduled_time"] or not row["deletion_time"] or int(row["num_gpu"]) == 0:
                    continue
                begin, end = int(row["scheduled_time"]), int(row["deletion_time"])
                milli_hours = int(row["num_gpu"]) * int(row["gpu_milli"]) * (end - begin) // 3600
            except (ValueError, TypeError) as error:
                raise FileError(f"{path}, line {rows.line_num}: {error}") from error
            if milli_hours <= 0:
                continue
            asked = (row["gpu_spec"] or "").split("|")[0]
            model = asked if asked in CARDS else draw.choice(models)
            price, domestic = priced(model, draw)
            start, stop = FIRST_DAY + timedelta(seconds=begin), FIRST_DAY + timedelta(seconds=end)
            yield rows.line_num, Task(number, model, domestic, price, milli_hours, start, stop)


def read_trace(path: Path, *, platform: str, buyers: Sequence[Party], suppliers: Sequence[Party]) -> Iterator[Line]:
    """A trace as records, in its own order."""
    draw = random.Random(SEED)  # noqa: S311 - prices of a trial, which everybody shall draw alike
    for line, task in read_tasks(path, draw):
        buyer, supplier = buyers[task.number % len(buyers)], suppliers[task.number % len(suppliers)]
        yield Line(line, trade_record(task, task.number, platform, buyer, supplier), [])


def trade_record(task: Task, number: int, platform: str, buyer: Party, supplier: Party) -> dict[str, Any]:
    """The record of a task that was settled at its end under a contract of three days before its start.

    Args:
        number: Makes trade, contract and invoice numbers.
    """
    return {
        "trade_id": f"T{number:06d}",
        "platform": platform,
        "buyer": buyer.uscc,
        "supplier": supplier.uscc,
        "kind": "compute",
        "compute_type": "super" if task.number % 5 == 0 else "intelligent",
        "domestic_chip": task.domestic,
        "region_id": supplier.region,
        "traded_at": _instant(task.ended_at),
        "contract_signed_at": _instant(task.started_at - timedelta(days=3)),
        "contract_number": f"HT-2026-{number:06d}",
        "contract_fen": task.settled_fen,
        "settled_fen": task.settled_fen,
        "invoice_id": f"2641{number:016d}",
        "other_support_fen": 0,
        "buyer_paid": True,
        "paid_fen": task.settled_fen,
        "paid_at": _instant(task.ended_at),
        "buyer_region_id": buyer.region,
        "supplier_region_id": supplier.region,
        "chip_model": task.model,
        "contracted_unit_price_fen": task.unit_price_fen,
        "charge_period_start": _instant(task.started_at),
        "charge_period_end": _instant(task.ended_at),
        "consumed_unit": "card_hour",
        "consumed_quantity": f"{task.card_milli_hours // 1000}.{task.card_milli_hours % 1000:03d}",
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
