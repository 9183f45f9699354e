"""Write-off, rejection and recovery over HTTP, and what suppliers and reports show of them."""

import hashlib
import json
from typing import Any

import pytest

from tests.app.claims.scenario import World, build, until
from tests.app.conftest import RunningService

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    return build(service, buyers=2)


def redemption(world: World, number: int) -> dict[str, Any]:
    """A redemption now."""
    found: dict[str, Any] = world.json(world.service.get(f"/v1/redemptions/{number}"), 200)
    return found


def until_state(world: World, number: int, state: str) -> dict[str, Any]:
    """A redemption, once it is in a state."""
    return until(lambda: redemption(world, number) if redemption(world, number)["state"] == state else None)


def totals(world: World) -> dict[str, Any]:
    """The programme's line of the overview."""
    overview = world.json(world.service.get("/v1/reports/overview", "regulator"), 200)
    line: dict[str, Any] = next(line for line in overview["rows"] if line["programme_id"] == world.programme_id)
    return line


def test_redemptions_are_written_off_together_rejected_and_recovered(world: World) -> None:
    service = world.service
    # 30 % of 10,000 yuan each, in order of trade time.
    first, second, third = (
        world.redeemed(number % 2, traded_at=f"2024-08-0{number + 1}T00:00:00Z") for number in range(3)
    )
    path = f"/v1/suppliers/{world.supplier}/ledger"
    assert world.json(service.get(path, "finance"), 200)["owed_fen"] == 900_000

    body = {"redemption_ids": [first, second], "payment_ref": "PAY-2026-0117"}
    written = service.settle("/v1/write-offs", "finance", body)
    assert [event["event"] for event in written["result"]["events"]] == ["WrittenOff", "WrittenOff"]
    view = until_state(world, first, "written_off")
    assert (view["payment_ref"], view["written_off_at"] is not None) == ("PAY-2026-0117", True)

    reject = {"reason": "invoice cancelled", "bar_trade": False}
    service.settle(f"/v1/redemptions/{third}/reject", "finance", reject)
    until_state(world, third, "rejected")
    recover = {"amount_fen": 100_000, "reference": "0x" + "ab" * 32}
    service.settle(f"/v1/redemptions/{second}/recover", "finance", recover)
    until(lambda: redemption(world, second)["recovered_fen"] == 100_000)

    ledger = world.json(service.get(path, "finance"), 200)
    assert {name: ledger[name] for name in ledger if name.endswith("_fen")} == {
        "owed_fen": 0,
        "settled_fen": 600_000,
        "rejected_fen": 300_000,
        "recovered_fen": 100_000,
        "net_fen": 500_000,
    }
    line = totals(world)
    assert (line["redeemed"], line["redeemed_fen"], line["written_off_fen"]) == (2, 600_000, 600_000)
    assert (line["rejected"], line["rejected_fen"], line["recovered_fen"]) == (1, 300_000, 100_000)
    too_much = {"amount_fen": 200_001, "reference": "REC-1"}
    answer = service.post(f"/v1/redemptions/{second}/recover", "finance", too_much)
    assert world.json(answer, 422)["errors"][0]["pointer"] == "/amount_fen"


def test_a_trade_whose_redemption_was_rejected_is_claimed_again_unless_barred(world: World) -> None:
    service = world.service
    voucher = world.voucher(0)
    evidence = world.evidence_ids([world.record(traded_at="2024-09-01T00:00:00Z") for _ in range(2)])
    claims = world.claim([(voucher, one) for one in evidence])
    for claim, barred in zip(claims, (False, True), strict=True):
        body = {"reason": "meter wrong", "bar_trade": barred}
        service.settle(f"/v1/redemptions/{claim['redemption_id']}/reject", "finance", body)
        until_state(world, claim["redemption_id"], "rejected")
    again = world.claim([(voucher, one) for one in evidence])
    assert [claim["state"] for claim in again] == ["redeemed", "refused"]
    assert again[1]["code"] == "VoucherLedger_SettlementUsed"
    assert again[0]["id"] != claims[0]["id"]
    assert world.service.get(f"/v1/claims/{claims[0]['id']}").json()["state"] == "rejected"


def test_a_write_off_is_all_or_nothing_and_names_what_is_wrong(world: World) -> None:
    service = world.service
    good = world.redeemed(0, traded_at="2024-10-01T00:00:00Z")
    for ids, pointer in (
        ([good, good], "/redemption_ids/1"),
        ([good, 1], "/redemption_ids/1"),
        ([], "/redemption_ids"),
        ([good] * 51, "/redemption_ids"),
        ([-1], "/redemption_ids/0"),
        ([2**48], "/redemption_ids/0"),
        ([str(good)], "/redemption_ids/0"),
    ):
        body = {"redemption_ids": ids, "payment_ref": "PAY"}
        assert world.json(service.post("/v1/write-offs", "finance", body), 422)["errors"][0]["pointer"] == pointer
    for ref in ("", "x" * 32, "付款", "PAY 1", "PAY\u200b", "0x" + "00" * 32, "0x12", 5):
        body = {"redemption_ids": [good], "payment_ref": ref}
        answer = world.json(service.post("/v1/write-offs", "finance", body), 422)
        assert answer["errors"][0]["pointer"] == "/payment_ref", ref
    assert redemption(world, good)["state"] == "provisional"
    service.settle("/v1/write-offs", "finance", {"redemption_ids": [good], "payment_ref": "PAY"})
    until_state(world, good, "written_off")
    again = service.post("/v1/write-offs", "finance", {"redemption_ids": [good], "payment_ref": "PAY"})
    assert world.json(again, 422)["errors"][0]["rule"] == "provisional"
    reject = service.post(f"/v1/redemptions/{good}/reject", "finance", {"reason": "r", "bar_trade": True})
    assert world.json(reject, 409)["state"] == "written_off"


