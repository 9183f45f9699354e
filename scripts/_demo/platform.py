"""The compute platform of the demo: makes trade records, digests and signs them with its own key, posts them.

The service never sees the platform's key. This is what a real platform does with the same library.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts._demo.parties import (
    BLACKLISTED,
    BUYERS,
    PLATFORM,
    RELATED,
    RELATED_SUPPLIER,
    SUPPLIERS,
    Party,
)
from scripts._demo.trades import Task

SUBMISSION_RECORDS = 40
SPOILT = 4
"""Records of each kind that must be refused."""
OUTSIDE_REGION = "440300"


@dataclass(frozen=True)
class Posted:
    """A record as it was acknowledged."""

    evidence_id: str
    buyer: str
    record: dict[str, Any]


def records(tasks: list[Task]) -> list[dict[str, Any]]:
    """One record for each task, then some that the rules must refuse once they are claimed."""
    good = [_record(task, number, BUYERS[number % len(BUYERS)]) for number, task in enumerate(tasks)]
    spoilt = []
    for offset in range(SPOILT):
        number = len(good) + offset * 4
        task = tasks[-1 - offset]
        spoilt += [
            _record(task, number, BLACKLISTED),
            _record(task, number + 1, RELATED, RELATED_SUPPLIER),
            # The tier of the institute is far from its cap, so that only the rule in question can refuse these two.
            {**_record(task, number + 2, BUYERS[4]), "invoice_id": good[-1 - offset * 8]["invoice_id"]},
            {**_record(task, number + 3, BUYERS[4]), "region_id": OUTSIDE_REGION},
        ]
    return good + spoilt


def _record(task: Task, number: int, buyer: Party, supplier: Party | None = None) -> dict[str, Any]:
    seller = supplier or SUPPLIERS[task.number % len(SUPPLIERS)]
    return {
        "trade_id": f"T{number:06d}",
        "platform": PLATFORM.uscc,
        "buyer": buyer.uscc,
        "supplier": seller.uscc,
        "kind": "compute",
        "compute_type": "super" if task.number % 5 == 0 else "intelligent",
        "domestic_chip": task.domestic,
        "region_id": seller.region,
        "traded_at": _instant(task.ended_at),
        "contract_signed_at": _instant(task.started_at - timedelta(days=3)),
        "contract_number": f"HT-2026-{number:06d}",
        "contract_fen": task.settled_fen,
        "settled_fen": task.settled_fen,
        "invoice_id": f"2641{number:016d}",
        "other_support_fen": 0,
        "buyer_paid": True,
        "buyer_region_id": buyer.region,
        "supplier_region_id": seller.region,
        "chip_model": task.model,
        "contracted_unit_price_fen": task.unit_price_fen,
        "charge_period_start": _instant(task.started_at),
        "charge_period_end": _instant(task.ended_at),
        "consumed_unit": "card_hour",
        "consumed_quantity": f"{task.card_milli_hours // 1000}.{task.card_milli_hours % 1000:03d}",
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
