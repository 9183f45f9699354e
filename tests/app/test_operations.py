"""Operators list what failed, look into it, put it back or give it up; nobody else does."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from chain.contracts import encode_call
from chain.relay import OperationStatus, enqueue
from tests.app.conftest import RunningService
from tests.app.organisations import new_uscc

ACTIONS = ("cancel", "requeue")


def _failed(service: RunningService, signer: str = "operator") -> str:
    """An operation that no node took, as the relay leaves it."""
    contracts = service.gateway.contracts
    with service.gateway.sessions.begin() as session:
        operation = enqueue(
            session,
            kind="publish",
            signer=signer,
            to=bytes.fromhex(contracts.ledger.removeprefix("0x")),
            data=encode_call("VoucherLedger", "publishProgramme", [4711]),
        )
        operation.status = OperationStatus.FAILED
        operation.error = {"code": "NodeRefused", "args": {}, "message": "no"}
    return operation.id


def test_what_failed_is_listed_looked_into_and_put_back(service: RunningService) -> None:
    failed = _failed(service)
    listed = service.get("/v1/operations", status="failed", kind="publish").json()["items"]
    assert [one["operation_id"] for one in listed] == [failed]
    outcome = service.settle(f"/v1/operations/{failed}/requeue", "operator")
    assert (outcome["status"], outcome["error"]["code"]) == ("refused", "VoucherLedger_ProgrammeStatus")
    looked = service.get(f"/v1/operations/{failed}/attempts").json()
    assert looked["signer"] == "operator"
    assert [attempt["error"]["code"] for attempt in looked["before"]] == ["NodeRefused"]
    again = service.post(f"/v1/operations/{failed}/requeue", "operator")
    assert (again.status_code, again.json()["code"]) == (409, "not_failed")


def test_what_failed_under_a_key_that_is_gone_is_put_back_under_another_of_its_role(service: RunningService) -> None:
    failed = _failed(service, "operator-2")
    outcome = service.settle(f"/v1/operations/{failed}/requeue", "operator")
    assert (outcome["status"], outcome["error"]["code"]) == ("refused", "VoucherLedger_ProgrammeStatus")
    assert service.get(f"/v1/operations/{failed}/attempts").json()["signer"] == "operator"


def test_fifty_concurrent_posts_with_one_key_make_one_operation(service: RunningService) -> None:
    uscc = new_uscc()
    entity = {"uscc": uscc, "name": "One", "kind": "enterprise", "roles": ["buyer"], "region": "410100"}
    body = {"entities": [{**entity, "standing_until": 2**31}]}
    together = threading.Barrier(50)

    def post(_: int) -> httpx.Response:
        together.wait()
        return service.post("/v1/entities", "registrar", body, **{"Idempotency-Key": f"once-{uscc}"})

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, range(50)))
    assert {answer.status_code for answer in answers} == {202}
    (operation,) = {answer.json()["operation_id"] for answer in answers}
    assert [one["operation_id"] for one in service.get("/v1/operations", ref=uscc).json()["items"]] == [operation]
    deadline = time.monotonic() + 120
    while service.get(f"/v1/operations/{operation}").json()["status"] != "succeeded":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(service.get(f"/v1/operations/{operation}/attempts").json()["transactions"]) == 1


def test_what_failed_is_given_up(service: RunningService) -> None:
    failed = _failed(service)
    assert service.settle(f"/v1/operations/{failed}/cancel", "operator")["status"] == "cancelled"
    again = service.post(f"/v1/operations/{failed}/cancel", "operator")
    assert (again.status_code, again.json()["code"]) == (409, "operation_ended")


@pytest.mark.parametrize("who", ["registrar", "reviewer-1", "finance", "regulator"])
@pytest.mark.parametrize("action", ACTIONS)
def test_only_operators_put_back_or_give_up(service: RunningService, who: str, action: str) -> None:
    answer = service.post(f"/v1/operations/op_unknown/{action}", who)
    assert (answer.status_code, answer.json()["code"]) == (403, "role_missing")


def test_only_staff_lists_operations(service: RunningService) -> None:
    outsider = service.api_key("enterprise", new_uscc())
    assert service.get("/v1/operations", outsider).status_code == 403
    assert service.get("/v1/operations/op_unknown/attempts", outsider).status_code == 403
    first = service.get("/v1/operations", "regulator", limit=1).json()
    assert len(first["items"]) == 1
    assert service.get("/v1/operations", "regulator", limit=1, after=first["next"]).json()["items"] != first["items"]
    assert service.get("/v1/operations", after="op_0").json()["errors"][0]["pointer"] == "query/after"


@pytest.mark.parametrize("action", ACTIONS)
def test_an_unknown_operation_is_a_404(service: RunningService, action: str) -> None:
    assert service.post(f"/v1/operations/op_unknown/{action}", "operator").json()["code"] == "operation_not_found"


def test_a_deadline_is_taken_with_the_command_and_refused_when_it_is_over(service: RunningService) -> None:
    at = int(time.time()) + 600
    answer = service.post("/v1/programmes", "operator", {"policy": "zhengzhou-htz"}, **{"Operation-Deadline": str(at)})
    operation = answer.json()["operation_id"]
    assert service.get(f"/v1/operations/{operation}/attempts").json()["deadline_at"] == at
    for text in ("1", "soon", "-5"):
        headers = {"Operation-Deadline": text}
        refused = service.post("/v1/programmes", "operator", {"policy": "zhengzhou-htz"}, **headers)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "header/operation-deadline"
