"""The compute platform of the demo: makes trade records, digests and signs them with its own key, posts them.

The service never sees the platform's key. This is what a real platform does with the same library.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chain.contracts import Contracts
from chain.evidence import submission_tree
from chain.field_digests import RECORD_SALT_BYTES
from chain.identifiers import entity_id
from chain.keys import Keystore, LocalSigner
from chain.record import from_dict, to_trade
from chain.typed_data import Submission, submission_digest
from scripts._demo.parties import BLACKLISTED, BUYERS, PLATFORM, RELATED, RELATED_SUPPLIER, SUPPLIERS, Party
from scripts._demo.service import Service
from scripts._demo.trades import Task

SUBMISSION_RECORDS = 40
SPOILT = 4
"""Records of each kind that must be refused."""
OUTSIDE_REGION = "440300"


@dataclass(frozen=True)
class Posted:
    """A record as it was acknowledged."""

    evidence_id: str
    sequence: int
    buyer: str
    record: dict[str, Any]


class Platform:
    """The platform's side of the REST interface.

    Args:
        signer: Its evidence key.
        jurisdiction_key: 32 bytes that it was handed when it joined.
    """

    def __init__(self, service: Service, signer: LocalSigner, jurisdiction_key: bytes, contracts: Contracts) -> None:
        self.signer = signer
        self._service = service
        self._jurisdiction_key = jurisdiction_key
        self._contracts = contracts

    @classmethod
    def onboard(cls, service: Service) -> "Platform":
        """Gives the platform a key of its own and what it is handed when it joins."""
        about = service.get("/v1/chain")
        return cls(
            service,
            LocalSigner(secrets.token_bytes(32)),
            Keystore(service.data_dir / "keys").secret("jurisdiction"),
            Contracts.from_dict({"chain_id": about["chain_id"], **about["contracts"]}),
        )

    def post(self, api_key: str, made: list[dict[str, Any]]) -> Iterator[Posted]:
        """Posts records in signed submissions; yields each as it was acknowledged."""
        for sequence, start in enumerate(range(0, len(made), SUBMISSION_RECORDS), start=1):
            batch = made[start : start + SUBMISSION_RECORDS]
            receipt = self._service.post("/v1/evidence", api_key, self._signed(sequence, batch))
            for item, record in zip(receipt["items"], batch, strict=True):
                yield Posted(item["id"], sequence, record["buyer"], record)

    def _signed(self, sequence: int, batch: list[dict[str, Any]]) -> dict[str, Any]:
        salts = [secrets.token_bytes(RECORD_SALT_BYTES) for _ in batch]
        trades = [
            to_trade(from_dict(record), salt, self._jurisdiction_key) for record, salt in zip(batch, salts, strict=True)
        ]
        own_id = entity_id(self._jurisdiction_key, PLATFORM.uscc)
        subject = Submission(own_id, sequence, submission_tree(trades).root, len(trades))
        signature = self.signer.sign_digest(submission_digest(self._contracts, subject))
        salted = [{**record, "salt": f"0x{salt.hex()}"} for record, salt in zip(batch, salts, strict=True)]
        return {
            "platform": PLATFORM.uscc,
            "sequence": sequence,
            "signature": f"0x{signature.hex()}",
            "records": salted,
        }


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
            # This buyer is far from its cap, so that only the rule in question can refuse these two.
            {**_record(task, number + 2, BUYERS[4]), "invoice_id": good[4 + offset * 8]["invoice_id"]},
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
