"""What every command shares: authentication, problem details, idempotency, waiting."""

import concurrent.futures
import re
import threading
from typing import Any

import httpx
import pytest
from sqlalchemy import delete

from app.indexer.models import ParkedEvent
from app.indexer.projected import OWN
from app.indexer.projector import projector_version
from tests.app.conftest import RunningService
from tests.app.organisations import new_uscc, registration


def test_a_command_without_a_key_is_refused(service: RunningService) -> None:
    answer = service.http.post("/v1/programmes", json={"policy": "zhengzhou-htz"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("key", ["sq_", "sq_0011223344556677_00", "Bearer", "sq_%00_x"])
def test_a_wrong_key_is_refused(service: RunningService, key: str) -> None:
    assert service.post("/v1/programmes", key, {"policy": "zhengzhou-htz"}).status_code == 401


def test_malformed_json_is_a_400_that_says_so(service: RunningService) -> None:
    headers = {**service.headers("operator"), "Content-Type": "application/json"}
    answer = service.http.post("/v1/programmes", content=b'{"policy": ', headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed_json"


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        ({"policy": 7}, "/policy", "string_type"),
        ({"policy": "zhengzhou-htz", "speed": 9}, "/speed", "extra_forbidden"),
        ({"policy": "atlantis"}, "/policy", "known_policy"),
        ({}, "/policy", "one_of"),
    ],
)
def test_a_bad_member_is_named_with_its_rule(
    service: RunningService, body: dict[str, object], pointer: str, rule: str
) -> None:
    answer = service.post("/v1/programmes", "operator", body)
    assert answer.status_code == 422
    assert [(error["pointer"], error["rule"]) for error in answer.json()["errors"]] == [(pointer, rule)]


def test_a_body_that_is_too_large_is_refused_with_the_limit(service: RunningService) -> None:
    answer = service.http.post(
        "/v1/programmes", content=b" " * (8 * 1024 * 1024 + 1), headers=service.headers("operator")
    )
    assert answer.status_code == 413
    assert answer.json()["limit_bytes"] == 8 * 1024 * 1024


def test_an_unknown_path_is_a_problem_too(service: RunningService) -> None:
    answer = service.get("/v1/nothing")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_the_same_key_and_body_replay_the_first_answer(service: RunningService) -> None:
    body = {"entities": [registration(new_uscc())]}
    first = service.post("/v1/entities", "registrar", body, **{"Idempotency-Key": "again"})
    second = service.post("/v1/entities", "registrar", body, **{"Idempotency-Key": "again"})
    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert second.headers["idempotent-replay"] == "true"


def test_the_same_key_with_another_body_is_a_conflict(service: RunningService) -> None:
    headers = {"Idempotency-Key": "twice"}
    service.post("/v1/entities", "registrar", {"entities": [registration(new_uscc())]}, **headers)
    other = service.post("/v1/entities", "registrar", {"entities": [registration(new_uscc())]}, **headers)
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency_key_reused"


def test_a_refused_request_does_not_use_up_its_key(service: RunningService) -> None:
    headers = {"Idempotency-Key": "mended"}
    assert service.post("/v1/entities", "registrar", {"entities": []}, **headers).status_code == 422
    mended = service.post("/v1/entities", "registrar", {"entities": [registration(new_uscc())]}, **headers)
    assert mended.status_code == 202


def test_two_callers_may_use_the_same_key(service: RunningService) -> None:
    headers = {"Idempotency-Key": "shared-words"}
    first = service.post("/v1/entities", "registrar", {"entities": [registration(new_uscc())]}, **headers)
    second = service.post("/v1/programmes", "operator", {"policy": "zhengzhou-htz"}, **headers)
    assert (first.status_code, second.status_code) == (202, 202)


def test_fifty_concurrent_posts_with_one_key_make_one_operation(service: RunningService) -> None:
    body = {"entities": [registration(new_uscc())]}

    def post(_: int) -> httpx.Response:
        return service.post("/v1/entities", "registrar", body, **{"Idempotency-Key": "all-at-once"})

    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(post, range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["operation_id"] for answer in answers}) == 1


