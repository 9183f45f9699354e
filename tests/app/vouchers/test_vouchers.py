"""Vouchers, redemptions, quotes and proof bundles over HTTP, from the issue to the last recovery."""

import json

import httpx
import pytest

from app.vouchers import service as voucher_service
from chain.verify import verify
from tests.app.claims.scenario import World, build, until
from tests.app.conftest import RunningService


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    return build(service, buyers=2)


def status(world: World, voucher: int) -> str:
    """Status of a voucher."""
    return str(world.service.get(f"/v1/vouchers/{voucher}").json()["status"])


def test_a_vouchers_history_names_the_transactions(world: World) -> None:
    service = world.service
    voucher = world.voucher(0)
    frozen = service.settle(f"/v1/vouchers/{voucher}/freeze", "regulator", {"reason": "inspection"})
    until(lambda: status(world, voucher) == "frozen")
    service.settle(f"/v1/vouchers/{voucher}/unfreeze", "regulator")
    until(lambda: status(world, voucher) == "issued")
    service.settle(f"/v1/vouchers/{voucher}/cancel", "operator", {"reason": "withdrawn by holder"})
    until(lambda: status(world, voucher) == "cancelled")
    view = world.json(service.get(f"/v1/vouchers/{voucher}"), 200)
    assert [item["event"] for item in view["history"]] == [
        "VoucherIssued",
        "VoucherFrozen",
        "VoucherUnfrozen",
        "VoucherCancelled",
    ]
    assert view["history"][1]["tx_hash"] == frozen["result"]["tx_hash"]
    assert (view["remaining_fen"], view["uscc"], view["tier_name"]) == (0, world.buyers[0], "enterprise_in_zone")
    on_chain = service.gateway.contracts.read(service.gateway.rpc, "VoucherLedger", "status", [voucher])
    assert on_chain.name == "CANCELLED"


def test_what_the_contract_refuses_is_an_outcome_with_its_numbers(world: World) -> None:
    voucher = world.voucher(0)
    outcome = world.service.settle(f"/v1/vouchers/{voucher}/expire", world.platform_key)
    assert (outcome["status"], outcome["error"]["code"]) == ("refused", "VoucherLedger_NotExpired")
    assert outcome["error"]["args"]["voucherId"] == voucher
    outcome = world.service.settle(f"/v1/vouchers/{voucher}/unfreeze", "regulator")
    assert outcome["error"]["code"] == "VoucherLedger_VoucherState"


def test_a_command_for_the_chain_says_where_its_outcome_will_be(world: World) -> None:
    voucher = world.voucher(0)
    answer = world.service.post(f"/v1/vouchers/{voucher}/freeze", "regulator", {"reason": "r"})
    accepted = world.json(answer, 202)
    assert answer.headers["location"] == f"/v1/operations/{accepted['operation_id']}"
    assert world.service.get(answer.headers["location"]).status_code == 200


def test_organisations_see_their_own_vouchers_and_the_public_no_parties(world: World) -> None:
    service = world.service
    mine, other = world.voucher(0), world.voucher(1)
    listed = world.json(service.get("/v1/vouchers", world.buyer_keys[0], limit=200), 200)["items"]
    numbers = [one["voucher_id"] for one in listed]
    assert mine in numbers
    assert other not in numbers
    assert {one["uscc"] for one in listed} == {world.buyers[0]}
    assert service.get(f"/v1/vouchers/{other}", world.buyer_keys[0]).status_code == 404
    assert world.json(service.get("/v1/vouchers", "regulator", uscc=world.buyers[1]), 200)["items"]

    public = service.http.get(f"/v1/public/vouchers/{mine}")
    shown = world.json(public, 200)
    assert shown["status"] == "issued"
    assert world.buyers[0] not in public.text
    assert "entity" not in public.text
    assert service.http.get("/v1/public/vouchers/1").status_code == 404
    assert service.http.get(f"/v1/vouchers/{mine}").status_code == 401


