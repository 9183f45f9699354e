"""A programme with parties, ready for applications, evidence and claims; shared by the tests of these capabilities."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import httpx

from chain.identifiers import entity_id
from chain.keys import LocalSigner
from chain.merkle import MerkleTree
from chain.record import from_dict, to_trade
from chain.typed_data import Submission, submission_digest
from tests.app.conftest import RunningService
from tests.app.organisations import new_uscc, registration

T = TypeVar("T")
_numbers = count(1)
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
"""As little as passes for a document."""
DOCUMENTS = [
    {"name": name, "sha256": hashlib.sha256(PDF).hexdigest()} for name in ("business_licence", "settlement_statement")
]


def until(look: Callable[[], T | None], seconds: float = 120) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@dataclass
class World:
    """A published programme of the Zhengzhou policy and its parties.

    Attributes:
        buyers, supplier, related_supplier, platform, signing_platform: USCCs; `related_supplier` shares a controller
            with the first buyer, `signing_platform` signs with `signer`, a key of its own.
    """

    service: RunningService
    programme_id: int = 0
    buyers: list[str] = field(default_factory=list)
    supplier: str = ""
    related_supplier: str = ""
    platform: str = ""
    signing_platform: str = ""
    signer: LocalSigner = field(default_factory=lambda: LocalSigner(bytes(31) + b"\x07"))
    platform_key: str = ""
    signing_key: str = ""
    buyer_keys: list[str] = field(default_factory=list)
    sequence: int = 0

    def json(self, answer: httpx.Response, status: int) -> Any:
        """The body of an answer with the status that is expected."""
        assert answer.status_code == status, answer.text
        return answer.json()

    def record(self, **changes: Any) -> dict[str, Any]:
        """A valid record with an invoice and a trade number of its own."""
        number = next(_numbers)
        record = {
            "trade_id": f"T-{number:06d}",
            "buyer": self.buyers[0],
            "supplier": self.supplier,
            "platform": self.platform,
            "kind": "compute",
            "compute_type": "intelligent",
            "domestic_chip": False,
            "region_id": "410100",
            "traded_at": f"2024-07-{1 + number % 28:02d}T08:00:00Z",
            "contract_signed_at": "2024-04-28T00:00:00Z",
            "contract_number": "C-2024",
            "contract_fen": 100_000_000_000,
            "settled_fen": 1_000_000,
            "invoice_id": f"INV-{number:08d}",
            "other_support_fen": 0,
            "buyer_paid": True,
            **changes,
        }
        at, settled = record["traded_at"], record["settled_fen"]
        rest = {"charge_period_start": at, "charge_period_end": at, "paid_fen": settled, "paid_at": at}
        return rest | record

    def post_custody(self, records: Sequence[dict[str, Any]], **envelope: Any) -> httpx.Response:
        """Posts records for which the gateway signs."""
        body = {"platform": self.platform, "records": list(records), **envelope}
        return self.service.post("/v1/evidence", self.platform_key, body)

    def evidence_ids(self, records: Sequence[dict[str, Any]]) -> list[str]:
        """Posts records in custody; their evidence ids."""
        return [item["id"] for item in self.json(self.post_custody(records), 201)["items"]]

    def signed(self, records: Sequence[dict[str, Any]], sequence: int, **changes: Any) -> dict[str, Any]:
        """A submission that the platform signed itself."""
        gateway = self.service.gateway
        salted = [
            {"salt": f"0x{number:064x}", **record, "platform": self.signing_platform}
            for number, record in enumerate(records, 1)
        ]
        leaves = []
        for record in salted:
            plain = {name: value for name, value in record.items() if name != "salt"}
            salt = bytes.fromhex(record["salt"][2:])
            leaves.append(to_trade(from_dict(plain), salt, gateway.jurisdiction_key).leaf())
        platform_id = entity_id(gateway.jurisdiction_key, self.signing_platform)
        subject = Submission(platform_id, sequence, MerkleTree(leaves).root, len(leaves))
        signature = self.signer.sign_digest(submission_digest(gateway.contracts, subject))
        return {
            "platform": self.signing_platform,
            "sequence": sequence,
            "signature": f"0x{signature.hex()}",
            "records": salted,
            **changes,
        }

    def post_signed(self, body: dict[str, Any]) -> httpx.Response:
        """Posts a submission that was signed outside."""
        return self.service.post("/v1/evidence", self.signing_key, body)

    def hand_in(self, uscc: str, content: bytes = PDF, who: str = "operator") -> str:
        """Hands a document in for an organisation, by default what `application` names; its digest."""
        name = hashlib.sha256(content).hexdigest()
        answer = self.service.put_bytes(f"/v1/documents/{name}?uscc={uscc}", who, content)
        assert answer.status_code in (200, 201), answer.text
        return name

    def application(self, buyer: int = 0, tier: str = "enterprise_in_zone", **changes: Any) -> dict[str, Any]:
        """Body of an application."""
        return {
            "programme_id": self.programme_id,
            "uscc": self.buyers[buyer],
            "tier": tier,
            "documents": DOCUMENTS,
            **changes,
        }

    def voucher(self, buyer: int = 0, **changes: Any) -> int:
        """Applies, approves in both stages, and waits until the voucher is there."""
        service = self.service
        applied = self.json(
            service.post("/v1/applications", self.buyer_keys[buyer], self.application(buyer, **changes)), 201
        )
        path = f"/v1/applications/{applied['id']}/approvals"
        self.json(service.post(path, "reviewer-1", {"stage": 0}), 200)
        issued = service.settle(path, "reviewer-2", {"stage": "second_review"})
        assert issued["status"] == "succeeded", issued
        number = int(applied["voucher_id"])
        until(lambda: service.get(f"/v1/vouchers/{number}").status_code == 200)
        return number

    def claim(self, pairs: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
        """Claims vouchers for evidence; what became of each."""
        items = [{"voucher_id": voucher, "evidence_id": evidence} for voucher, evidence in pairs]
        taken = self.json(self.service.post("/v1/claims", self.platform_key, {"items": items}), 201)["items"]
        return [self.decided(claim["id"]) for claim in taken]

    def decided(self, claim_id: str) -> dict[str, Any]:
        """A claim, once the contract decided it."""

        def look() -> dict[str, Any] | None:
            claim: dict[str, Any] = self.json(self.service.get(f"/v1/claims/{claim_id}"), 200)
            return claim if claim["state"] in ("redeemed", "refused", "held") else None

        return until(look)

    def redeemed(self, buyer: int = 0, **changes: Any) -> int:
        """A redemption of a new voucher for a new trade."""
        voucher = self.voucher(buyer)
        (evidence,) = self.evidence_ids([self.record(buyer=self.buyers[buyer], **changes)])
        (claim,) = self.claim([(voucher, evidence)])
        assert claim["state"] == "redeemed", claim
        return int(claim["redemption_id"])


def build(service: RunningService, buyers: int = 3) -> World:
    """Registers the parties and publishes the programme."""
    world = World(service)
    world.buyers = [new_uscc() for _ in range(buyers)]
    world.supplier, world.related_supplier = new_uscc(), new_uscc()
    world.platform, world.signing_platform = new_uscc(), new_uscc()
    entities = [registration(world.buyers[0], "buyer", controller="group-1")]
    entities += [registration(number, "buyer") for number in world.buyers[1:]]
    entities += [
        registration(world.supplier, "supplier"),
        registration(world.related_supplier, "supplier", controller="group-1"),
        registration(world.platform, "platform"),
        registration(world.signing_platform, "platform", evidence_key=world.signer.address),
    ]
    registered = service.settle("/v1/entities", "registrar", {"entities": entities})
    assert registered["status"] == "succeeded", registered
    created = service.settle("/v1/programmes", "operator", {"policy": "zhengzhou-htz"})
    event = next(one for one in created["result"]["events"] if one["event"] == "ProgrammeCreated")
    world.programme_id = int(event["args"]["programmeId"])
    path = f"/v1/programmes/{world.programme_id}"
    until(lambda: service.get(path).status_code == 200)
    service.settle(f"{path}/platforms", "operator", {"uscc": [world.platform, world.signing_platform]})
    service.settle(f"{path}/publish", "operator")
    until(lambda: service.get(path).json()["status"] == "published")
    world.platform_key = service.api_key("platform", world.platform)
    world.signing_key = service.api_key("platform", world.signing_platform)
    world.buyer_keys = [service.api_key("enterprise", number) for number in world.buyers]
    for number in world.buyers:
        world.hand_in(number)
    return world
