"""Applications over HTTP: from submission over the reviewers' signatures to the voucher."""

import time
from typing import Any

import pytest

from chain.enums import NO_PERIOD
from chain.keys import LocalSigner
from tests.app.claims.scenario import DOCUMENTS, World, build, until
from tests.app.conftest import RunningService
from tests.app.organisations import new_uscc, registration


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    return build(service, buyers=2)


def applied(world: World, **changes: Any) -> dict[str, Any]:
    """A new application."""
    body = world.application(0, **changes)
    found: dict[str, Any] = world.json(world.service.post("/v1/applications", world.buyer_keys[0], body), 201)
    return found


def view(world: World, application: dict[str, Any]) -> dict[str, Any]:
    """The application now."""
    found: dict[str, Any] = world.json(world.service.get(f"/v1/applications/{application['id']}"), 200)
    return found


def reviewers_key(world: World, name: str) -> LocalSigner:
    """A reviewer's key, as if it were kept outside."""
    key = world.service.gateway.signers[name]
    assert isinstance(key, LocalSigner)
    return key


def signed_outside(world: World, application: dict[str, Any], stage: int, key: LocalSigner) -> dict[str, Any]:
    """An approval that was signed with a key outside, over the typed data of the gateway."""
    data = world.json(
        world.service.get(f"/v1/applications/{application['id']}/approval-data", "reviewer-1", stage=stage), 200
    )
    typed = data["typed_data"]
    signature = key.sign_typed_data(typed)
    assert signature == key.sign_digest(bytes.fromhex(data["digest"][2:]))
    return {
        "stage": stage,
        "deadline": typed["message"]["deadline"],
        "signer": key.address,
        "signature": f"0x{signature.hex()}",
    }


def test_two_reviewers_and_a_voucher_is_issued(world: World) -> None:
    service = world.service
    application = applied(world, facts={"revenue_prior_year_fen": 500_000_000})
    assert application["state"] == "submitted"
    # 300,000 yuan a year in four calendar years: the most that the tier can ever pay.
    assert application["face_fen"] == 4 * 30_000_000
    path = f"/v1/applications/{application['id']}/approvals"
    first = world.json(service.post(path, "reviewer-1", {"stage": "first_review"}), 200)
    assert (first["state"], first["stage"]) == ("under_review", 1)
    assert [len(stage["approvals"]) for stage in first["stages"]] == [1, 0]
    answer = service.post(path, "reviewer-2", {"stage": 1})
    accepted = world.json(answer, 202)
    assert answer.headers["location"] == f"/v1/operations/{accepted['operation_id']}"
    issued = until(lambda: view(world, application) if view(world, application)["state"] == "issued" else None)
    voucher = world.json(service.get(f"/v1/vouchers/{issued['voucher_id']}"), 200)
    assert (voucher["face_fen"], voucher["period"], voucher["uscc"]) == (120_000_000, None, world.buyers[0])
    event = voucher["history"][0]["args"]
    assert (event["documents"], event["period"]) == (issued["documents_digest"], NO_PERIOD)


def test_approvals_signed_outside_are_taken_and_forged_ones_refused(world: World) -> None:
    service = world.service
    application = applied(world)
    other = applied(world)
    path = f"/v1/applications/{application['id']}/approvals"
    good = signed_outside(world, application, 0, reviewers_key(world, "reviewer-1"))
    stranger = LocalSigner(bytes(31) + b"\x09")
    forged = [
        (signed_outside(world, application, 0, stranger), "/signer"),
        ({**signed_outside(world, application, 0, stranger), "signer": good["signer"]}, "/signature"),
        ({**good, "deadline": good["deadline"] + 1}, "/signature"),
        (signed_outside(world, other, 0, reviewers_key(world, "reviewer-1")), "/signature"),
        ({**good, "signature": good["signature"][:-2] + "1d"}, "/signature"),
        ({**good, "signature": "0x12"}, "/signature"),
        ({**good, "signer": "0x12"}, "/signer"),
        ({**good, "deadline": 1}, "/deadline"),
        ({**good, "stage": 1}, "/stage"),
        ({**good, "stage": 7}, "/stage"),
        ({**good, "stage": "third_review"}, "/stage"),
        # An approver of the second stage, not of the first.
        (signed_outside(world, application, 0, reviewers_key(world, "reviewer-2")), "/signer"),
        ({"stage": 0, "signature": good["signature"]}, "/deadline"),
        ({"stage": 0, "signer": good["signer"], "deadline": good["deadline"]}, "/signature"),
    ]
    for body, pointer in forged:
        problem = world.json(service.post(path, "reviewer-3", body), 422)
        assert problem["errors"][0]["pointer"] == pointer, body
    assert view(world, application)["state"] == "submitted"
    assert world.json(service.post(path, "reviewer-3", good), 200)["stage"] == 1
    second = signed_outside(world, application, 1, reviewers_key(world, "reviewer-2"))
    assert service.settle(path, "reviewer-3", second)["status"] == "succeeded"