def test_lists_are_paged_and_filtered_by_state(world: World) -> None:
    seen: list[int] = []
    after = "0"
    while after is not None:
        page = world.json(
            world.service.get("/v1/vouchers", "operator", programme_id=world.programme_id, after=after, limit=2), 200
        )
        seen += [one["voucher_id"] for one in page["items"]]
        after = page["next"]
    assert seen == sorted(set(seen))
    issued = world.json(world.service.get("/v1/vouchers", "operator", state="issued", limit=200), 200)["items"]
    assert {one["status"] for one in issued} == {"issued"}
    assert world.service.get("/v1/vouchers", "operator", state="none").status_code == 422


def test_a_quote_is_what_the_contract_then_pays(world: World) -> None:
    voucher = world.voucher(0)
    (evidence,) = world.evidence_ids([world.record(settled_fen=777_777, traded_at="2024-08-01T00:00:00Z")])
    asked = {"evidence_id": evidence}
    quoted = world.json(world.service.post(f"/v1/vouchers/{voucher}/quotes", world.platform_key, asked), 200)
    assert (quoted["payable"], quoted["amount_fen"], quoted["rate_bps"]) == (True, 233_333, 3000)
    (claim,) = world.claim([(voucher, evidence)])
    paid = world.json(world.service.get(f"/v1/redemptions/{claim['redemption_id']}"), 200)
    assert paid["amount_fen"] == quoted["amount_fen"]
    again = world.json(world.service.post(f"/v1/vouchers/{voucher}/quotes", world.platform_key, asked), 200)
    assert (again["payable"], again["refused"]["code"]) == (False, "VoucherLedger_SettlementUsed")


def test_a_trade_that_is_only_planned_is_quoted(world: World) -> None:
    voucher = world.voucher(1)
    trade = {
        "platform": world.platform,
        "supplier": world.supplier,
        "compute_type": "super",
        "region": "410100",
        "traded_at": 1_790_000_000,
        "contract_signed_at": 1_780_000_000,
        "settled_fen": 1_000,
        "contract_fen": 1_000,
    }
    path, asked = f"/v1/vouchers/{voucher}/quotes", {"trade": trade}
    quoted = world.json(world.service.post(path, world.buyer_keys[1], asked), 200)
    assert (quoted["payable"], quoted["amount_fen"]) == (True, 300)
    asked["trade"] = {**trade, "region": "310000"}
    refused = world.json(world.service.post(path, world.buyer_keys[1], asked), 200)
    assert refused["refused"]["code"] == "VoucherLedger_RegionOutOfScope"

    for change, pointer in (
        ({"settled_fen": -1}, "/trade/settled_fen"),
        ({"settled_fen": 2**64}, "/trade/settled_fen"),
        ({"supplier": "91410100MA4T000001"}, "/trade/supplier"),
        ({"kind": "gift"}, "/trade/kind"),
        ({"region": "1"}, "/trade/region"),
        ({"rate_bps": 1}, "/trade/rate_bps"),
    ):
        body = {"trade": {**trade, **change}}
        answer = world.service.post(path, world.buyer_keys[1], body)
        assert world.json(answer, 422)["errors"][0]["pointer"] == pointer
    for body in ({}, {**asked, "evidence_id": "ev_" + "0" * 32}):
        assert world.service.post(path, "operator", body).status_code == 422
    assert world.service.post(path, world.buyer_keys[0], asked).status_code == 404


