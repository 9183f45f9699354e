"""Holds over HTTP: a suspicious claim waits for a person, who decides; every decision can be made again."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from app.checks.models import ClaimedTrade
from app.events.models import Event
from app.policies.files import shipped
from chain.identifiers import entity_id
from tests.app.claims.scenario import World, build, until
from tests.app.conftest import RunningService


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    return build(service)


def held(world: World, **changes: Any) -> dict[str, Any]:
    """A claim on a trade that the checks hold, with its hold."""
    buyer = changes.pop("buyer", 0)
    (evidence,) = world.evidence_ids([world.record(buyer=world.buyers[buyer], **changes)])
    (claim,) = world.claim([(world.voucher(buyer), evidence)])
    assert claim["state"] == "held", claim
    holds = world.json(world.service.get("/v1/holds", "reviewer-1", code=claim["code"]), 200)["items"]
    return next(one for one in holds if one["claim_id"] == claim["id"])


def decide(world: World, hold: dict[str, Any], how: str, who: str = "reviewer-1") -> Any:
    return world.service.post(f"/v1/holds/{hold['id']}/{how}", who, {"reason": "contract and bank slip were shown"})


def test_a_held_claim_is_not_sent_keeps_later_trades_waiting_and_is_paid_once_released(world: World) -> None:
    service = world.service
    hold = held(world, traded_at="2024-07-01T00:00:00Z", paid_fen=2_000_000)
    (finding,) = hold["findings"]
    assert (finding["check"], finding["outcome"]["code"], finding["outcome"]["answer"]) == (
        "trade-real",
        "paid_above_bill",
        "hold",
    )
    assert finding["inputs"]["paid_fen"] == 2_000_000
    assert service.get(f"/v1/claims/{hold['claim_id']}").json()["operation_id"] is None

    (later,) = world.evidence_ids([world.record(traded_at="2024-07-02T00:00:00Z")])
    items = [{"voucher_id": hold["voucher_id"], "evidence_id": later}]
    (waiting,) = world.json(service.post("/v1/claims", world.platform_key, {"items": items}), 201)["items"]
    until(lambda: service.get(f"/v1/evidence/{later}").json()["state"] in ("anchored", "final"))
    assert service.get(f"/v1/claims/{waiting['id']}").json()["state"] == "waiting"

    assert world.json(decide(world, hold, "release"), 200)["state"] == "released"
    for claim in (hold["claim_id"], waiting["id"]):
        until(lambda claim=claim: service.get(f"/v1/claims/{claim}").json()["state"] == "redeemed")
    assert world.json(decide(world, hold, "reject"), 409)["code"] == "hold_decided"

    checks = world.json(service.get(f"/v1/claims/{hold['claim_id']}/checks"), 200)
    assert [run["answer"] for run in checks["runs"]] == ["hold", "pass"]
    assert len(checks["runs"][0]["outcomes"]) == 14
    (kept,) = checks["holds"]
    assert (kept["state"], kept["role"], kept["reason"]) == (
        "released",
        "reviewer",
        "contract and bank slip were shown",
    )


def test_a_rejected_claim_is_refused_and_its_trade_may_be_claimed_again(world: World) -> None:
    hold = held(world, buyer=1, traded_at="2024-08-01T00:00:00Z", buyer_paid=False)
    assert [one["check"] for one in hold["findings"]] == ["paid"]
    assert world.json(decide(world, hold, "reject"), 200)["state"] == "rejected"
    claim = world.json(world.service.get(f"/v1/claims/{hold['claim_id']}"), 200)
    assert (claim["state"], claim["code"]) == ("refused", "paid")
    (again,) = world.claim([(hold["voucher_id"], hold["evidence_id"])])
    assert (again["state"], again["id"] == claim["id"]) == ("held", False)
    second = world.service.get("/v1/holds", programme_id=world.programme_id).json()["items"][-1]
    world.json(decide(world, second, "reject"), 200)
    refusals = world.service.get("/v1/reports/refusals").json()["rows"]
    assert ("claim_held", "paid", 2) in {(one["subject"], one["code"], one["count"]) for one in refusals}


def test_a_rule_that_the_contract_has_too_refuses_without_a_transaction(world: World) -> None:
    (evidence,) = world.evidence_ids([world.record(traded_at="2024-08-02T00:00:00Z", supplier=world.related_supplier)])
    (claim,) = world.claim([(world.voucher(0), evidence)])
    assert (claim["state"], claim["code"], claim["operation_id"]) == ("refused", "VoucherLedger_RelatedParties", None)
    assert claim["detail"]["text_zh"]


def test_a_decision_made_again_is_the_same_with_the_rules_of_its_day(world: World) -> None:
    hold = held(world, buyer=2, traded_at="2024-08-03T00:00:00Z", settled_fen=900_000, paid_fen=1)
    (run,) = world.json(world.service.get(f"/v1/claims/{hold['claim_id']}/checks/rerun", "regulator"), 200)
    assert [one["same"] for one in run["checks"]] == [True] * 14
    assert [one["changed"] for one in run["checks"]] == [False] * 14
    world.json(decide(world, hold, "reject"), 200)

    # A later version of the policy that lets such a payment pass: what was decided stays, and what it would be is told.
    later = shipped()["zhengzhou-htz"].decode().replace("version: 1", "version: 2", 1)
    later = later.replace(
        "    agreements:", "    checks: {trade_real: {max_difference_bps: 10000}, paid: {on: false}}\n    agreements:"
    )
    world.service.settle("/v1/programmes", "operator", {"policy_yaml": later})
    (run,) = world.json(world.service.get(f"/v1/claims/{hold['claim_id']}/checks/rerun", "regulator"), 200)
    assert run["policy_digest"] != run["todays_policy_digest"]
    assert {one["check"]: one["today"] for one in run["checks"] if one["changed"]} == {"paid": None}
    assert [one["same"] for one in run["checks"]] == [True] * 14


def test_nothing_of_an_erased_trade_is_left_in_its_checks(world: World) -> None:
    hold = held(world, buyer=2, traded_at="2024-08-03T01:00:00Z", settled_fen=987_654, paid_fen=987_653, refunded_fen=7)
    world.json(decide(world, hold, "reject"), 200)
    body = {"reason": "deletion asked for by the person concerned"}
    world.json(world.service.post(f"/v1/evidence/{hold['evidence_id']}/erasure", "operator", body), 201)
    claim = f"/v1/claims/{hold['claim_id']}"
    kept = world.json(world.service.get(f"{claim}/checks"), 200)
    assert [one["inputs"] for one in kept["runs"][0]["outcomes"]] == [None] * 14
    assert [one["outcome"]["code"] for one in kept["holds"][0]["findings"]] == ["refunded"]
    told = json.dumps([kept, world.service.get(claim).json()])
    assert not {number for number in ("987654", "987653", "9,876.54") if number in told}
    (run,) = world.json(world.service.get(f"{claim}/checks/rerun"), 200)
    assert {(one["same"], one["today"], one["changed"]) for one in run["checks"]} == {(None, None, None)}
    with world.service.gateway.sessions() as session:
        assert session.get(ClaimedTrade, hold["claim_id"]) is None


def test_a_refund_after_payment_bars_the_write_off_until_a_person_released_it(world: World) -> None:
    service = world.service
    traded = {"buyer": world.buyers[2], "traded_at": "2024-08-03T02:00:00Z"}
    bought = world.record(**traded)
    (evidence,) = world.evidence_ids([bought])
    (claim,) = world.claim([(world.voucher(2), evidence)])
    refund = world.record(**traded, charge_class="correction", corrects=bought["trade_id"], refunded_fen=500_000)
    (correction,) = world.evidence_ids([refund])
    write_off = {"redemption_ids": [claim["redemption_id"]], "payment_ref": "PAY-REFUND"}
    assert world.json(service.post("/v1/write-offs", "finance", write_off), 422)["errors"][0]["rule"] in (
        "not_corrected",
        "not_held",
    )

    def opened() -> Any:
        items = service.get("/v1/holds", "reviewer-1", code="paid", programme_id=world.programme_id).json()["items"]
        return next((one for one in items if one["claim_id"] == claim["id"]), None)

    hold = until(opened)
    (finding,) = hold["findings"]
    assert (finding["outcome"]["code"], finding["inputs"]["corrections"]) == ("refunded", [correction])
    assert world.json(service.post("/v1/write-offs", "finance", write_off), 422)["errors"][0]["rule"] == "not_held"
    assert service.get(f"/v1/claims/{claim['id']}").json()["state"] == "redeemed"
    world.json(decide(world, hold, "release"), 200)
    assert service.settle("/v1/write-offs", "finance", write_off)["status"] == "succeeded"


def test_holds_and_decisions_are_told_to_the_parties(world: World) -> None:
    with world.service.gateway.sessions() as session:
        query = select(Event).where(Event.type.startswith("claim.")).order_by(Event.id)
        first, second = session.scalars(query.limit(2))
        told = {party.party for party in first.parties}
    assert (first.type, second.type) == ("claim.held", "claim.hold_decided")
    assert first.data["checks"] == ["trade-real"]
    key = world.service.gateway.jurisdiction_key
    assert told == {entity_id(key, world.buyers[0]), entity_id(key, world.platform)}


def test_only_reviewers_decide_and_only_staff_reads(world: World) -> None:
    hold = held(world, buyer=2, traded_at="2024-08-04T00:00:00Z", buyer_paid=False)
    outsiders = (world.platform_key, world.buyer_keys[2])
    for who in ("operator", "registrar", "finance", "regulator", *outsiders):
        for how in ("release", "reject"):
            assert decide(world, hold, how, who).status_code == 403
    own_reviewer = world.service.api_key("reviewer", world.supplier)
    assert world.json(decide(world, hold, "release", own_reviewer), 403)["code"] == "own_claim"
    claim = f"/v1/claims/{hold['claim_id']}/checks"
    for path in ("/v1/holds", f"/v1/holds/{hold['id']}", claim, f"{claim}/rerun"):
        for who in outsiders:
            assert world.service.get(path, who).status_code == 403
    assert world.service.get("/v1/holds", "reviewer-1", code="nonsense").status_code == 422
    assert world.service.post("/v1/holds/hd_no/release", "reviewer-1", {"reason": "none there"}).status_code == 404
    world.json(decide(world, hold, "reject"), 200)
