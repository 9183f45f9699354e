"""Programmes over HTTP, and as the ledger has them."""

import time
from typing import Any

import pytest
from eth_hash.auto import keccak

from app.policies.files import shipped
from tests.app.conftest import RunningService
from tests.app.organisations import new_uscc, registration


@pytest.fixture
def programme_id(service: RunningService) -> int:
    """A draft."""
    outcome = service.settle("/v1/programmes", "operator", {"policy": "zhengzhou-htz"})
    created = next(event for event in outcome["result"]["events"] if event["event"] == "ProgrammeCreated")
    return int(created["args"]["programmeId"])


def until_status(service: RunningService, programme_id: int, status: str) -> dict[str, Any]:
    """The programme, once the projection shows the status."""
    deadline = time.monotonic() + 20
    while True:
        view = service.get(f"/v1/programmes/{programme_id}")
        if view.status_code == 200 and view.json()["status"] == status:
            found: dict[str, Any] = view.json()
            return found
        assert time.monotonic() < deadline, view.text
        time.sleep(0.05)


def test_a_draft_is_published_and_terminated_with_one_command_each(service: RunningService, programme_id: int) -> None:
    until_status(service, programme_id, "draft")
    service.settle(f"/v1/programmes/{programme_id}/publish", "operator")
    until_status(service, programme_id, "published")
    service.settle(f"/v1/programmes/{programme_id}/terminate", "operator", {"reason": "budget cut"})
    until_status(service, programme_id, "terminated")


def test_what_was_waited_for_can_be_read_at_once(service: RunningService) -> None:
    for _ in range(5):
        outcome = service.settle("/v1/programmes", "operator", {"policy": "zhengzhou-htz"})
        number = outcome["result"]["events"][0]["args"]["programmeId"]
        assert service.get(f"/v1/programmes/{number}").json()["status"] == "draft"
        service.settle(f"/v1/programmes/{number}/publish", "operator")
        assert service.get(f"/v1/programmes/{number}").json()["status"] == "published"


def test_the_policy_file_is_public_and_its_digest_is_on_chain(service: RunningService, programme_id: int) -> None:
    view = until_status(service, programme_id, "draft")
    content = shipped()["zhengzhou-htz"]
    assert view["policy_hash"] == f"0x{keccak(content).hex()}"
    assert service.http.get(view["policy_uri"]).content == content
    assert view["budgets"][0]["available_fen"] == 5000_0000_00


def test_a_draft_is_not_published_twice(service: RunningService, programme_id: int) -> None:
    until_status(service, programme_id, "draft")
    service.settle(f"/v1/programmes/{programme_id}/publish", "operator")
    again = service.settle(f"/v1/programmes/{programme_id}/publish", "operator")
    assert again["status"] == "refused"
    assert again["error"]["code"] == "VoucherLedger_ProgrammeStatus"


def test_platforms_are_listed_and_removed(service: RunningService, programme_id: int) -> None:
    until_status(service, programme_id, "draft")
    number = new_uscc()
    service.settle("/v1/entities", "registrar", {"entities": [registration(number, "platform")]})
    for listed in (True, False):
        body = {"uscc": [number], "listed": listed}
        outcome = service.settle(f"/v1/programmes/{programme_id}/platforms", "operator", body)
        assert [event["args"]["listed"] for event in outcome["result"]["events"]] == [listed]


def test_an_unknown_programme_is_not_found(service: RunningService) -> None:
    for path in ("publish", "terminate", "suppliers", "platforms"):
        body = {"terminate": {"reason": "r"}, "publish": None}.get(path, {"uscc": [new_uscc()]})
        answer = service.post(f"/v1/programmes/60000/{path}", "operator", body)
        assert answer.status_code == 404, path
    assert service.get("/v1/programmes/60000").json()["code"] == "programme_not_found"


def test_a_programme_number_out_of_range_is_named(service: RunningService) -> None:
    assert service.get("/v1/programmes/65536").json()["errors"][0]["pointer"] == "path/programme_id"


def test_other_roles_are_refused(service: RunningService) -> None:
    for path, body in (
        ("/v1/programmes", {"policy": "zhengzhou-htz"}),
        ("/v1/programmes/1/publish", None),
        ("/v1/programmes/1/terminate", {"reason": "r"}),
        ("/v1/programmes/1/suppliers", {"uscc": [new_uscc()]}),
        ("/v1/programmes/1/platforms", {"uscc": [new_uscc()]}),
    ):
        for officer in ("registrar", "reviewer-1", "finance", "regulator"):
            assert service.post(path, officer, body).status_code == 403, (path, officer)


def test_an_approver_list_for_an_unknown_stage_is_named(service: RunningService) -> None:
    body = {"policy": "zhengzhou-htz", "approvers": {"third_review": ["0x" + "11" * 20]}}
    answer = service.post("/v1/programmes", "operator", body)
    assert answer.json()["errors"][0]["pointer"] == "/approvers/third_review"