def test_a_reviewer_without_the_stage_cannot_sign_here_either(world: World) -> None:
    application = applied(world)
    path = f"/v1/applications/{application['id']}/approvals"
    assert world.json(world.service.post(path, "reviewer-2", {"stage": 0}), 422)["code"] == "not_approver"
    keyless = world.service.api_key("reviewer", "reviewer-9")
    assert world.json(world.service.post(path, keyless, {"stage": 0}), 409)["code"] == "no_custodial_key"


def test_serials_are_not_given_twice_at_the_same_time(world: World) -> None:
    numbers = [applied(world)["voucher_id"] for _ in range(5)]
    assert len(set(numbers)) == 5
    assert {number >> 32 for number in numbers} == {world.programme_id}


def test_a_decided_application_takes_no_more_decisions(world: World) -> None:
    service = world.service
    rejected, withdrawn = applied(world), applied(world)
    reason = {"reason_code": "duplicate", "reason": "与先前申领重复"}
    view_ = world.json(service.post(f"/v1/applications/{rejected['id']}/reject", "reviewer-1", reason), 200)
    assert (view_["state"], view_["reason_code"], view_["reason"]) == ("rejected", *reason.values())
    gone = service.post(f"/v1/applications/{withdrawn['id']}/withdraw", world.buyer_keys[0])
    assert world.json(gone, 200)["state"] == "withdrawn"
    for application in (rejected, withdrawn):
        path = f"/v1/applications/{application['id']}"
        assert service.post(f"{path}/approvals", "reviewer-1", {"stage": 0}).status_code == 409
        assert service.post(f"{path}/reject", "reviewer-1", reason).status_code == 409
        assert service.post(f"{path}/withdraw", "operator").status_code == 409


def test_what_the_contract_refuses_is_shown_and_can_be_sent_again(world: World) -> None:
    service = world.service
    number = new_uscc()
    lapsed = registration(number, standing_until=int(time.time()) - 1)
    service.settle("/v1/entities", "registrar", {"entities": [lapsed]})
    world.hand_in(number)
    application = world.json(service.post("/v1/applications", "operator", world.application(0, uscc=number)), 201)
    path = f"/v1/applications/{application['id']}"
    world.json(service.post(f"{path}/approvals", "reviewer-1", {"stage": 0}), 200)
    outcome = service.settle(f"{path}/approvals", "reviewer-2", {"stage": 1})
    assert (outcome["status"], outcome["error"]["code"]) == ("refused", "EntityRegistry_StandingLapsed")
    refused = view(world, application)
    assert (refused["state"], refused["error"]["code"]) == ("refused", "EntityRegistry_StandingLapsed")
    renewed = {"standing": "good", "until": 1_830_268_799}
    service.settle(f"/v1/entities/{number}/standing", "registrar", renewed)
    assert service.settle(f"{path}/issue", "operator")["status"] == "succeeded"
    until(lambda: view(world, application)["state"] == "issued")
    assert service.post(f"{path}/issue", "operator").status_code == 409


def test_organisations_apply_for_themselves_and_see_their_own(world: World) -> None:
    service = world.service
    application = applied(world)
    body = world.application(0)
    assert world.json(service.post("/v1/applications", world.buyer_keys[1], body), 422)["errors"][0]["rule"] == "own"
    assert service.get(f"/v1/applications/{application['id']}", world.buyer_keys[1]).status_code == 404
    path = f"/v1/applications/{application['id']}/withdraw"
    assert service.post(path, world.buyer_keys[1]).status_code == 404
    listed = world.json(service.get("/v1/applications", world.buyer_keys[0], limit=200), 200)["items"]
    assert {one["uscc"] for one in listed} == {world.buyers[0]}
    on_behalf = world.json(service.post("/v1/applications", world.platform_key, body), 201)
    assert service.get(f"/v1/applications/{on_behalf['id']}", world.platform_key).status_code == 200


