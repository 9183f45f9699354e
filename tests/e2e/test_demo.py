"""The whole story from outside: what the demo says is what contracts, reports and the policy's text give."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from eth_hash.auto import keccak

from chain.contracts import Contracts
from chain.rpc import RpcClient
from scripts._anvil import program
from scripts._demo.parties import BUYERS
from scripts._demo.service import ROOT, Service, end_leftover, runs
from tests.e2e.conftest import Played

pytestmark = pytest.mark.slow

BUDGET_FEN = 5_000_000_000
"""5000万元."""


def test_the_demo_tells_what_the_issue_asks_for(played: Played) -> None:
    assert {
        "programme_id",
        "entities",
        "evidence_accepted",
        "evidence_anchored",
        "vouchers_issued",
        "issued_fen",
        "redeemed_fen",
        "written_off_fen",
        "refused",
        "budget_left_fen",
        "contracts",
        "bundle",
        "audit",
        "seconds",
    } <= played.facts.keys()
    assert played.facts["evidence_accepted"] == played.facts["evidence_anchored"] >= 300
    assert played.facts["written_off_fen"] == played.facts["redeemed_fen"] > 0
    assert played.facts["budget_left_fen"] == BUDGET_FEN - played.facts["written_off_fen"]
    assert played.facts["audit"]["equal"] is True


def test_each_kind_of_bad_claim_is_refused_for_its_own_reason(played: Played) -> None:
    assert set(played.facts["refused"]) == {
        "EntityRegistry_Excluded",  # blacklisted buyer
        "VoucherLedger_RelatedParties",  # related supplier
        "VoucherLedger_SettlementUsed",  # same invoice twice
        "VoucherLedger_NothingToPay",  # cap reached
        "VoucherLedger_RegionOutOfScope",  # wrong region
    }


def test_every_subsidy_is_what_the_articles_give(played: Played, service: Service) -> None:
    """Recomputed here from the tiers of the Zhengzhou articles: rate of the amount settled, rounded down, until the
    yearly cap (or, out of zone, the cap over the whole term) is reached."""
    rates = {
        "enterprise_in_zone": (30, 300_000_00),
        "enterprise_in_zone_small": (15, 300_000_00),
        "research_institute": (30, 200_000_00),
        "university": (30, 1_000_000_00),
        "university_double_first": (30, 2_000_000_00),
        "large_model_enterprise": (30, 1_000_000_00),
        "enterprise_out_of_zone": (3, 30_000_00),
        "newly_settled": (30, 300_000_00),
    }
    key = service.keys()["finance"]
    tiers = {party.uscc: party.tier for party in BUYERS}
    vouchers = service.get("/v1/vouchers", key, limit=200)["items"]
    for voucher in vouchers:
        if voucher["uscc"] not in tiers:
            assert voucher["redeemed_fen"] == 0
            continue
        rate, cap = rates[tiers[voucher["uscc"]]]
        page = service.get("/v1/redemptions", key, voucher_id=voucher["voucher_id"], limit=200)
        paid = 0
        for item in sorted(page["items"], key=lambda item: (item["traded_at"], item["redemption_id"])):
            assert item["amount_fen"] == min(item["settled_fen"] * rate // 100, cap - paid)
            paid += item["amount_fen"]
        assert voucher["redeemed_fen"] == paid
    assert sum(voucher["redeemed_fen"] for voucher in vouchers) == played.facts["redeemed_fen"]


def test_trades_were_paid_in_order_of_trade_time(service: Service) -> None:
    key = service.keys()["finance"]
    items = []
    after: dict[str, str] = {}
    while True:
        page = service.get("/v1/redemptions", key, limit=200, **after)
        items += page["items"]
        if not page["next"]:
            break
        after = {"after": page["next"]}
    in_order = sorted(items, key=lambda item: int(item["redemption_id"]))
    assert [item["traded_at"] for item in in_order] == sorted(item["traded_at"] for item in items)


def test_cast_reads_a_voucher_and_is_refused_a_transfer(played: Played, service: Service) -> None:
    ledger = played.facts["contracts"]["ledger"]
    voucher = (played.facts["programme_id"] << 32) + 1

    def cast(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [program("cast"), "call", "--rpc-url", service.node_url, ledger, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert cast("supportsInterface(bytes4)(bool)", "0xb45a3c0e").stdout.strip() == "true"
    assert cast("locked(uint256)(bool)", str(voucher)).stdout.strip() == "true"
    owner = cast("ownerOf(uint256)(address)", str(voucher)).stdout.strip()
    assert owner.startswith("0x")
    assert int(owner, 16) != 0
    moved = cast("transferFrom(address,address,uint256)", owner, "0x" + "11" * 20, str(voucher))
    assert moved.returncode != 0
    assert f"0x{keccak(b'VoucherLedger_NonTransferable()')[:4].hex()}" in moved.stderr


def test_the_book_balances_on_chain(played: Played, service: Service) -> None:
    contracts = Contracts.from_dict({"chain_id": service.get("/v1/chain")["chain_id"], **played.facts["contracts"]})
    with RpcClient(service.node_url) as rpc:
        book, available = contracts.read(rpc, "VoucherLedger", "budget", [played.facts["programme_id"], 0])
    assert book["amountFen"] == available + book["reservedFen"] + book["redeemedFen"] + book["writtenOffFen"]
    assert available == played.facts["budget_left_fen"]


def test_nothing_secret_is_in_the_log(played: Played) -> None:
    log = (played.folder / "service.log").read_text()
    for key in json.loads((played.folder / "api-keys.json").read_text()).values():
        assert key not in log
    assert (played.folder / "keys" / "password").read_text().strip() not in log


def test_what_a_killed_demo_left_is_ended_and_its_folder_serves_again(tmp_path: Path) -> None:
    """kill -9 in the middle: the orphaned service is found and ended, as the next run of the demo does first."""
    folder = tmp_path / "data"
    command = [sys.executable, "-P", "-m", "scripts._demo", "--data-dir", str(folder)]
    victim = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ready = folder / "service.json"
    deadline = time.monotonic() + 240
    while not ready.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    orphan = json.loads(ready.read_text())
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert httpx.get(f"{orphan['url']}/healthz", timeout=60, trust_env=False).status_code == httpx.codes.OK

    end_leftover(folder)
    assert not runs(orphan["pid"])
    again = Service(folder)
    again.start()
    assert again.get("/v1/chain")["contracts"].keys() == {"registry", "evidence", "ledger"}
    again.kill()