def test_a_bundle_verifies_offline_and_against_the_node_and_not_after_a_change(world: World) -> None:
    redemption = world.redeemed(0, traded_at="2024-09-01T00:00:00Z")
    path = f"/v1/redemptions/{redemption}/bundle"
    bundle = world.service.get(path, "regulator").content
    offline = verify(bundle)
    assert offline.ok, offline
    online = verify(bundle, world.service.gateway.rpc)
    assert online.ok, online

    shown = world.service.get(path, world.buyer_keys[0], disclose=["settled_fen", "traded_at"]).content
    assert verify(shown).ok
    names = [field["name"] for field in json.loads(shown)["record"]["disclosed"]]
    assert names == ["settled_fen", "traded_at"]
    assert world.buyers[0].encode() not in shown

    place = bundle.index(b'"settled_fen"') + 20
    changed = bundle[:place] + bytes([bundle[place] ^ 1]) + bundle[place + 1 :]
    assert not verify(changed).ok
    assert world.service.get(path, world.buyer_keys[1]).status_code == 404
    assert (
        world.json(world.service.get(path, "regulator", disclose=["colour"]), 422)["errors"][0]["rule"] == "known_field"
    )


def test_evidence_has_a_bundle_without_any_redemption(world: World) -> None:
    (evidence,) = world.evidence_ids([world.record()])
    until(lambda: world.service.get(f"/v1/evidence/{evidence}").json()["proof"])
    bundle = world.service.get(f"/v1/evidence/{evidence}/bundle", world.platform_key).content
    assert verify(bundle).ok


def test_a_node_that_refuses_is_a_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    voucher = world.voucher(0)
    (evidence,) = world.evidence_ids([world.record()])
    until(lambda: world.service.get(f"/v1/evidence/{evidence}").json()["proof"])

    def refuse(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        error = {"code": -32005, "message": "too many requests"}
        answers = [{"id": one["id"], "error": error} for one in (asked if isinstance(asked, list) else [asked])]
        return httpx.Response(200, json=answers if isinstance(asked, list) else answers[0])

    refusing = httpx.Client(transport=httpx.MockTransport(refuse))
    with monkeypatch.context() as bent:
        bent.setattr(world.service.gateway.rpc, "_http", refusing)
        quote = world.service.post(f"/v1/vouchers/{voucher}/quotes", "operator", {"evidence_id": evidence})
        bundle = world.service.get(f"/v1/evidence/{evidence}/bundle")
    for answer in (quote, bundle):
        assert world.json(answer, 503)["code"] == "node_unavailable"


def test_unknown_numbers_are_not_found_and_bad_ones_named(world: World) -> None:
    for path in ("/v1/vouchers/1", "/v1/redemptions/1", "/v1/redemptions/1/bundle"):
        assert world.service.get(path).status_code == 404
    for number in ("0", "-1", str(2**48), "x", "1.5"):
        assert world.service.get(f"/v1/vouchers/{number}").json()["errors"][0]["pointer"] == "path/voucher_id"
    for body in ({}, {"reason": ""}, {"reason": "x" * 32}, {"reason": "违规"}, {"reason": "r", "more": 1}):
        assert world.service.post("/v1/vouchers/1/freeze", "regulator", body).status_code == 422
    assert world.service.post("/v1/vouchers/1/freeze", "regulator", {"reason": "r"}).status_code == 404


def test_other_roles_are_refused(world: World) -> None:
    everyone = {"operator", "registrar", "reviewer-1", "finance", "regulator", world.platform_key, world.buyer_keys[0]}
    for path, may in (("freeze", "regulator"), ("unfreeze", "regulator"), ("cancel", "operator")):
        for who in everyone - {may}:
            assert world.service.post(f"/v1/vouchers/1/{path}", who, {"reason": "r"}).status_code == 403, (path, who)


def test_an_expired_voucher_stays_visible(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    voucher = world.voucher(1)
    last = world.json(world.service.get(f"/v1/vouchers/{voucher}"), 200)["valid_until"]
    monkeypatch.setattr(voucher_service, "now", lambda: last + 1)
    assert status(world, voucher) == "expired"
    listed = world.json(world.service.get("/v1/vouchers", "operator", state="expired", limit=200), 200)["items"]
    assert voucher in {one["voucher_id"] for one in listed}