def test_of_commands_at_once_that_take_the_same_one_is_carried_out_and_the_others_meet_it(
    service: RunningService,
) -> None:
    for _ in range(3):
        bodies = [registration(new_uscc()) for _ in range(4)]
        together = threading.Barrier(10)

        def post(turn: int, bodies: list[dict[str, Any]] = bodies, together: threading.Barrier = together) -> int:
            together.wait()
            # In both orders, so that two that hold one of them each would wait for each other.
            entities = bodies if turn % 2 else bodies[::-1]
            return service.post("/v1/entities", "registrar", {"entities": entities}).status_code

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            statuses = list(pool.map(post, range(10)))
        assert sorted(statuses) == [202] + [409] * 9


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_a_malformed_idempotency_key_is_refused(service: RunningService, key: str) -> None:
    headers = {**service.headers("registrar"), "Idempotency-Key": key.encode("latin-1")}
    answer = service.http.post("/v1/entities", json={"entities": [registration(new_uscc())]}, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_idempotency_key"


def test_without_waiting_an_accepted_command_is_202_and_can_be_followed(service: RunningService) -> None:
    answer = service.post("/v1/entities", "registrar", {"entities": [registration(new_uscc())]})
    assert answer.status_code == 202
    followed = service.get(f"/v1/operations/{answer.json()['operation_id']}")
    assert followed.json()["kind"] == "register_entities"


def test_waiting_answers_with_the_outcome(service: RunningService) -> None:
    outcome = service.settle("/v1/entities", "registrar", {"entities": [registration(new_uscc())]})
    assert outcome["status"] == "succeeded"
    assert {event["event"] for event in outcome["result"]["events"]} == {"EntityRegistered"}


def test_an_unknown_operation_is_not_found(service: RunningService) -> None:
    answer = service.get("/v1/operations/op_00")
    assert (answer.status_code, answer.json()["code"]) == (404, "operation_not_found")


def test_a_secret_is_shown_once_and_never_replayed(service: RunningService) -> None:
    body = {"role": "enterprise", "subject": new_uscc()}
    first = service.post("/v1/api-keys", "operator", body, **{"Idempotency-Key": "secret"})
    again = service.post("/v1/api-keys", "operator", body, **{"Idempotency-Key": "secret"})
    assert first.status_code == 201
    assert again.status_code == 409
    assert again.json()["code"] == "shown_once"
    assert first.json()["api_key"].rsplit("_", 1)[1] not in again.text


def test_the_documentation_page_needs_nothing_from_elsewhere(service: RunningService) -> None:
    page = service.http.get("/docs").text
    scripts = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert scripts
    for address in scripts:
        assert address.startswith("/")
        assert service.http.get(address).status_code == 200


def test_parked_events_are_for_staff(service: RunningService) -> None:
    # By this version: the indexer takes up again what another one parked.
    parked = {"id": 2**20, "block_number": 1, "tx_hash": bytes(32), "reason": "LookupError: no row"}
    parked["parked_by"] = projector_version()
    log = {"address": "0x" + "11" * 20, "logIndex": "0x3"}
    with service.gateway.sessions.begin() as session:
        session.add(ParkedEvent(deployment_id=OWN, log=log, **parked))
    shown = {"block_number": 1, "log_index": 3, "tx_hash": "0x" + "00" * 32, **log, "reason": "LookupError: no row"}
    del shown["logIndex"]
    for who in ("operator", "registrar", "reviewer-1", "finance", "regulator"):
        assert service.get("/v1/parked-events", who).json() == [shown]
    for role in ("enterprise", "platform"):
        refused = service.get("/v1/parked-events", service.api_key(role, new_uscc()))
        assert (refused.status_code, refused.json()["code"]) == (403, "role_missing")
    assert service.http.get("/v1/parked-events").status_code == 401
    with service.gateway.sessions.begin() as session:
        session.execute(delete(ParkedEvent))


def test_only_operator_and_regulator_see_the_signers(service: RunningService) -> None:
    listed = service.get("/v1/signers", "regulator").json()
    assert {"relayer", "operator", "finance"} <= {one["name"] for one in listed}
    relayer = next(one for one in listed if one["name"] == "relayer")
    assert relayer["roles"] == ["relayer"]
    assert int(relayer["balance_wei"]) > 0
    assert service.get("/v1/signers", "operator").status_code == 200
    for who in ("finance", "registrar", "reviewer-1", service.api_key("enterprise", new_uscc())):
        assert service.get("/v1/signers", who).status_code == 403
    assert service.http.get("/v1/signers").status_code == 401
