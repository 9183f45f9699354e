"""Claims over HTTP: presented in order of trade time, decided by the contract."""

import pytest

from tests.app.claims.scenario import World, build
from tests.app.conftest import RunningService

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    return build(service)


def test_a_claim_is_paid_what_the_policy_text_gives(world: World) -> None:
    voucher = world.voucher(0)
    (evidence,) = world.evidence_ids([world.record(settled_fen=123_457, traded_at="2024-05-01T00:00:00Z")])
    (claim,) = world.claim([(voucher, evidence)])
    assert claim["state"] == "redeemed", claim
    redemption = world.service.get(f"/v1/redemptions/{claim['redemption_id']}").json()
    # 30 % of the amount actually settled, rounded down to the fen.
    assert redemption["amount_fen"] == 37_037
    assert redemption["evidence_id"] == evidence
    assert redemption["rate_bps"] == 3000
    assert redemption["limit"] == "none"


def test_refusals_name_the_contracts_error_and_leave_the_others(world: World) -> None:
    voucher = world.voucher(0)
    used = world.record(traded_at="2024-08-01T00:00:00Z")
    records = [
        world.record(traded_at="2024-08-01T00:00:01Z", supplier=world.related_supplier),
        world.record(traded_at="2024-08-01T00:00:02Z", region_id="310000"),
        world.record(traded_at="2024-08-01T00:00:03Z", invoice_id=used["invoice_id"]),
        world.record(traded_at="2024-08-01T00:00:04Z", buyer=world.buyers[1]),
        world.record(traded_at="2024-08-01T00:00:05Z", compute_type="general"),
        used,
    ]
    evidence = world.evidence_ids(records)
    claims = world.claim([(voucher, one) for one in evidence])
    assert [claim["code"] for claim in claims] == [
        "VoucherLedger_RelatedParties",
        "VoucherLedger_RegionOutOfScope",
        "VoucherLedger_SettlementUsed",
        "VoucherLedger_NotHolder",
        "VoucherLedger_OutOfScope",
        None,
    ]
    assert claims[1]["detail"]["region"] == 310000
    assert claims[5]["state"] == "redeemed"


def test_claims_are_paid_in_order_of_trade_time_whatever_order_they_come_in(world: World) -> None:
    voucher = world.voucher(1)
    times = [f"2024-09-{day:02d}T00:00:00Z" for day in (9, 3, 7, 1, 5)]
    evidence = world.evidence_ids([world.record(buyer=world.buyers[1], traded_at=time) for time in times])
    claims = world.claim([(voucher, one) for one in evidence])
    assert {claim["state"] for claim in claims} == {"redeemed"}
    by_time = sorted(claims, key=lambda claim: claim["traded_at"])
    assert [claim["redemption_id"] for claim in by_time] == sorted(claim["redemption_id"] for claim in claims)

    (late,) = world.evidence_ids([world.record(buyer=world.buyers[1], traded_at="2024-09-02T00:00:00Z")])
    (claim,) = world.claim([(voucher, late)])
    assert claim["code"] == "VoucherLedger_OutOfOrder"


def test_the_cap_of_the_year_cuts_the_last_claim_and_refuses_the_next(world: World) -> None:
    voucher = world.voucher(2)
    # 300,000 yuan a year at 30 %: reached with one million yuan settled.
    records = [
        world.record(buyer=world.buyers[2], settled_fen=90_000_000, traded_at="2024-10-01T00:00:00Z"),
        world.record(buyer=world.buyers[2], settled_fen=90_000_000, traded_at="2024-10-02T00:00:00Z"),
        world.record(buyer=world.buyers[2], settled_fen=90_000_000, traded_at="2024-10-03T00:00:00Z"),
    ]
    claims = world.claim([(voucher, one) for one in world.evidence_ids(records)])
    amounts = [world.service.get(f"/v1/redemptions/{claim['redemption_id']}").json() for claim in claims[:2]]
    assert [(one["amount_fen"], one["limit"]) for one in amounts] == [(27_000_000, "none"), (3_000_000, "period_cap")]
    assert claims[2]["code"] == "VoucherLedger_NothingToPay"


