"""Reports over HTTP and by the command: who may read which, what they refuse, and one demo checked by hand."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.reports.catalogue import REPORTS
from tests.app.claims.scenario import World, build, until
from tests.app.conftest import RunningService

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    """Two redemptions of 3,000 yuan each on one voucher, the second rejected; the first is written off."""
    world = build(service, buyers=2)
    voucher = world.voucher(0, face_fen=1_000_000)
    world.voucher(1, face_fen=500_000)
    records = [world.record(traded_at=f"2024-08-0{day}T00:00:00Z") for day in (1, 2)]
    first, second = world.claim([(voucher, one) for one in world.evidence_ids(records)])
    service.settle("/v1/write-offs", "finance", {"redemption_ids": [first["redemption_id"]], "payment_ref": "PAY-1"})
    reject = {"reason": "meter wrong", "bar_trade": False}
    service.settle(f"/v1/redemptions/{second['redemption_id']}/reject", "finance", reject)
    until(lambda: report(world, "overview")["totals"]["rejected"] == 1)
    return world


def report(world: World, name: str, who: str = "regulator", **question: Any) -> dict[str, Any]:
    found: dict[str, Any] = world.json(world.service.get(f"/v1/reports/{name}", who, **question), 200)
    return found


def refused(world: World, name: str, who: str = "regulator", **question: Any) -> tuple[int, str, str]:
    answer = world.service.get(f"/v1/reports/{name}", who, **question)
    problem = answer.json()
    error = problem.get("errors", [{"pointer": "", "rule": problem["code"]}])[0]
    return answer.status_code, error["pointer"], error["rule"]


def test_each_figure_is_the_one_worked_out_by_hand(world: World) -> None:
    (line,) = report(world, "overview")["rows"]
    figures = {name: value for name, value in line.items() if isinstance(value, int)}
    assert figures == {
        "programme_id": world.programme_id,
        "applied": 2,
        "applied_fen": 1_500_000,
        "approved": 2,
        "approved_fen": 1_500_000,
        "issued": 2,
        "issued_fen": 1_500_000,
        "redeemed": 1,
        "redeemed_fen": 300_000,
        "provisional_fen": 0,
        "written_off": 1,
        "written_off_fen": 300_000,
        "rejected": 1,
        "rejected_fen": 300_000,
        "recovered_fen": 0,
        "returned_fen": 0,
        "remaining_fen": 1_200_000,
        "use_bps": 2_000,
    }
    assert line["name"].startswith("郑州")
    (budget,) = report(world, "budgets", language="en")["rows"]
    assert (budget["available_fen"], budget["liability_fen"]) == (5_000_000_000 - 300_000, 1_200_000)
    months = report(world, "burn")["rows"]  # two where the world was made while a month ended
    assert months[0]["opening_fen"] == 5_000_000_000
    assert [sum(month[name] for month in months) for name in ("redeemed_fen", "rejected_fen")] == [600_000, 300_000]
    (supplier,) = report(world, "suppliers")["rows"]
    moved = ("opening_fen", "redeemed_fen", "rejected_fen", "settled_fen", "closing_fen", "net_fen")
    assert [supplier[name] for name in moved] == [0, 600_000, 300_000, 300_000, 0, 300_000]
    (alone,) = report(world, "concentration")["rows"]
    assert (alone["share_bps"], alone["hhi"], alone["uscc"]) == (10_000, 10_000, world.supplier)
    (progress,) = report(world, "progress")["rows"]
    assert [progress[name] for name in ("applied", "open", "approved", "rejected", "issued")] == [2, 0, 2, 0, 2]
    stages = report(world, "stages")["rows"]
    assert [(row["stage"], row["waiting"], row["review_passages"]) for row in stages] == [(0, 0, 2), (1, 0, 2)]
    refusals = {(row["subject"], row["code"], row["count"]) for row in report(world, "refusals")["rows"]}
    assert ("redemption_rejected", "meter wrong", 1) in refusals
    events = report(world, "voucher", voucher_id=(world.programme_id << 32) + 1)["rows"]
    assert [row["event"] for row in events] == [
        "VoucherIssued",
        "Redeemed",
        "Redeemed",
        "WrittenOff",
        "RedemptionRejected",
    ]
    assert [row["amount_fen"] for row in events] == [1_000_000, 300_000, 300_000, 300_000, 300_000]
    assert report(world, "effect")["rows"] == []


def test_a_past_block_says_what_was_then(world: World) -> None:
    events = report(world, "voucher", voucher_id=(world.programme_id << 32) + 1)["rows"]
    redeemed = next(row["block_number"] for row in events if row["event"] == "WrittenOff") - 1
    then = report(world, "overview", as_of=redeemed)
    assert (then["anchor"]["block_number"], then["totals"]["redeemed_fen"]) == (redeemed, 600_000)
    assert then["totals"]["provisional_fen"] == 600_000
    block = world.service.gateway.rpc.call("eth_getBlockByNumber", hex(redeemed), False)
    assert then["anchor"]["block_hash"] == block["hash"]
    assert then["totals"]["applied"] == 2


def test_parameters_are_refused_by_name(world: World) -> None:
    head = report(world, "overview")["anchor"]["block_number"]
    for name, question, expected in (
        ("overview", {"as_of": head + 1}, (422, "query/as_of", "known_block")),
        ("overview", {"as_of": 0}, (422, "query/as_of", "deployed")),
        ("overview", {"as_of": "2999-01-01"}, (422, "query/as_of", "past_day")),
        ("overview", {"as_of": "1999-01-01"}, (422, "query/as_of", "deployed")),
        ("overview", {"as_of": "2026-02-30"}, (422, "query/as_of", "block_or_day")),
        ("overview", {"as_of": "0x10"}, (422, "query/as_of", "block_or_day")),
        ("overview", {"as_of": "9" * 16}, (422, "query/as_of", "string_too_long")),
        ("refusals", {"as_of": head}, (422, "query/as_of", "not_of_this_report")),
        ("overview", {"first": "2026-01-01"}, (422, "query/first", "not_of_this_report")),
        ("flows", {"first": "2026-01-02", "last": "2026-01-01"}, (422, "query/last", "not_before_first")),
        ("flows", {"by": "week"}, (422, "query/by", "literal_error")),
        ("statement", {}, (422, "query/supplier", "required")),
        ("voucher", {}, (422, "query/voucher_id", "required")),
        ("statement", {"supplier": "nobody"}, (404, "", "entity_not_found")),
        ("voucher", {"voucher_id": 1}, (404, "", "voucher_not_found")),
        ("profits", {}, (404, "", "report_not_found")),
    ):
        assert refused(world, name, **question) == expected, (name, question)


def test_reports_are_for_staff_and_organisations_see_their_own(world: World) -> None:
    service = world.service
    supplier = service.api_key("enterprise", world.supplier)
    voucher = (world.programme_id << 32) + 1
    for name, one in REPORTS.items():
        question: dict[str, Any] = {"supplier": world.supplier} if "supplier" in one.needs else {}
        question |= {"voucher_id": voucher} if "voucher_id" in one.needs else {}
        assert service.http.get(f"/v1/reports/{name}").status_code == 401
        for staff in ("operator", "registrar", "reviewer-1", "finance", "regulator"):
            assert service.get(f"/v1/reports/{name}", staff, **question).status_code == 200, (name, staff)
        for other in (world.buyer_keys[1], world.platform_key):
            expected = 404 if one.own else 403
            assert service.get(f"/v1/reports/{name}", other, **question).status_code == expected, (name, other)
    assert report(world, "statement", supplier, supplier=world.supplier)["totals"]["settled_fen"] == 300_000
    assert len(report(world, "voucher", world.buyer_keys[0], voucher_id=voucher)["rows"]) == 5
    listed = world.json(service.get("/v1/reports", supplier), 200)["items"]
    assert [one["name"] for one in listed] == ["statement", "voucher"]


def test_the_command_writes_files_and_says_what_is_wrong(world: World, tmp_path: Path) -> None:
    environment = os.environ | {
        "SUANQUAN_API_KEY": world.service.keys["finance"],
        "SUANQUAN_DATA_DIR": str(tmp_path),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "app.cli", "report", *arguments, "--api", world.service.url]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    file = tmp_path / "suppliers.xlsx"
    written = run("suppliers", "--format", "xlsx", "--out", str(file))
    assert written.returncode == 0, written.stderr
    assert load_workbook(io.BytesIO(file.read_bytes())).worksheets[0]["C2"].value == world.supplier
    plain = run("overview", "--format", "json", "--dimension", "tiers")
    assert json.loads(plain.stdout)["rows"][0]["key"] == "enterprise_in_zone"
    wrong = run("overview", "--as-of", "2999-01-01")
    assert (wrong.returncode, "past_day" in wrong.stderr) == (1, True)
