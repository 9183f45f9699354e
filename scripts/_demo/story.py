"""The story, step by step. Every step goes through the service's HTTP API, as its users' would."""

import hashlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.client.gpu_trace import Task
from scripts._demo.parties import ALL, BLACKLISTED, BUYERS, PLATFORM, RELATED, Party
from scripts._demo.platform import Platform, Posted, records
from scripts._demo.service import ROOT, DemoError, Service

POLL_S = 0.1
PATIENCE_S = 600.0
STANDING_UNTIL = 1_830_268_799  # 2027-12-31 23:59:59 in China
WRITE_OFF_BATCH = 50
OPEN_CLAIMS = ("waiting", "presented")


@dataclass
class Story:
    """What the story has come to; the members become the demo's JSON."""

    service: Service
    tell: Callable[..., None]
    programme_id: int = 0
    vouchers: dict[str, int] = field(default_factory=dict)
    evidence: list[Posted] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    platform_key: str = ""

    def __post_init__(self) -> None:
        self.keys = self.service.keys()

    def publish(self) -> None:
        """One policy file, two commands."""
        created = self.service.settle("/v1/programmes", self.keys["operator"], {"policy": "zhengzhou-htz"})
        event = next(event for event in created["events"] if event["event"] == "ProgrammeCreated")
        self.programme_id = int(event["args"]["programmeId"])
        self.service.settle(f"/v1/programmes/{self.programme_id}/publish", self.keys["operator"])
        self.facts["programme_id"] = self.programme_id
        self.tell("publish")

    def register(self, platform: Platform) -> None:
        """Everybody on chain, the platform with its own key and on the programme's list."""
        bodies = [party.registration(STANDING_UNTIL) for party in ALL]
        for body in bodies:
            if body["uscc"] == PLATFORM.uscc:
                body["evidence_key"] = platform.signer.address
        self.service.settle("/v1/entities", self.keys["registrar"], {"entities": bodies})
        listing = {"uscc": [PLATFORM.uscc]}
        self.service.settle(f"/v1/programmes/{self.programme_id}/platforms", self.keys["operator"], listing)
        key = {"role": "platform", "subject": PLATFORM.uscc}
        self.platform_key = self.service.post("/v1/api-keys", self.keys["operator"], key)["api_key"]
        self.facts["entities"] = len(ALL)
        self.tell("register", count=len(ALL))

    def issue(self) -> None:
        """Application, two stages of review by two reviewers, issue."""
        applicants = (*BUYERS, BLACKLISTED, RELATED)
        ids = {party: self._apply(party) for party in applicants}
        for application in ids.values():
            for stage, reviewer in (("first_review", "reviewer-1"), ("second_review", "reviewer-2")):
                path = f"/v1/applications/{application}/approvals"
                self.service.post(path, self.keys[reviewer], {"stage": stage})
        for party, application in ids.items():
            view = self._until(f"/v1/applications/{application}", lambda view: view["state"] in ("issued", "refused"))
            if view["state"] != "issued":
                raise DemoError(f"the voucher of {party.name} was not issued: {view}")
            self.vouchers[party.uscc] = view["voucher_id"]
        self.facts["vouchers_issued"] = len(self.vouchers)
        self.tell("issue", count=len(self.vouchers))

    def _apply(self, party: Party) -> str:
        documents = [
            {"name": name, "sha256": self._hand_in(party, name)}
            for name in ("business_licence", "settlement_statement")
        ]
        body = {"programme_id": self.programme_id, "uscc": party.uscc, "tier": party.tier, "documents": documents}
        return str(self.service.post("/v1/applications", self.keys["operator"], body)["id"])

    def _hand_in(self, party: Party, name: str) -> str:
        """A document of a party; its digest."""
        content = f"%PDF-1.7\n% {party.uscc} {name}\n%%EOF\n".encode()
        digest = hashlib.sha256(content).hexdigest()
        self.service.put(f"/v1/documents/{digest}?uscc={party.uscc}", self.keys["operator"], content)
        return digest

    def post_evidence(self, platform: Platform, tasks: list[Task]) -> None:
        """Signed submissions by REST, then batches on chain."""
        self.evidence = list(platform.post(self.platform_key, records(tasks)))
        self.facts["evidence_accepted"] = len(self.evidence)
        self.tell("evidence", count=len(self.evidence))
        path = f"/v1/platforms/{PLATFORM.uscc}/stream"
        self._until(path, lambda view: view["anchored_to"] == view["next_sequence"] - 1, self.platform_key)
        self.facts["evidence_anchored"] = len(self.evidence)
        self.tell("anchored", count=len(self.evidence))

    def blacklist(self) -> None:
        """A buyer falls into bad standing after its voucher was issued."""
        body = {"standing": "dishonest", "until": STANDING_UNTIL}
        self.service.settle(f"/v1/entities/{BLACKLISTED.uscc}/standing", self.keys["registrar"], body)
        self.tell("blacklist", name=BLACKLISTED.name)

    def claim(self) -> None:
        """All trades are claimed; the contract pays or refuses."""
        items = [
            {"voucher_id": self.vouchers[posted.buyer], "evidence_id": posted.evidence_id} for posted in self.evidence
        ]
        self.tell("claims", count=len(items))
        self.service.post("/v1/claims", self.platform_key, {"items": items})
        deadline = time.monotonic() + PATIENCE_S
        while any(self._has_claims(state) for state in OPEN_CLAIMS):
            if time.monotonic() > deadline:
                raise DemoError("claims are still open")
            time.sleep(POLL_S)

    def _has_claims(self, state: str) -> bool:
        page = self.service.get("/v1/claims", self.platform_key, state=state, limit=1)
        return bool(page["items"])

    def _claims(self, state: str) -> list[dict[str, Any]]:
        return self._all("/v1/claims", self.platform_key, state=state, programme_id=self.programme_id)

    def _all(self, path: str, key: str, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            page = self.service.get(path, key, limit=200, **query, **cursor)
            found += page["items"]
            if not page["next"]:
                return found
            cursor = {"after": page["next"]}

    def redeemed(self) -> list[dict[str, Any]]:
        """The redemptions, from the projection."""
        return self._all("/v1/redemptions", self.keys["finance"], programme_id=self.programme_id)

    def check_claims(self) -> None:
        """What was paid, what was refused and why, and one subsidy worked out by hand."""
        redemptions = self.redeemed()
        refused = Counter(claim["code"] for claim in self._claims("refused"))
        self.facts["redeemed_fen"] = sum(item["amount_fen"] for item in redemptions)
        self.facts["refused"] = dict(sorted(refused.items()))
        self.tell("redeemed", count=len(redemptions), fen=yuan(self.facts["redeemed_fen"]))
        self.tell("refused", count=sum(refused.values()))
        self._work_by_hand(redemptions)

    def _work_by_hand(self, redemptions: list[dict[str, Any]]) -> None:
        """The first trade of the in-zone enterprise: 30 % of the amount settled, rounded down to the fen."""
        buyer = BUYERS[0]
        first = min(
            (posted for posted in self.evidence if posted.buyer == buyer.uscc),
            key=lambda posted: str(posted.record["traded_at"]),
        )
        settled = int(first.record["settled_fen"])
        expected = settled * 30 // 100
        paid = next(
            item["amount_fen"]
            for item in sorted(redemptions, key=lambda item: int(item["traded_at"]))
            if item["voucher_id"] == self.vouchers[buyer.uscc]
        )
        if paid != expected:
            raise DemoError(f"the contract paid {paid} fen where the policy gives {expected}")
        self.tell("example", sum=yuan(settled), rate=30, expected=yuan(expected), paid=yuan(paid))

    def write_off(self) -> None:
        """Final settlement in batches, each against one payment reference."""
        ids = [item["redemption_id"] for item in self.redeemed()]
        for number, start in enumerate(range(0, len(ids), WRITE_OFF_BATCH)):
            batch = {"redemption_ids": ids[start : start + WRITE_OFF_BATCH], "payment_ref": f"PAY-2026-{number:04d}"}
            self.service.settle("/v1/write-offs", self.keys["finance"], batch)
        self._until_indexed()
        written = [item for item in self.redeemed() if item["state"] == "written_off"]
        self.facts["written_off_fen"] = sum(item["amount_fen"] for item in written)
        self.tell("write_off", count=len(written), fen=yuan(self.facts["written_off_fen"]))

    def report(self, name: str, **question: Any) -> dict[str, Any]:
        """A report as it stands now."""
        found: dict[str, Any] = self.service.get(f"/v1/reports/{name}", self.keys["regulator"], **question)
        return found

    def list_vouchers(self) -> list[dict[str, Any]]:
        """The vouchers, from the projection."""
        return self._all("/v1/vouchers", self.keys["regulator"], programme_id=self.programme_id)

    def budget(self) -> dict[str, int]:
        """The programme's budget, from the projection."""
        found: dict[str, int] = self.service.get(f"/v1/programmes/{self.programme_id}")["budgets"][0]
        return found

    def bundle(self, folder: Path) -> Path:
        """Proof bundle of one written-off redemption."""
        chosen = self.redeemed()[0]["redemption_id"]
        path = folder / f"redemption-{chosen}.json"
        path.write_bytes(self.service.fetch(f"/v1/redemptions/{chosen}/bundle", self.keys["regulator"]))
        self.facts["bundle"] = str(path)
        self.tell("bundle", path=path)
        return path

    def verify(self, bundle: Path) -> None:
        """The bundle holds, and does not hold with one byte changed."""
        good = verify(bundle, self.service.node_url)
        if not good["ok"]:
            raise DemoError(f"a genuine bundle was refused: {good}")
        self.tell("verified", steps=len(good["steps"]))
        content = bytearray(bundle.read_bytes())
        place = content.index(b'"settled_fen"') + len(b'"settled_fen":') + 1
        content[place] = ord("8") if content[place] != ord("8") else ord("9")
        forged = bundle.with_suffix(".forged.json")
        forged.write_bytes(content)
        bad = verify(forged, self.service.node_url)
        if bad["ok"]:
            raise DemoError("a forged bundle was accepted")
        self.tell("tampered", reason=next(step["name"] for step in bad["steps"] if not step["ok"]))

    def survive(self) -> None:
        """kill -9, restart: nothing is lost, nothing happens twice."""
        before = self._state()
        self.service.kill()
        self.service.start()
        self._until_indexed()
        after = self._state()
        if before != after:
            raise DemoError("the state changed over kill -9")
        self.tell("killed")

    def _state(self) -> dict[str, Any]:
        return {
            "budget": self.budget(),
            "vouchers": self.list_vouchers(),
            "redemptions": self.redeemed(),
            "refused": self._claims("refused"),
        }

    def _until(self, path: str, done: Callable[[dict[str, Any]], bool], key: str = "") -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            view: dict[str, Any] = self.service.get(path, key or self.keys["operator"])
            if done(view):
                return view
            if time.monotonic() > deadline:
                raise DemoError(f"{path} is still {view.get('state')}")
            time.sleep(POLL_S)

    def _until_indexed(self) -> None:
        """Waits until the projections have reached the chain's head."""
        head = self.service.head()
        self._until("/v1/chain", lambda view: (view["indexed_block"] or 0) >= head)


def verify(bundle: Path, node_url: str) -> dict[str, Any]:
    """What `suanquan verify` says of a bundle, in a process of its own."""
    command = [sys.executable, "-P", "-m", "app.cli", "verify", str(bundle), "--rpc", node_url, "--json"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        report: dict[str, Any] = json.loads(answer.stdout)
    except ValueError as error:
        raise DemoError(f"suanquan verify failed: {answer.stderr}") from error
    if report["ok"] != (answer.returncode == 0):
        raise DemoError("suanquan verify contradicts its exit status")
    return report


def yuan(fen: int) -> str:
    """An amount for people."""
    return f"¥{fen / 100:,.2f}"
