"""The modes of programmes on a real chain: issued by an order, issued when applied for, paid in rounds."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from sqlalchemy import update

from app.checks.models import Hold
from app.claims.rounds import begins_at, due_before
from app.events.models import Event
from app.policies.compiled import compiled
from app.policies.files import shipped
from app.policies.model import Rounds
from app.policies.question import ask
from app.policies.simulation import simulate
from app.policies.terms import day_start
from chain.enums import ProgrammeStatus
from tests.app.claims.scenario import World, build, until
from tests.app.conftest import RunningService

WAN = 10_000 * 100


def variant(policy: str, **changes: Any) -> str:
    """A shipped policy under a name of its own, whose last period does not end."""
    content = yaml.safe_load(shipped()[policy])
    content["policy"] = f"{policy}-test-{len(changes)}"
    (part,) = content["programmes"]
    part["periods"][-1]["to"] = part["window"]["contracts"]["to"] = "2090-12-31"
    part["window"]["claims_until"] = "2099-12-31"
    part |= changes
    return json.dumps(content, default=str)


def published(world: World, text: str, *platforms: str) -> int:
    """A programme of a policy, open."""
    service = world.service
    created = service.settle("/v1/programmes", "operator", {"policy_yaml": text})
    assert created["status"] == "succeeded", created
    number = next(e for e in created["result"]["events"] if e["event"] == "ProgrammeCreated")["args"]["programmeId"]
    path = f"/v1/programmes/{number}"
    until(lambda: service.get(path).status_code == 200)
    if platforms:
        service.settle(f"{path}/platforms", "operator", {"uscc": list(platforms)})
    service.settle(f"{path}/publish", "operator")
    until(lambda: service.get(path).json()["status"] == ProgrammeStatus.PUBLISHED.name.lower())
    return int(number)


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    return build(service)


@pytest.fixture(scope="module")
def automatic(world: World) -> int:
    """Yangzhou's policy; key enterprises are those whose revenue an officer confirmed."""
    content = json.loads(variant("yangzhou"))
    content["programmes"][0]["tiers"][0]["when"] = (
        "claimant.kind == 'enterprise' && claimant.revenue_prior_year_fen >= 100000000"
    )
    return published(world, json.dumps(content))


def order(world: World, programme_id: int, number: str, buyer: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "number": number,
        "programme_id": programme_id,
        "buyer": world.buyers[buyer],
        "supplier": world.supplier,
        "compute_type": "intelligent",
        "amount_fen": 100 * WAN,
        **changes,
    }


def confirm(world: World, buyer: int, **facts: Any) -> Any:
    return world.json(
        world.service.put(f"/v1/entities/{world.buyers[buyer]}/facts", "registrar", {"facts": facts}), 200
    )


def test_a_posted_order_leads_to_a_voucher_and_to_the_subsidy(world: World, automatic: int) -> None:
    service = world.service
    confirm(world, 1, revenue_prior_year_fen=500 * WAN)
    body = order(world, automatic, "A-1", buyer=1)
    posted = world.json(service.post("/v1/orders", world.platform_key, body), 201)
    # 20 % of 1,000,000 yuan.
    assert (posted["state"], posted["tier"], posted["face_fen"]) == ("granted", "key_enterprise", 20 * WAN)
    voucher = until(lambda: service.get(f"/v1/vouchers/{posted['voucher_id']}").json().get("voucher_id"))
    application = world.json(service.get(f"/v1/applications/{posted['application_id']}"), 200)
    assert (application["state"], application["finding"]["admits"]) == ("issued", True)
    assert [(one["action"], one["actor"]) for one in application["history"]][1:] == [("approve", "automatic")]
    assert application["facts"] == {"order": "A-1"}
    # The same again is the same order; another one of this number is refused.
    again = world.json(service.post("/v1/orders", world.platform_key, body), 200)
    assert {**again, "issued": False} == posted
    other = service.post("/v1/orders", world.platform_key, {**body, "amount_fen": 1})
    assert world.json(other, 409)["code"] == "order_number_taken"

    # Settled on actual use: 900,000 yuan.
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.1)  # no trade is in the future of the chain's newest block
    used = world.record(
        buyer=world.buyers[1], traded_at=at, settled_fen=90 * WAN, contract_fen=100 * WAN, contract_number="A-1"
    )
    (evidence,) = world.evidence_ids([used])
    (claim,) = world.claim([(int(voucher), evidence)])
    paid = world.json(service.get(f"/v1/redemptions/{claim['redemption_id']}"), 200)
    assert (paid["amount_fen"], paid["limit"]) == (18 * WAN, "none")