def test_amounts_and_references_of_a_recovery_are_checked(world: World) -> None:
    number = world.redeemed(1, traded_at="2024-11-01T00:00:00Z")
    path = f"/v1/redemptions/{number}/recover"
    for body, pointer in (
        ({"amount_fen": 0, "reference": "R"}, "/amount_fen"),
        ({"amount_fen": -5, "reference": "R"}, "/amount_fen"),
        ({"amount_fen": 2**40, "reference": "R"}, "/amount_fen"),
        ({"amount_fen": "5", "reference": "R"}, "/amount_fen"),
        ({"amount_fen": 5}, "/reference"),
        ({"amount_fen": 5, "reference": "R", "why": "x"}, "/why"),
    ):
        assert world.json(world.service.post(path, "finance", body), 422)["errors"][0]["pointer"] == pointer
    early = world.service.post(path, "finance", {"amount_fen": 5, "reference": "R"})
    assert world.json(early, 409)["code"] == "redemption_state"


def test_the_overview_adds_up_and_names_its_block(world: World) -> None:
    world.redeemed(0, traded_at="2024-11-15T00:00:00Z")
    world.json(world.service.post("/v1/applications", "operator", world.application(0)), 201)
    overview = world.json(world.service.get("/v1/reports/overview", "operator"), 200)
    anchor = overview["anchor"]
    canonical = json.dumps(overview["rows"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert anchor["rows_sha256"] == f"0x{hashlib.sha256(canonical.encode()).hexdigest()}"
    block = world.service.gateway.rpc.call("eth_getBlockByNumber", hex(anchor["block_number"]), False)
    assert block["hash"] == anchor["block_hash"]
    assert anchor["contracts"]["VoucherLedger"] == world.service.gateway.contracts.ledger

    line = totals(world)
    assert line["applied"] == line["issued"] + 1
    keys = {"periods": None, "tiers": "enterprise_in_zone", "regions": "410100", "kinds": "enterprise"}
    for dimension, key in keys.items():
        by = world.json(world.service.get("/v1/reports/overview", "operator", dimension=dimension), 200)
        for name in ("applied", "issued", "issued_fen", "redeemed", "redeemed_fen", "written_off_fen", "remaining_fen"):
            assert by["totals"][name] == line[name], (dimension, name)
        assert key is None or {one["key"] for one in by["rows"]} == {key}
    suppliers = world.json(world.service.get("/v1/reports/overview", "operator", dimension="suppliers"), 200)
    assert suppliers["totals"]["redeemed_fen"] == line["redeemed_fen"]
    assert [one["uscc"] for one in suppliers["rows"]] == [world.supplier]
    for by, length in (("month", 7), ("day", 10)):
        for dimension in ("programmes", "regions", "suppliers"):
            flows = world.json(world.service.get("/v1/reports/flows", "finance", by=by, dimension=dimension), 200)
            assert {len(one["span"]) for one in flows["rows"]} == {length}
            assert sum(one["redeemed_fen"] - one["rejected_fen"] for one in flows["rows"]) == line["redeemed_fen"]
            assert sum(one["written_off_fen"] for one in flows["rows"]) == line["written_off_fen"]
    (budget,) = world.json(world.service.get("/v1/reports/budgets", "operator"), 200)["rows"]
    used = budget["provisional_fen"] + budget["written_off_fen"] - budget["recovered_fen"]
    assert budget["available_fen"] == 5_000_000_000 - used
    assert line["redeemed_fen"] == budget["provisional_fen"] + budget["written_off_fen"]


def test_refusals_are_counted_by_reason(world: World) -> None:
    voucher = world.voucher(0)
    records = [world.record(traded_at="2024-12-01T00:00:00Z", region_id="310000") for _ in range(2)]
    world.claim([(voucher, one) for one in world.evidence_ids(records)])
    rows = world.json(world.service.get("/v1/reports/refusals", "finance"), 200)["rows"]
    found = {(one["subject"], one["programme_id"], one["code"], one["count"]) for one in rows}
    assert ("claim_refused", world.programme_id, "VoucherLedger_RegionOutOfScope", 2) in found
    assert ("redemption_rejected", world.programme_id, "invoice cancelled", 1) in found


def test_ledgers_and_reports_are_not_for_strangers(world: World) -> None:
    service = world.service
    supplier_key = service.api_key("enterprise", world.supplier)
    path = f"/v1/suppliers/{world.supplier}/ledger"
    assert service.get(path, supplier_key).status_code == 200
    assert service.get(path, world.buyer_keys[0]).status_code == 404
    for report in ("overview", "flows", "refusals"):
        assert service.get(f"/v1/reports/{report}", supplier_key).status_code == 403
        assert service.http.get(f"/v1/reports/{report}").status_code == 401


def test_other_roles_are_refused(world: World) -> None:
    everyone = ("operator", "registrar", "reviewer-1", "regulator", world.platform_key, world.buyer_keys[0])
    for path, body in (
        ("/v1/write-offs", {"redemption_ids": [1], "payment_ref": "P"}),
        ("/v1/redemptions/1/reject", {"reason": "r", "bar_trade": True}),
        ("/v1/redemptions/1/recover", {"amount_fen": 1, "reference": "R"}),
    ):
        for who in everyone:
            assert world.service.post(path, who, body).status_code == 403, (path, who)
        assert world.service.post(path, "finance", body).status_code in (404, 422)
