"""Programmes over HTTP, and as the ledger has them."""

import json
import time
from typing import Any

import pytest
from eth_hash.auto import keccak
from typer.testing import CliRunner

from app.commands import policy as policy_commands
from app.policies.files import json_schema, shipped
from tests.app.conftest import RunningService
from tests.app.organisations import new_uscc, registration
from tests.policies.golden_cases import cases


@pytest.fixture
def programme_id(service: RunningService) -> int:
    """A draft."""
    outcome = service.settle("/v1/programmes", "operator", {"policy": "zhengzhou-htz"})
    created = next(event for event in outcome["result"]["events"] if event["event"] == "ProgrammeCreated")
    return int(created["args"]["programmeId"])


def until_status(service: RunningService, programme_id: int, status: str) -> dict[str, Any]:
    """The programme, once the projection shows the status."""
    deadline = time.monotonic() + 120
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
        ("/v1/programmes/1/approvers", {"stage": "first_review", "account": "0x" + "11" * 20}),
    ):
        for officer in ("registrar", "reviewer-1", "finance", "regulator"):
            assert service.post(path, officer, body).status_code == 403, (path, officer)


def test_an_approver_list_for_an_unknown_stage_is_named(service: RunningService) -> None:
    body = {"policy": "zhengzhou-htz", "approvers": {"third_review": ["0x" + "11" * 20]}}
    answer = service.post("/v1/programmes", "operator", body)
    assert answer.json()["errors"][0]["pointer"] == "/approvers/third_review"


def test_a_policy_of_several_programmes_is_published_by_command_and_only_once(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUANQUAN_API_KEY", service.keys["operator"])
    arguments = ["publish", "shanghai-2023", "--api", service.url, "--json"]
    first = CliRunner().invoke(policy_commands.cli, arguments)
    assert first.exit_code == 0, first.stderr
    published = json.loads(first.stdout)
    assert [one["programme"] for one in published] == ["renters", "builders"]
    assert json.loads(CliRunner().invoke(policy_commands.cli, arguments).stdout) == published
    for one in published:
        view = service.get(f"/v1/programmes/{one['programme_id']}").json()
        assert (view["status"], view["policy"], view["programme"]) == ("published", "shanghai-2023", one["programme"])
        assert view["policy_uri"].endswith(f"{one['policy_hash']}#{one['programme']}")
    number = str(published[0]["programme_id"])
    ended = CliRunner().invoke(
        policy_commands.cli, ["terminate", number, "--reason", "over", "--api", service.url, "--json"]
    )
    assert ended.exit_code == 0, ended.stderr
    assert service.get(f"/v1/programmes/{number}").json()["status"] == "terminated"
    monkeypatch.setenv("SUANQUAN_API_KEY", service.keys["finance"])
    refused = CliRunner().invoke(policy_commands.cli, arguments)
    assert refused.exit_code == 1
    assert "role_missing" in refused.stderr


def test_a_programme_of_a_policy_with_several_must_be_named(service: RunningService) -> None:
    for named in ({}, {"programme": "gifts"}):
        answer = service.post("/v1/programmes", "operator", {"policy": "chengdu", **named})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/programme"
        assert "talent_team" in answer.json()["errors"][0]["detail"]


def test_a_version_stands_for_one_text_and_both_stay_readable(service: RunningService) -> None:
    text = shipped()["guizhou"].decode()
    service.settle("/v1/programmes", "operator", {"policy_yaml": text})
    changed = text.replace("rate_bps: 2000", "rate_bps: 2500")
    again = service.post("/v1/programmes", "operator", {"policy_yaml": changed})
    assert (again.status_code, again.json()["code"]) == (409, "policy_version_taken")
    newer = changed.replace("version: 1", "version: 2")
    service.settle("/v1/programmes", "operator", {"policy_yaml": newer})
    versions = service.get("/v1/policies", policy="guizhou").json()
    assert [(one["version"], one["shipped"]) for one in versions] == [(1, True), (2, False)]
    for one, content in zip(versions, (text, newer), strict=True):
        assert service.http.get(f"/v1/policies/{one['digest']}").text == content
    question = {"claimant": {}, "trade": {"kind": "investment"}}
    for policy, version in (("guizhou", 1), (versions[1]["digest"], 2)):
        answer = service.http.post("/v1/quotes", json={"policy": policy, **question}).json()
        assert (answer["policy"], answer["version"], answer["eligible"]) == ("guizhou", version, False)


def test_the_schema_of_policy_files_is_public(service: RunningService) -> None:
    assert service.http.get("/v1/policies/schema").text == json_schema()
    assert service.http.get("/v1/policies/qingdao").content == shipped()["qingdao"]
    for nobody in ("atlantis", "abcd", "0x" + "00" * 32):
        assert service.http.get(f"/v1/policies/{nobody}").status_code == 404
        answer = service.http.post("/v1/quotes", json={"policy": nobody, "claimant": {}, "trade": {}})
        assert answer.status_code == 422


def test_a_quotation_needs_no_key_and_is_that_of_the_tables(service: RunningService) -> None:
    for case in cases()[::17]:
        answer = service.http.post("/v1/quotes", json={"policy": case.policy, **case.question})
        assert answer.status_code == 200, answer.text
        assert answer.json()["eligible"] is case.eligible
        if case.pays is not None:
            members = answer.json()
            assert (members["rate_bps"], members["subsidy_fen"], members["limited_by"]) == case.pays
    best = service.http.post("/v1/quotes", json={"policy": "all", **cases()[0].question}).json()
    assert len(best["runners_up"]) == len(shipped()) - 1


def test_a_bad_quotation_is_refused_by_member_and_rule(service: RunningService) -> None:
    question = {"policy": "guizhou", **cases()[0].question}
    for change, pointer, rule in (
        ({"policy": "atlantis"}, "/policy", "known_policy"),
        ({"claimant": {"speed": 1}}, "/claimant/speed", "extra_forbidden"),
        ({"trade": {"settled_fen": "1"}}, "/trade/settled_fen", "int_type"),
        ({"used": {"entity_period_fen": -1}}, "/used/entity_period_fen", "greater_than_equal"),
    ):
        answer = service.http.post("/v1/quotes", json=question | change)
        assert answer.status_code == 422
        assert [(one["pointer"], one["rule"]) for one in answer.json()["errors"]] == [(pointer, rule)]
    too_large = service.http.post("/v1/quotes", content=b" " * (8 * 1024 * 1024 + 1))
    assert too_large.status_code == 413