def test_orders_that_the_rules_refuse_or_cannot_tell_issue_nothing(world: World, automatic: int) -> None:
    service = world.service
    waiting = world.json(service.post("/v1/orders", world.platform_key, order(world, automatic, "B-1", buyer=2)), 201)
    assert (waiting["state"], waiting["missing"]) == ("incomplete", ["claimant.revenue_prior_year_fen"])
    confirm(world, 2, revenue_prior_year_fen=100 * WAN - 1)
    refused = world.json(service.get(f"/v1/orders/{waiting['id']}"), 200)
    assert (refused["state"], [one["code"] for one in refused["reasons"]]) == ("refused", ["no_tier"])
    related = order(world, automatic, "B-2", supplier=world.related_supplier)
    answer = world.json(service.post("/v1/orders", world.platform_key, related), 201)
    assert (answer["state"], answer["reasons"][0]["code"]) == ("refused", "related_party")
    second = order(world, automatic, "B-3", buyer=2)
    assert world.json(service.post("/v1/orders", world.platform_key, second), 201)["state"] == "refused"
    confirm(world, 2, revenue_prior_year_fen=100 * WAN)
    assert world.json(service.post("/v1/orders", world.platform_key, second | {"number": "B-4"}), 201)["voucher_id"]


def test_orders_at_once_promise_no_more_than_the_cap_and_one_number_is_one_order(world: World, automatic: int) -> None:
    service = world.service
    confirm(world, 0, revenue_prior_year_fen=500 * WAN)
    bodies = [order(world, automatic, f"C-{number % 4}", amount_fen=50 * WAN) for number in range(8)]
    together, answers = threading.Barrier(8), []

    def post(body: dict[str, Any]) -> None:
        together.wait()
        answers.append(service.post("/v1/orders", world.platform_key, body))

    threads = [threading.Thread(target=post, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.status_code for one in answers) == [200] * 4 + [201] * 4
    assert len({one.json()["id"] for one in answers}) == 4
    # The cap is 300,000 yuan a year: three vouchers of 100,000.
    granted = {one.json()["voucher_id"] for one in answers if one.json()["state"] == "granted"}
    assert len(granted) == 3
    until(lambda: all(service.get(f"/v1/vouchers/{one}").status_code == 200 for one in granted))
    more = world.json(service.post("/v1/orders", world.platform_key, order(world, automatic, "C-9")), 201)
    assert (more["state"], more["reasons"][1]["code"]) == ("refused", "limited_by_period_cap")


def test_only_platforms_post_and_only_parties_see(world: World, automatic: int) -> None:
    service = world.service
    body = order(world, automatic, "D-1")
    for who in ("registrar", "reviewer-1", "finance", "regulator", world.buyer_keys[0]):
        assert service.post("/v1/orders", who, body).status_code == 403, who
    foreign = service.post("/v1/orders", world.signing_key, body | {"platform": world.platform})
    assert world.json(foreign, 422)["errors"][0]["rule"] == "own"
    for changes, rule in (
        ({"programme_id": world.programme_id}, "automatic"),
        ({"buyer": world.platform[:-1] + "?"}, "uscc"),
        ({"amount_fen": 0}, "greater_than"),
        ({"amount_fen": 2**48 - 1}, "less_than"),
    ):
        answer = world.json(service.post("/v1/orders", world.platform_key, body | changes), 422)
        assert answer["errors"][0]["rule"] == rule
    mine = world.json(service.get("/v1/orders", world.buyer_keys[1]), 200)["items"]
    assert {one["buyer"] for one in mine} == {world.buyers[1]}
    assert service.get(f"/v1/orders/{mine[0]['id']}", world.signing_key).status_code == 404
    for who in ("operator", "reviewer-1", world.platform_key, world.buyer_keys[0]):
        assert service.put(f"/v1/entities/{world.buyers[0]}/facts", who, {"facts": {}}).status_code == 403
    own = service.put(f"/v1/entities/{world.buyers[0]}/facts", "registrar", {"facts": {"kind": "university"}})
    assert world.json(own, 422)["errors"][0]["rule"] == "from_registry"


def test_a_voucher_is_issued_when_it_is_applied_for_and_used_in_parts(world: World) -> None:
    service = world.service
    programme = published(world, variant("beijing-etown"))
    body = {**world.application(0, tier="enterprise"), "programme_id": programme, "face_fen": 50 * WAN}
    body["documents"] = body["documents"][:1]
    applied = world.json(service.post("/v1/applications", world.buyer_keys[0], body), 201)
    assert (applied["state"], applied["finding"]["admits"]) == ("approved", True)
    number = applied["voucher_id"]
    until(lambda: service.get(f"/v1/vouchers/{number}").status_code == 200)
    # Each use at the rate of its product: 30 % of 100,000 yuan, then 40 % as the chip is domestic.
    time.sleep(1.1)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.1)
    parts = [world.record(traded_at=at, settled_fen=10 * WAN, domestic_chip=chip) for chip in (False, True)]
    claims = world.claim([(number, one) for one in world.evidence_ids(parts)])
    paid = [service.get(f"/v1/redemptions/{one['redemption_id']}").json()["amount_fen"] for one in claims]
    assert sorted(paid) == [3 * WAN, 4 * WAN]
    # By the register a supplier is no enterprise, whatever it states: a reviewer has the last word.
    stranger = {**body, "uscc": world.supplier}
    world.hand_in(world.supplier)
    left = world.json(service.post("/v1/applications", "operator", stranger | {"facts": {"kind": "enterprise"}}), 201)
    assert (left["state"], left["finding"]["admits"]) == ("submitted", None)