def test_lists_are_filtered_and_paged(world: World) -> None:
    seen: list[str] = []
    after: str | None = None
    while True:
        query: dict[str, Any] = {"limit": 3, "programme_id": world.programme_id}
        page = world.json(world.service.get("/v1/applications", **query | ({"after": after} if after else {})), 200)
        seen += [one["id"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) > 3
    for state in ("issued", "rejected", "submitted"):
        found = world.json(world.service.get("/v1/applications", state=state, limit=200), 200)["items"]
        assert {one["state"] for one in found} <= {state}
    assert world.service.get("/v1/applications", after="ap_none").status_code == 422


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"programme_id": 60_000}, "/programme_id"),
        ({"programme_id": 0}, "/programme_id"),
        ({"programme_id": "1"}, "/programme_id"),
        ({"uscc": "91410100MA4T000001"}, "/uscc"),
        ({"uscc": "９1410100MA4T000014"}, "/uscc"),
        ({"tier": "no_such_tier"}, "/tier"),
        ({"tier": ""}, "/tier"),
        ({"face_fen": -1}, "/face_fen"),
        ({"face_fen": 0}, "/face_fen"),
        ({"face_fen": 2**40}, "/face_fen"),
        ({"face_fen": 10**30}, "/face_fen"),
        ({"face_fen": 1.5}, "/face_fen"),
        ({"documents": []}, "/documents"),
        ({"documents": DOCUMENTS[:1]}, "/documents"),
        ({"documents": [{**DOCUMENTS[0], "sha256": "AB" * 32}]}, "/documents/0/sha256"),
        ({"documents": [{**DOCUMENTS[0], "stage": "tenth_review"}]}, "/documents/0/stage"),
        ({"facts": {"x": [1]}}, "/facts/x/int"),
        ({"voucher_id": 1}, "/voucher_id"),
    ],
)
def test_bad_input_names_field_and_rule(world: World, change: dict[str, Any], pointer: str) -> None:
    problem = world.json(world.service.post("/v1/applications", "operator", world.application(0) | change), 422)
    assert problem["errors"][0]["pointer"] == pointer
    assert problem["errors"][0]["rule"]


def test_unknown_organisations_and_malformed_json_are_named(world: World) -> None:
    problem = world.json(world.service.post("/v1/applications", "operator", world.application(0, uscc=new_uscc())), 422)
    assert problem["errors"][0] == {
        "pointer": "/uscc",
        "rule": "registered",
        "detail": problem["errors"][0]["detail"],
    }
    headers = {**world.service.headers("operator"), "Content-Type": "application/json"}
    answer = world.service.http.post("/v1/applications", content=b'{"uscc":', headers=headers)
    assert world.json(answer, 400)["code"] == "malformed_json"


def test_a_programme_that_is_not_open_takes_no_applications(world: World) -> None:
    service = world.service
    created = service.settle("/v1/programmes", "operator", {"policy": "zhengzhou-htz"})
    number = next(e for e in created["result"]["events"] if e["event"] == "ProgrammeCreated")["args"]["programmeId"]
    until(lambda: service.get(f"/v1/programmes/{number}").status_code == 200)
    answer = service.post("/v1/applications", "operator", world.application(0, programme_id=number))
    assert world.json(answer, 409)["code"] == "programme_not_open"


def test_other_roles_are_refused(world: World) -> None:
    service = world.service
    one = applied(world)["id"]
    everyone = {"operator", "registrar", "reviewer-1", "finance", "regulator", world.platform_key, world.buyer_keys[0]}
    for path, body, may in (
        ("", world.application(0), {"operator", world.platform_key, world.buyer_keys[0]}),
        (f"/{one}/approvals", {"stage": 0}, {"reviewer-1"}),
        (f"/{one}/issue", None, {"operator"}),
        (f"/{one}/reject", {"reason_code": "r", "reason": "r"}, {"reviewer-1"}),
        (f"/{one}/reopen", None, {"operator"}),
        (f"/{one}/withdraw", None, {"operator", world.platform_key, world.buyer_keys[0]}),
        (f"/{one}/clarifications", {"text": "?"}, {"reviewer-1"}),
        (f"/{one}/clarifications/1/answer", {"text": "!"}, {"operator", world.platform_key, world.buyer_keys[0]}),
        (f"/{one}/appeal", {"text": "!"}, {"operator", world.platform_key, world.buyer_keys[0]}),
        (f"/{one}/appeal/decision", {"outcome": "granted", "text": "!"}, {"reviewer-1"}),
        (f"/{one}/objections/1/resolution", {"outcome": "upheld", "text": "!"}, {"reviewer-1", "regulator"}),
    ):
        for who in everyone - may:
            assert service.post(f"/v1/applications{path}", who, body).status_code == 403, (path, who)
    data = service.get(f"/v1/applications/{one}/approval-data", world.buyer_keys[0], stage=0)
    assert data.status_code == 403
