"""A year of bills under three policies at once; the sums of the contract are held against those of the simulation.

Each bill is claimed under the policy that gives most (就高不重复), as `POST /v1/quotes` says it. Beijing's own term for
claims is over; its file runs here with a later one, and with nothing else changed.
"""

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from app.policies.compiled import CompiledPolicy, compiled
from app.policies.files import shipped
from app.policies.simulation import Ledger
from scripts._demo.parties import BUYERS, PLATFORM, Party
from scripts._demo.platform import Platform
from scripts._demo.service import DemoError, Service
from scripts._demo.story import STANDING_UNTIL, yuan
from scripts._demo.year_trades import (
    ALL_BUYERS,
    ALL_SUPPLIERS,
    BEIJING,
    HANGZHOU,
    HANGZHOU_CENTRE,
    YEAR,
    Bill,
    bills,
    capacities,
    fair_prices,
)

HOLDERS: dict[str, tuple[Party, ...]] = {"zhengzhou-htz": BUYERS, "beijing-2023": BEIJING, "hangzhou-2024": HANGZHOU}
FACE_FEN = 2**40 - 1
CLAIMS_AT_ONCE = 1_000
PATIENCE_S = 900.0
POLL_S = 0.5


def texts() -> dict[str, str]:
    """The policy files as they run, by id."""
    found = {name: shipped()[name].decode() for name in HOLDERS}
    beijing = found["beijing-2023"].replace("claims_until: 2026-06-30", "claims_until: 2029-06-30")
    return {**found, "beijing-2023": beijing}