def test_rounds_wait_for_the_settlement_delay_and_pay_by_trade_time_until_the_money_is_used_up(world: World) -> None:
    service = world.service
    programme = published(
        world,
        variant("zhengzhou-htz", budgets=[{"amount_fen": 70_000}], rounds={"delay_days": 7, "hold_days": 10}),
        world.platform,
    )
    vouchers = [world.voucher(buyer, programme_id=programme) for buyer in (0, 1)]
    # 04:00 UTC is noon in China: one day in both.
    days = [(datetime.now(UTC) - timedelta(days=ago)).strftime("%Y-%m-%d") for ago in (60, 59, 58, 57, 56, 6)]
    at = [f"{day}T04:00:00Z" for day in days]
    times = [at[2], at[0], at[1], at[5]]
    buyers = [0, 1, 0, 1]
    # 30 % of 1,000 yuan is 300 yuan; there are 700.
    records = [
        world.record(buyer=world.buyers[buyer], traded_at=when, settled_fen=100_000, paid_fen=paid)
        for buyer, when, paid in zip(buyers, times, (100_000, 100_000, 200_000, 100_000), strict=True)
    ]
    items = [
        {"voucher_id": vouchers[buyer], "evidence_id": one}
        for buyer, one in zip(buyers, world.evidence_ids(records), strict=True)
    ]
    taken = world.json(service.post("/v1/claims", world.platform_key, {"items": items}), 201)["items"]
    third, first, second, young = (one["id"] for one in taken)
    assert world.decided(first)["state"] == "redeemed"
    assert world.decided(second)["code"] == "trade-real"
    states = [service.get(f"/v1/claims/{one}").json()["state"] for one in (third, young)]
    assert states == ["waiting", "waiting"]

    # The reviewer lets the time for it go by: the round goes on, and the money is not kept back for it.
    with service.gateway.sessions.begin() as session:
        session.execute(update(Hold).where(Hold.claim_id == second).values(created_at=Hold.created_at - 15 * 86_400))
    until(lambda: service.get(f"/v1/claims/{third}").json()["state"] == "redeemed")
    hold = next(one for one in service.get("/v1/holds").json()["items"] if one["claim_id"] == second)
    assert hold["passed_at"] is not None
    with service.gateway.sessions() as session:
        told = session.query(Event).filter(Event.type == "claim.hold_passed").one()
    assert (told.data["claim_id"], told.data["hold_days"]) == (second, 10)
    # Released later it is late evidence.
    world.json(service.post(f"/v1/holds/{hold['id']}/release", "reviewer-1", {"reason": "bank slip was shown"}), 200)
    assert world.decided(second)["code"] == "VoucherLedger_OutOfOrder"

    late = [world.record(buyer=world.buyers[1], traded_at=when) for when in at[3:5]]
    last, after = world.claim([(vouchers[1], one) for one in world.evidence_ids(late)])
    assert service.get(f"/v1/redemptions/{last['redemption_id']}").json()["amount_fen"] == 10_000
    assert (after["code"], after["detail"]["limit"]) == ("VoucherLedger_NothingToPay", 5)
    rounds = world.json(service.get("/v1/claims/rounds", programme_id=programme), 200)["items"]
    assert [(one["day"], one["state"], one["paid_fen"], one["in_part"]) for one in rounds] == [
        (days[0], "done", 30_000, 0),
        (days[1], "done", 0, 0),
        (days[2], "done", 30_000, 0),
        (days[3], "done", 10_000, 1),
        (days[4], "done", 0, 0),
        (days[5], "collecting", 0, 0),
    ]
    page = world.json(service.get("/v1/claims/rounds", programme_id=programme, after=days[2], limit=1), 200)
    assert [one["day"] for one in page["items"]] == [days[3]]
    assert service.get("/v1/claims/rounds", programme_id=world.programme_id).json()["items"] == []

    # The same trades as questions: in another order of budgets and days the simulation pays what the contract did.
    for who in ("finance", "reviewer-1", world.platform_key):
        assert service.get("/v1/claims/trades", who, programme_id=programme).status_code == 403
    confirm(world, 0, in_zone=True, revenue_prior_year_fen=500 * WAN, settled_in_zone_on=None, large_model_filed=False)
    confirm(world, 1, in_zone=True, revenue_prior_year_fen=500 * WAN, settled_in_zone_on=None, large_model_filed=False)
    lines = service.get("/v1/claims/trades", programme_id=programme).text.splitlines()
    asked = [ask(json.loads(line)) for line in lines]
    assert len(asked) == 6
    told = simulate(compiled(variant("zhengzhou-htz", budgets=[{"amount_fen": 70_000}]).encode()), asked)
    # Beside those paid above it pays the second, which a person looked at for too long, and so less of the others.
    assert (told.undecided, told.cost_fen, told.budgets[0].exhausted_at) == (0, 70_000, asked[2].trade.traded_at)


@pytest.mark.parametrize("delay", [0, 7])
def test_a_round_begins_with_the_second_after_its_delay(delay: int) -> None:
    rounds = Rounds(delay_days=delay)
    day = datetime(2026, 3, 1).date()  # noqa: DTZ001 - a calendar day
    begins = begins_at(rounds, day)
    assert due_before(rounds, begins - 1) == day_start(day)
    assert due_before(rounds, begins) == day_start(day + timedelta(days=1))
