"""A year of bills made of a GPU trace: who bought what of whom, and what a quotation knows of them.

Nearly all tasks of the trace end within two months; so they are laid over YEAR by rank: of n tasks the i-th to end is
settled at i/n of the year. Each GPU stands for CARDS_PER_GPU cards, so that caps are met. One bill sums the tasks of a
buyer on one card model in a month, and is settled with the last of them. Prices are those of `app.client.gpu_trace`;
the task in row i goes to buyer i mod (number of buyers).
"""

import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.client.gpu_trace import CARDS, SEED, Task, read_tasks, trade_record
from app.policies.question import Question, ask
from scripts._demo.parties import BUYERS, PLATFORM, SUPPLIERS, Party, enterprise, supplier

YEAR = 2025
CARDS_PER_GPU = 64
LEAST_FEN = 100_00
"""Smaller bills are passed over."""
FIRST = datetime(YEAR, 1, 1, tzinfo=UTC) - timedelta(hours=8)
LAST = datetime(YEAR + 1, 1, 1, tzinfo=UTC) - timedelta(hours=8, seconds=1)

IN_ZONE: dict[str, Any] = {"in_zone": True, "revenue_prior_year_fen": 500_000_000}
SMALL: dict[str, Any] = {"in_zone": True, "revenue_prior_year_fen": 200_000_000}
FACTS: dict[str, dict[str, Any]] = {
    "enterprise_in_zone": IN_ZONE,
    "enterprise_in_zone_small": SMALL,
    "research_institute": {},
    "university": {},
    "university_double_first": {"double_first_class": True},
    "large_model_enterprise": {**IN_ZONE, "large_model_filed": True},
    "enterprise_out_of_zone": {"revenue_prior_year_fen": 500_000_000},
    "newly_settled": {**SMALL, "settled_in_zone_on": f"{YEAR}-01-02"},
}
"""What is known of Zhengzhou's buyers, by the tier that they stand for."""
BEIJING = tuple(enterprise(100 + number, f"北京大模型{number}号有限公司", "110108") for number in range(1, 9))
HANGZHOU = tuple(enterprise(200 + number, f"杭州智能{number}号有限公司", "330106") for number in range(1, 9))
BEIJING_CENTRE = supplier("110108", "MA4H00101", "北京智算中心")
HANGZHOU_CENTRE = supplier("330106", "MA4H00201", "杭州算力中心")
ALL_BUYERS = (*BUYERS, *BEIJING, *HANGZHOU)
ALL_SUPPLIERS = (*SUPPLIERS, BEIJING_CENTRE, HANGZHOU_CENTRE)


@dataclass(frozen=True)
class Bill:
    """A month's bill: the record for the evidence, and the question for the policies."""

    record: dict[str, Any]
    question: Question

    @property
    def buyer(self) -> str:
        """Its USCC."""
        return str(self.record["buyer"])


def bills(trace: Path) -> list[Bill]:
    """The bills of the year, in order of trade time."""
    draw = random.Random(SEED)
    tasks = sorted((task for _, task in read_tasks(trace, draw)), key=lambda task: (task.ended_at, task.number))
    step = (LAST - FIRST) / len(tasks)
    sums: dict[tuple[int, str, int], list[Task]] = defaultdict(list)
    for rank, task in enumerate(tasks, 1):
        settled_at = (FIRST + rank * step).replace(microsecond=0)
        local = settled_at + timedelta(hours=8)
        moved = replace(task, started_at=settled_at - timedelta(hours=1), ended_at=settled_at)
        sums[task.number % len(ALL_BUYERS), task.model, local.month].append(moved)
    found = [_bill(ALL_BUYERS[buyer], month, number) for number, ((buyer, _, _), month) in enumerate(sums.items())]
    return sorted(
        (bill for bill in found if bill.record["settled_fen"] >= LEAST_FEN),
        key=lambda bill: (bill.record["traded_at"], bill.record["trade_id"]),
    )


def _bill(buyer: Party, tasks: list[Task], number: int) -> Bill:
    hours = sum(task.card_milli_hours for task in tasks) * CARDS_PER_GPU
    price = sum(task.settled_fen for task in tasks) * CARDS_PER_GPU * 1000 // max(hours, 1)
    first, last = tasks[0], max(tasks, key=lambda task: task.ended_at)
    whole = Task(number, first.model, first.domestic, price, hours, min(one.started_at for one in tasks), last.ended_at)
    record = trade_record(whole, number, PLATFORM.uscc, buyer.trader, _supplier_of(buyer, number).trader)
    record["contract_signed_at"] = FIRST.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Bill(record, ask({"claimant": _claimant(buyer), "trade": _trade(record, buyer)}))


def _supplier_of(buyer: Party, number: int) -> Party:
    """Beijing's firms buy at home and in Henan, so that two policies fit."""
    if buyer in HANGZHOU:
        return HANGZHOU_CENTRE
    if buyer in BEIJING and number % 2:
        return BEIJING_CENTRE
    return SUPPLIERS[number % len(SUPPLIERS)]


def _claimant(buyer: Party) -> dict[str, Any]:
    facts = FACTS.get(buyer.tier, {"large_model_filed": buyer in BEIJING or buyer in HANGZHOU[:4]})
    known = {
        "uscc": buyer.uscc,
        "kind": buyer.kind,
        "region": buyer.region,
        "in_zone": False,
        "revenue_prior_year_fen": 0,
        "settled_in_zone_on": None,
        "large_model_filed": False,
        "double_first_class": False,
        "agreement_rate_bps": None,
        "controller": buyer.controller or None,
        "dishonest": False,
        "tax_blacklisted": False,
    }
    return {**known, **facts}


def _trade(record: dict[str, Any], buyer: Party) -> dict[str, Any]:
    seller = next(one for one in ALL_SUPPLIERS if one.uscc == record["supplier"])
    return {
        **{name: record[name] for name in ("kind", "compute_type", "domestic_chip", "settled_fen", "contract_fen")},
        "contract_signed_on": f"{YEAR}-01-01",
        "traded_at": record["traded_at"],
        "platform": "zhengzhou-dispatch",
        "supplier": {
            "uscc": seller.uscc,
            "region": seller.region,
            "controller": seller.controller or None,
            "listed": seller is HANGZHOU_CENTRE,
        },
        "price_fair": True,
        "paid": True,
        "other_support_fen": 0,
    }


def fair_prices() -> str:
    """The middle of each card's fair range, as a table that checks compare with."""
    lines = [f"{model}/card_hour,{price},{YEAR}-01-01,{YEAR}-12-31" for model, (price, _) in CARDS.items()]
    return "\n".join(["resource,price_fen,from,to", *lines])


def capacities() -> str:
    """What every supplier registered."""
    lines = [f"{one.uscc},1000000,{YEAR - 1}-12-01,{YEAR}-12-31" for one in ALL_SUPPLIERS]
    return "\n".join(["uscc,cards,from,to", *lines])