class Year:
    """The year, step by step, through the service's HTTP API."""

    def __init__(self, service: Service, tell: Callable[[str], None]) -> None:
        self._service, self._tell = service, tell
        self._keys = service.keys()
        self._policies: dict[str, CompiledPolicy] = {name: compiled(text.encode()) for name, text in texts().items()}
        self._programmes: dict[str, int] = {}
        self._vouchers: dict[tuple[str, str], int] = {}
        self._platform_key = ""
        self._holds: Counter[str] = Counter()
        self.facts: dict[str, Any] = {"year": YEAR}

    def play(self, trace: Path) -> None:
        """All of it."""
        platform = Platform(self._service)
        self._publish()
        self._register(platform)
        self._issue()
        made = bills(trace)
        chosen, expected = self._choose(made)
        self._tell(f"{len(made):,} bills of {YEAR}; {sum(1 for one in chosen if one)} fit a policy")
        posted = list(platform.post(self._platform_key, [bill.record for bill in made], batch=500))
        self._tell(f"{len(posted):,} records posted, signed by the platform")
        self._claim(
            [
                {"voucher_id": self._vouchers[name, bill.buyer], "evidence_id": one.evidence_id}
                for bill, name, one in zip(made, chosen, posted, strict=True)
                if name
            ]
        )
        self._compare(expected)

    def _publish(self) -> None:
        for name, text in texts().items():
            created = self._service.settle("/v1/programmes", self._keys["operator"], {"policy_yaml": text})
            event = next(event for event in created["events"] if event["event"] == "ProgrammeCreated")
            self._programmes[name] = number = int(event["args"]["programmeId"])
            self._service.settle(f"/v1/programmes/{number}/publish", self._keys["operator"])
        self._tell(f"published: {', '.join(self._programmes)}")

    def _register(self, platform: Platform) -> None:
        bodies = [one.registration(STANDING_UNTIL) for one in (*ALL_BUYERS, *ALL_SUPPLIERS, PLATFORM)]
        bodies[-1]["evidence_key"] = platform.signer.address
        self._service.settle("/v1/entities", self._keys["registrar"], {"entities": bodies})
        operator, lists = self._keys["operator"], "/v1/programmes/{}/{}"
        zhengzhou, hangzhou = self._programmes["zhengzhou-htz"], self._programmes["hangzhou-2024"]
        self._service.settle(lists.format(zhengzhou, "platforms"), operator, {"uscc": [PLATFORM.uscc]})
        self._service.settle(lists.format(hangzhou, "suppliers"), operator, {"uscc": [HANGZHOU_CENTRE.uscc]})
        for table, content in (("prices", fair_prices()), ("capacities", capacities())):
            self._service.post(f"/v1/check-tables/{table}", self._keys["registrar"], {"content": content})
        key = {"role": "platform", "subject": PLATFORM.uscc}
        self._platform_key = self._service.post("/v1/api-keys", operator, key)["api_key"]
        self._tell(f"{len(bodies)} organisations registered; fair prices and capacities imported")

    def _issue(self) -> None:
        operator, waiting = self._keys["operator"], {}
        for name, holders in HOLDERS.items():
            part = self._policies[name].policy.programmes[0]
            demanded = [document for stage in part.stages for document in stage.documents]
            for party in holders:
                body: dict[str, Any] = {
                    "programme_id": self._programmes[name],
                    "uscc": party.uscc,
                    "tier": party.tier or _tier(name, party),
                    "documents": [{"name": one, "sha256": self._hand_in(party, one)} for one in demanded],
                    "face_fen": FACE_FEN,
                }
                application = self._service.post("/v1/applications", operator, body)["id"]
                for index, stage in enumerate(part.stages):
                    approval = f"/v1/applications/{application}/approvals"
                    self._service.post(approval, self._keys[f"reviewer-{index + 1}"], {"stage": stage.name})
                waiting[name, party.uscc] = application
        for (name, uscc), application in waiting.items():
            view = self._until(f"/v1/applications/{application}", lambda view: view["state"] in ("issued", "refused"))
            if view["state"] != "issued":
                raise DemoError(f"a voucher was not issued: {view['error']}")
            self._vouchers[name, uscc] = view["voucher_id"]
        self._tell(f"{len(waiting)} vouchers issued")

    def _hand_in(self, party: Party, name: str) -> str:
        content = f"%PDF-1.7\n% {party.uscc} {name}\n%%EOF\n".encode()
        digest = hashlib.sha256(content).hexdigest()
        self._service.put(f"/v1/documents/{digest}?uscc={party.uscc}", self._keys["operator"], content)
        return digest

    def _choose(self, made: list[Bill]) -> tuple[list[str], dict[str, int]]:
        """The policy of each bill, empty where none pays; and what each policy pays in all."""
        ledgers = {name: Ledger(policy.programmes[0]) for name, policy in self._policies.items()}
        chosen, expected, several = [], dict.fromkeys(ledgers, 0), 0
        for bill in made:
            answers = {name: ledger.quote(self._policies[name], bill.question) for name, ledger in ledgers.items()}
            paying = {name: one.subsidy_fen or 0 for name, one in answers.items() if one.eligible}
            best = max(paying, key=lambda name: paying[name], default="")
            several += len(paying) > 1
            if best:
                ledgers[best].pay(bill.question, paying[best])
                expected[best] += paying[best]
            chosen.append(best)
        self.facts["fit_several"] = several
        return chosen, expected

    def _claim(self, items: list[dict[str, Any]]) -> None:
        """Claims all, and plays the reviewer: what is held is looked at and released."""
        for start in range(0, len(items), CLAIMS_AT_ONCE):
            self._service.post("/v1/claims", self._platform_key, {"items": items[start : start + CLAIMS_AT_ONCE]})
        self._tell(f"{len(items):,} claims handed in")
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for hold in self._service.get("/v1/holds", self._keys["reviewer-1"], limit=200)["items"]:
                self._holds.update(one["check"] for one in hold["findings"])
                body = {"reason": "contract, invoice and bank slip were compared"}
                self._service.post(f"/v1/holds/{hold['id']}/release", self._keys["reviewer-1"], body)
            still = [state for state in ("waiting", "presented") if self._has_claims(state)]
            if not still:
                break
            if time.monotonic() > deadline:
                raise DemoError(f"claims are still {still}")
            time.sleep(POLL_S)
        self._until("/v1/chain", lambda view: (view["indexed_block"] or 0) >= self._service.head())
        self.facts["holds"] = dict(self._holds)
        self._tell(f"all decided; held and released: {dict(self._holds) or 'none'}")

    def _has_claims(self, state: str) -> bool:
        return bool(self._service.get("/v1/claims", self._platform_key, state=state, limit=1)["items"])

    def _compare(self, expected: dict[str, int]) -> None:
        """What was paid, which is what the simulation said."""
        summary, months = {}, {}
        for name, number in self._programmes.items():
            redemptions = self._all("/v1/redemptions", programme_id=number)
            refused = self._all("/v1/claims", programme_id=number, state="refused")
            paid = sum(one["amount_fen"] for one in redemptions)
            if paid != expected[name]:
                raise DemoError(f"{name} paid {paid} fen where the policy gives {expected[name]}")
            summary[name] = {
                "claims": len(redemptions) + len(refused),
                "redeemed": len(redemptions),
                "cut": dict(Counter(one["limit"] for one in redemptions if one["limit"] != "none")),
                "refused": dict(Counter(one["code"] for one in refused)),
                "settled_fen": sum(one["settled_fen"] for one in redemptions),
                "paid_fen": paid,
            }
            by_month: dict[str, int] = defaultdict(int)
            for one in redemptions:
                by_month[time.strftime("%m", time.gmtime(one["traded_at"] + 8 * 3600))] += one["amount_fen"]
            months[name] = dict(sorted(by_month.items()))
        self.facts |= {"policies": summary, "months": months}
        self._tell("the contract paid what the simulation said, to the fen")

    def _all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            page = self._service.get(path, self._keys["finance"], limit=200, **query, **cursor)
            found += page["items"]
            if not page["next"]:
                return found
            cursor = {"after": page["next"]}

    def _until(self, path: str, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            view: dict[str, Any] = self._service.get(path, self._keys["operator"])
            if done(view):
                return view
            if time.monotonic() > deadline:
                raise DemoError(f"{path} is still {view.get('state')}")
            time.sleep(POLL_S)


def _tier(name: str, party: Party) -> str:
    if name == "beijing-2023":
        return "large_model_enterprise"
    return "base_model" if party in HANGZHOU[:4] else "enterprise"


def show_year(facts: dict[str, Any], screen: Console) -> None:
    """The summary, and the subsidy by month."""
    table = Table(title=f"{facts['year']} under three policies · {facts['fit_several']} bills fit several (就高)")
    for name in ("policy", "claims", "paid", "cut", "refused", "settled", "subsidy"):
        table.add_column(name, justify="left" if name == "policy" else "right", no_wrap=True)
    for name, one in facts["policies"].items():
        counts = [one["claims"], one["redeemed"], sum(one["cut"].values()), sum(one["refused"].values())]
        table.add_row(name, *(f"{count:,}" for count in counts), yuan(one["settled_fen"]), yuan(one["paid_fen"]))
    screen.print(table)
    most = max(fen for months in facts["months"].values() for fen in months.values())
    chart = Table("month", *facts["months"], title="Subsidy by month")
    for month in sorted({month for months in facts["months"].values() for month in months}):
        chart.add_row(month, *(Bar(most, 0, months.get(month, 0), width=26) for months in facts["months"].values()))
    screen.print(chart)
