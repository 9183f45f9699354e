"""Platforms that post: registered, with keys of their own, and with submissions signed beforehand."""

import secrets
from itertools import count
from typing import Any

import msgspec
from stdnum.cn import uscc

from chain.contracts import Contracts
from chain.evidence import submission_tree
from chain.field_digests import RECORD_SALT_BYTES
from chain.identifiers import entity_id
from chain.keys import LocalSigner
from chain.record import from_dict, rfc3339, to_trade
from chain.typed_data import Submission, submission_digest
from scripts._demo.service import Service

STANDING_UNTIL = 1_830_268_799
_FIRST_TRADE = 1_719_820_800  # 1 July 2024
_numbers = count(1)
_encode = msgspec.json.Encoder().encode


class Platform:
    """A platform and what it posts.

    Args:
        serial: Tells its USCC from others'.
        custody: Whether the gateway keeps its key.
    """

    def __init__(self, serial: int, *, custody: bool) -> None:
        self.uscc = organisation(serial)
        self.custody = custody
        self.api_key = ""
        self._signer = LocalSigner(secrets.token_bytes(32))
        self._sequence = count(1)

    def registration(self) -> dict[str, Any]:
        """Body of its registration."""
        about: dict[str, Any] = {
            "uscc": self.uscc,
            "name": f"平台{self.uscc[-6:]}",
            "kind": "platform",
            "roles": ["platform"],
            "region": "410100",
            "standing_until": STANDING_UNTIL,
        }
        return about if self.custody else {**about, "evidence_key": self._signer.address}

    def submission(self, size: int, contracts: Contracts, jurisdiction_key: bytes) -> bytes:
        """Body of its next submission."""
        records = [self._record() for _ in range(size)]
        if self.custody:
            return _encode({"platform": self.uscc, "records": records})
        salts = [secrets.token_bytes(RECORD_SALT_BYTES) for _ in records]
        trades = [
            to_trade(from_dict(record), salt, jurisdiction_key) for record, salt in zip(records, salts, strict=True)
        ]
        sequence = next(self._sequence)
        platform_id = entity_id(jurisdiction_key, self.uscc)
        subject = Submission(platform_id, sequence, submission_tree(trades).root, size)
        signature = self._signer.sign_digest(submission_digest(contracts, subject))
        salted = [{**record, "salt": f"0x{salt.hex()}"} for record, salt in zip(records, salts, strict=True)]
        return _encode(
            {
                "platform": self.uscc,
                "sequence": sequence,
                "signature": f"0x{signature.hex()}",
                "records": salted,
            }
        )

    def _record(self) -> dict[str, Any]:
        """A record of some 800 bytes, its salt included."""
        number = next(_numbers)
        traded_at = _FIRST_TRADE + number % 40_000_000
        return {
            "trade_id": f"T{number:010d}",
            "platform": self.uscc,
            "buyer": _PARTIES[number % 200],
            "supplier": _PARTIES[200 + number % 20],
            "kind": "compute",
            "compute_type": "intelligent",
            "domestic_chip": True,
            "region_id": "410100",
            "traded_at": rfc3339(traded_at),
            "contract_signed_at": rfc3339(_FIRST_TRADE - 86_400 * (1 + number % 30)),
            "contract_number": f"HT-2024-{number % 500:06d}",
            "contract_fen": 1_000_000 + number,
            "settled_fen": 900_000 + number,
            "invoice_id": f"2441{number:016d}",
            "other_support_fen": 0,
            "buyer_paid": True,
            "buyer_region_id": "410100",
            "supplier_region_id": "520100",
            "chip_model": "Ascend 910B",
            "contracted_unit_price_fen": 1_800,
            "charge_period_start": rfc3339(traded_at - 7_200),
            "charge_period_end": rfc3339(traded_at),
            "consumed_unit": "card_hour",
            "consumed_quantity": f"{number % 1000}.{number % 997:03d}",
        }


def organisation(serial: int) -> str:
    """A 统一社会信用代码 of its own, check character included."""
    stem = f"91410100MA5T{serial:05d}"
    return stem + uscc.calc_check_digit(stem)


_PARTIES = [organisation(50_000 + serial) for serial in range(220)]


def register(service: Service, platforms: list[Platform]) -> None:
    """Registers platforms and gives each an API key."""
    keys = service.keys()
    for start in range(0, len(platforms), 20):
        entities = [platform.registration() for platform in platforms[start : start + 20]]
        service.settle("/v1/entities", keys["registrar"], {"entities": entities})
    for platform in platforms:
        made = service.post("/v1/api-keys", keys["operator"], {"role": "platform", "subject": platform.uscc})
        platform.api_key = made["api_key"]