def test_evidence_signed_by_the_platform_itself_redeems(world: World) -> None:
    voucher = world.voucher(0)
    body = world.signed([world.record(traded_at="2024-11-01T00:00:00Z") for _ in range(3)], sequence=1)
    receipt = world.json(world.post_signed(body), 201)
    items = [{"voucher_id": voucher, "evidence_id": receipt["items"][1]["id"]}]
    taken = world.json(world.service.post("/v1/claims", world.signing_key, {"items": items}), 201)["items"]
    assert world.decided(taken[0]["id"])["state"] == "redeemed"


def test_the_same_claim_again_is_the_same_claim(world: World) -> None:
    voucher, other = world.voucher(0), world.voucher(0)
    (evidence,) = world.evidence_ids([world.record(traded_at="2024-12-01T00:00:00Z")])
    (first,) = world.claim([(voucher, evidence)])
    (again,) = world.claim([(voucher, evidence)])
    assert again == first
    items = [{"voucher_id": other, "evidence_id": evidence}]
    answer = world.service.post("/v1/claims", world.platform_key, {"items": items})
    assert world.json(answer, 409)["errors"][0]["pointer"] == "/items/0/evidence_id"


def test_unknown_vouchers_and_evidence_are_named(world: World) -> None:
    voucher = world.voucher(0)
    (evidence,) = world.evidence_ids([world.record()])
    unknown = "ev_" + "0" * 32
    for items, pointer in (
        ([{"voucher_id": 1, "evidence_id": evidence}], "/items/0/voucher_id"),
        ([{"voucher_id": voucher, "evidence_id": unknown}], "/items/0/evidence_id"),
        ([{"voucher_id": voucher, "evidence_id": "ev_1"}], "/items/0/evidence_id"),
        ([{"voucher_id": -1, "evidence_id": evidence}], "/items/0/voucher_id"),
        ([{"voucher_id": 2**64, "evidence_id": evidence}], "/items/0/voucher_id"),
        ([{"voucher_id": str(voucher), "evidence_id": evidence}], "/items/0/voucher_id"),
        ([{"voucher_id": voucher, "evidence_id": evidence, "amount_fen": 1}], "/items/0/amount_fen"),
        ([], "/items"),
    ):
        answer = world.service.post("/v1/claims", world.platform_key, {"items": items})
        assert world.json(answer, 422)["errors"][0]["pointer"] == pointer, items


def test_an_enterprise_claims_with_its_own_vouchers_only(world: World) -> None:
    voucher = world.voucher(0)
    (evidence,) = world.evidence_ids([world.record(traded_at="2025-01-05T00:00:00Z")])
    body = {"items": [{"voucher_id": voucher, "evidence_id": evidence}]}
    answer = world.service.post("/v1/claims", world.buyer_keys[1], body)
    assert world.json(answer, 422)["errors"][0]["rule"] == "known_voucher"
    own = world.json(world.service.post("/v1/claims", world.buyer_keys[0], body), 201)["items"][0]
    assert world.decided(own["id"])["state"] == "redeemed"
    assert world.service.get(f"/v1/claims/{own['id']}", world.buyer_keys[1]).status_code == 404
    assert world.service.get(f"/v1/claims/{own['id']}", world.buyer_keys[0]).status_code == 200


def test_lists_are_paged_and_filtered(world: World) -> None:
    seen: list[str] = []
    after = None
    while True:
        query = {"limit": 2, "state": "redeemed"} | ({"after": after} if after else {})
        page = world.json(world.service.get("/v1/claims", "operator", **query), 200)
        seen += [claim["id"] for claim in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) > 2
    assert world.service.get("/v1/claims", "operator", after="cl_none").status_code == 422


def test_other_roles_are_refused(world: World) -> None:
    for officer in ("registrar", "reviewer-1", "finance", "regulator"):
        answer = world.service.post("/v1/claims", officer, {"items": []})
        assert answer.status_code == 403
