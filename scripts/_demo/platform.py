"""The compute platform of the demo: makes trade records, and posts them with the client that real platforms use.

The service never sees the platform's key.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.client import EvidenceClient, Refused, Unreachable
from app.client.gpu_trace import Task, trade_record
from chain.keys import Keystore, LocalSigner
from scripts._demo.parties import BLACKLISTED, BUYERS, PLATFORM, RELATED, RELATED_SUPPLIER, SUPPLIERS, Party
from scripts._demo.service import DemoError, Service

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


class Platform:
    """The platform and its own evidence key."""

    def __init__(self, service: Service) -> None:
        self.signer = LocalSigner(secrets.token_bytes(32))
        self._service = service

    def post(self, api_key: str, made: list[dict[str, Any]], batch: int = SUBMISSION_RECORDS) -> Iterator[Posted]:
        """Posts records in signed submissions; yields each as it was acknowledged."""
        client = EvidenceClient(
            self._service.url,
            api_key=api_key,
            platform=PLATFORM.uscc,
            signer=self.signer,
            # Handed to the platform when it joined.
            jurisdiction_key=Keystore(self._service.data_dir / "keys").secret("jurisdiction"),
        )
        try:
            with client:
                for outcome, record in zip(client.submit_all(made, batch=batch), made, strict=True):
                    if outcome.id is None:
                        raise DemoError(f"record {outcome.trade_id} was refused: {outcome.errors}")
                    yield Posted(outcome.id, record["buyer"], record)
        except (Refused, Unreachable) as error:
            raise DemoError(str(error)) from error


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
    return trade_record(task, number, PLATFORM.uscc, buyer.trader, seller.trader)
