"""The whole way of an application over HTTP, in a programme of three stages with publicity: three reviewers, questions,
forged approvals, rejection, appeal, objections."""

import json
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import update

from app.applications.models import Application
from app.applications.publicity import PublicityWorker
from app.policies.files import shipped
from chain.application_manifest import digest
from chain.keys import LocalSigner
from tests.app.applications.test_applications import reviewers_key, signed_outside
from tests.app.claims.scenario import PDF, World, build, until
from tests.app.conftest import RunningService

pytestmark = pytest.mark.slow

STAGES = [
    {"name": "first_review", "approvers": ["reviewer-1", "reviewer-2"], "documents": ["business_licence"], "days": 5},
    {"name": "second_review", "approvers": ["reviewer-2", "reviewer-3"], "documents": ["settlement_statement"]},
    {"name": "expert_review", "approvers": ["reviewer-3", "reviewer-1"], "publicity_days": 7},
]
OTHER = PDF + b"% another\n%%EOF\n"
ASKED, TOLD = {"text": "请补充结算单"}, {"text": "已补充"}


def policy(**changes: Any) -> str:
    """The Zhengzhou policy with three stages, under a name of its own."""
    content = yaml.safe_load(shipped()["zhengzhou-htz"])
    content["policy"] = "three-stages"
    (programme,) = content["programmes"]
    title = {"zh": "审核", "en": "Review"}
    programme["stages"] = [
        {"title": title, "required": 1, **{name: value for name, value in stage.items() if name != "approvers"}}
        for stage in STAGES
    ]
    programme |= changes
    content["documents"]["business_licence"]["types"] = ["pdf"]
    return json.dumps(content, default=str)  # JSON is YAML, without aliases


def publish(service: RunningService, text: str) -> int:
    """A published programme of a policy."""
    signers = service.gateway.signers
    approvers = {str(stage["name"]): [signers[name].address for name in stage["approvers"]] for stage in STAGES}  # type: ignore[union-attr]
    body = {"policy_yaml": text, "approvers": approvers}
    created = service.settle("/v1/programmes", "operator", body)
    number = next(e for e in created["result"]["events"] if e["event"] == "ProgrammeCreated")["args"]["programmeId"]
    path = f"/v1/programmes/{number}"
    until(lambda: service.get(path).status_code == 200)
    service.settle(f"{path}/publish", "operator")
    until(lambda: service.get(path).json()["status"] == "published")
    return int(number)


@pytest.fixture(scope="module")
def world(service: RunningService) -> World:
    made = build(service, buyers=2)
    return replace(made, programme_id=publish(service, policy()))


class Case:
    """One application, and what is done to it."""

    def __init__(self, world: World, **changes: Any) -> None:
        self.world = world
        answer = world.service.post("/v1/applications", world.buyer_keys[0], world.application(0, **changes))
        self.id = str(world.json(answer, 201)["id"])
        self.path = f"/v1/applications/{self.id}"

    def view(self, who: str = "operator") -> dict[str, Any]:
        found: dict[str, Any] = self.world.json(self.world.service.get(self.path, who), 200)
        return found

    def post(self, what: str, who: str, body: object = None) -> httpx.Response:
        return self.world.service.post(f"{self.path}/{what}", who, body)

    def does(self, what: str, who: str, body: object = None, status: int = 200) -> Any:
        return self.world.json(self.post(what, who, body), status)

    def refused(self, what: str, who: str, body: object = None, *, status: int, code: str) -> None:
        assert self.does(what, who, body, status)["code"] == code

    def let_time_pass(self, **columns: int) -> None:
        """Moves what the application waits for into the past."""
        with self.world.service.gateway.sessions.begin() as session:
            session.execute(update(Application).where(Application.id == self.id).values(columns))


def rejected(world: World, stage: int = 0) -> Case:
    """An application that reviewer-1 rejected in the first stage."""
    case = Case(world)
    case.does("reject", "reviewer-1", {"reason_code": "documents_untrue", "reason": "结算单不符"})
    assert case.view()["stage"] == stage
    return case


def test_from_submission_to_the_voucher_with_three_reviewers_a_question_and_forged_approvals(world: World) -> None:
    service, applicant = world.service, world.buyer_keys[0]
    case = Case(world, facts={"in_zone": True})
    view = case.view(applicant)
    assert (view["state"], view["progress"]) == ("submitted", {"stage": 1, "stages": 3})
    signers = service.gateway.signers
    (sign,) = [one for one in view["may_act"] if one["action"] == "sign"]
    assert set(sign["addresses"]) == {signers[name].address.lower() for name in ("reviewer-1", "reviewer-2")}
    assert view["times"][0]["due_at"] > time.time()
    # What the rules say of it is kept: here they cannot tell, and the applicant's own word is marked as such.
    assert (view["finding"]["admits"], view["finding"]["stated"]) == (None, ["in_zone"])
    assert "claimant.revenue_prior_year_fen" in view["finding"]["missing"]
    assert view["finding"]["tiers"]["university"] is False

    # Two forgeries: a stranger's signature, and a reviewer's over another application.
    stranger = signed_outside(world, view, 0, LocalSigner(bytes(31) + b"\x09"))
    case.refused("approvals", "reviewer-2", stranger, status=422, code="not_approver")
    other = signed_outside(world, Case(world).view(), 0, reviewers_key(world, "reviewer-1"))
    case.refused("approvals", "reviewer-2", other, status=422, code="bad_signature")
    assert case.view()["history"] == view["history"]

    # The first reviewer approves, the second asks; the answer brings another file, so all begins anew.
    case.does("approvals", "reviewer-1", {"stage": 0})
    early = signed_outside(world, view, 1, reviewers_key(world, "reviewer-3"))
    asked = case.does("clarifications", "reviewer-2", ASKED, 201)
    assert (asked["state"], asked["stage"]) == ("clarification", 1)
    case.refused("approvals", "reviewer-2", {"stage": 1}, status=409, code="application_state")
    new = {"name": "settlement_statement", "sha256": world.hand_in(world.buyers[0], OTHER, applicant)}
    answered = case.does("clarifications/1/answer", applicant, {**TOLD, "documents": [new]})
    assert (answered["state"], answered["stage"]) == ("under_review", 0)
    assert answered["documents_digest"] != view["documents_digest"]
    assert not answered["stages"][0]["approvals"]
    case.refused("clarifications/1/answer", applicant, TOLD, status=409, code="clarification_closed")

    # Three reviewers; one who signed what it was before is not counted.
    case.does("approvals", "reviewer-1", {"stage": 0})
    case.refused("approvals", "reviewer-3", early, status=422, code="bad_signature")
    case.does("approvals", "reviewer-2", {"stage": 1})
    assert case.view()["progress"] == {"stage": 3, "stages": 3}
    case.refused("approvals", "reviewer-1", {"stage": 2}, status=409, code="already_approved")
    soon = {
        **signed_outside(world, case.view(), 2, reviewers_key(world, "reviewer-3")),
        "deadline": int(time.time()) + 60,
    }
    assert case.does("approvals", "reviewer-3", soon, 422)["errors"][0]["rule"] == "outlasts_publicity"
    shown = case.does("approvals", "reviewer-3", {"stage": "expert_review"})
    assert (shown["state"], shown["operation_id"]) == ("publicity", None)

    # On display for everybody, with nothing of the documents; issued only when it is over.
    (item,) = [one for one in service.http.get("/v1/publicity").json() if one["application_id"] == case.id]
    assert set(item) == {"application_id", "programme_id", "organisation", "uscc", "tier", "face_fen", "until"}
    PublicityWorker(service.gateway).step()
    assert case.view()["state"] == "publicity"
    case.let_time_pass(publicity_until=int(time.time()) - 1)
    issued = until(lambda: case.view() if case.view()["state"] == "issued" else None)

    # On chain is what anybody can compute from the manifest.
    voucher = world.json(service.get(f"/v1/vouchers/{issued['voucher_id']}"), 200)
    file = world.json(service.get(f"{case.path}/manifest", applicant), 200)
    assert voucher["history"][0]["args"]["documents"] == f"0x{digest(file['manifest']).hex()}"
    assert {one["sha256"] for one in file["manifest"]["documents"]} >= {new["sha256"]}

    actions = [(step["action"], step["actor"]) for step in issued["history"]]
    assert actions == [
        ("submit", world.buyers[0]),
        ("sign", "reviewer-1"),
        ("ask", "reviewer-2"),
        ("answer", world.buyers[0]),
        ("sign", "reviewer-1"),
        ("sign", "reviewer-2"),
        ("publish", "reviewer-3"),
        ("approve", ""),
    ]
    assert [step["at"] for step in issued["history"]] == sorted(step["at"] for step in issued["history"])
    report = world.json(service.get(f"/v1/programmes/{world.programme_id}/approval-progress"), 200)
    assert report["states"]["issued"] == 1
    assert report["stages"][1]["clarification"]["applications"] == 1
    assert service.get(f"/v1/programmes/{world.programme_id}/approval-progress", applicant).status_code == 403


def test_every_change_of_state_is_told(world: World) -> None:
    case = Case(world)
    case.does("withdraw", world.buyer_keys[0])
    headers = {**world.service.headers(world.buyer_keys[0]), "Last-Event-ID": "0"}
    told: list[str] = []
    query = {"types": "application.*"}
    with world.service.http.stream("GET", "/v1/events", headers=headers, params=query) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:") and case.id in line:
                told.append(line)
                if "application.withdrawn" in line:
                    break
    assert ["application.submitted" in told[0], "application.withdrawn" in told[1], len(told)] == [True, True, 2]


def test_a_question_stops_everything_but_its_answer_rejection_and_withdrawal(world: World) -> None:
    case = Case(world)
    case.does("clarifications", "reviewer-1", ASKED, 201)
    assert case.view()["times"][0]["due_at"] is None
    case.refused("clarifications", "reviewer-2", ASKED, status=409, code="application_state")
    case.refused("clarifications/2/answer", world.buyer_keys[0], TOLD, status=404, code="clarification_not_found")
    case.refused("clarifications/1/answer", world.buyer_keys[1], TOLD, status=404, code="application_not_found")
    answered = case.does("clarifications/1/answer", world.buyer_keys[0], TOLD)
    # Without new documents what was signed still stands.
    assert (answered["state"], answered["exchanges"][0]["reply"]) == ("under_review", TOLD["text"])


def test_who_handed_a_document_in_does_not_approve(world: World) -> None:
    own = PDF + b"% by reviewer-1\n%%EOF\n"
    name = world.hand_in(world.buyers[0], own, "reviewer-1")
    documents = [{"name": one, "sha256": name} for one in ("business_licence", "settlement_statement")]
    case = Case(world, documents=documents)
    for what, body in (
        ("approvals", {"stage": 0}),
        ("reject", {"reason_code": "duplicate", "reason": "r"}),
        ("clarifications", ASKED),
    ):
        case.refused(what, "reviewer-1", body, status=403, code="own_application")
    # Nor does a signature that somebody else brings for them.
    brought = signed_outside(world, case.view(), 0, reviewers_key(world, "reviewer-1"))
    case.refused("approvals", "reviewer-2", brought, status=403, code="own_application")
    case.does("approvals", "reviewer-2", {"stage": 0})


def test_a_rejection_is_appealed_once_in_time_before_somebody_else(world: World) -> None:
    applicant, ground = world.buyer_keys[0], {"text": "结算单属实"}
    case = Case(world)
    case.refused("reject", "reviewer-1", {"reason_code": "because", "reason": "r"}, status=422, code="invalid_request")
    case.refused("appeal", applicant, ground, status=409, code="application_state")
    case = rejected(world)
    case.refused("appeal", world.buyer_keys[1], ground, status=404, code="application_not_found")
    assert case.does("appeal", applicant, ground, 201)["state"] == "appealed"
    granted = {"outcome": "granted", "text": "予以受理"}
    case.refused("appeal/decision", "reviewer-1", granted, status=403, code="decided_before")
    back = case.does("appeal/decision", "reviewer-2", granted)
    assert (back["state"], back["stage"], back["reason_code"]) == ("under_review", 0, None)
    case.refused("approvals", "reviewer-1", {"stage": 0}, status=403, code="decided_before")
    case.does("reject", "reviewer-3", {"reason_code": "duplicate", "reason": "r"})
    case.refused("appeal", applicant, ground, status=409, code="appeal_used")

    denied = rejected(world)
    denied.does("appeal", applicant, ground, 201)
    denied.does("appeal/decision", "reviewer-3", {"outcome": "denied", "text": "维持"})
    assert denied.view()["state"] == "rejected"
    late = rejected(world)
    late.let_time_pass(appeal_until=int(time.time()) - 1)
    late.refused("appeal", applicant, ground, status=409, code="appeal_closed")


def test_an_approver_is_named_in_a_running_programme_for_who_has_decided_before(world: World) -> None:
    service, third = world.service, world.service.gateway.signers["reviewer-3"].address
    case = rejected(world)
    case.does("appeal", world.buyer_keys[0], {"text": "结算单属实"}, 201)
    case.does("appeal/decision", "reviewer-2", {"outcome": "granted", "text": "予以受理"})
    case.refused("approvals", "reviewer-3", {"stage": 0}, status=422, code="not_approver")
    path, body = f"/v1/programmes/{world.programme_id}/approvers", {"stage": "first_review", "account": third}
    for wrong, rule in (({"stage": "tenth"}, "known_stage"), ({"account": "0x" + "12" * 20}, "reviewer")):
        assert world.json(service.post(path, "operator", body | wrong), 422)["errors"][0]["rule"] == rule
    assert service.settle(path, "operator", body)["status"] == "succeeded"
    until(lambda: third.lower() in case.view()["stages"][0]["approvers"])
    assert case.does("approvals", "reviewer-3", {"stage": 0})["stage"] == 1
    service.settle(path, "operator", {**body, "approver": False})
    until(lambda: third.lower() not in case.view()["stages"][0]["approvers"])


def displayed(world: World) -> Case:
    """An application on public display, whose time is not over."""
    case = Case(world)
    for stage, reviewer in enumerate(("reviewer-1", "reviewer-2", "reviewer-3")):
        case.does("approvals", reviewer, {"stage": stage})
    return case


def test_nothing_is_issued_while_an_objection_is_open(world: World) -> None:
    case, ground = displayed(world), {"text": "该单位不在区内"}
    case.refused("objections", world.buyer_keys[0], ground, status=403, code="own_application")
    assert case.does("objections", world.buyer_keys[1], ground, 201) == {"number": 1}
    case.let_time_pass(publicity_until=int(time.time()) - 1)
    PublicityWorker(world.service.gateway).step()
    assert case.view()["state"] == "publicity"
    dismissed = {"outcome": "dismissed", "text": "经核查属实"}
    case.refused("objections/1/resolution", "reviewer-1", dismissed, status=403, code="decided_before")
    assert case.does("objections/1/resolution", "regulator", dismissed)["state"] == "approved"
    until(lambda: case.view()["state"] == "issued")
    case.refused("objections/1/resolution", "regulator", dismissed, status=409, code="objection_closed")

    upheld = displayed(world)
    upheld.does("objections", world.buyer_keys[1], ground, 201)
    view = upheld.does("objections/1/resolution", "regulator", {"outcome": "upheld", "text": "异议成立"})
    assert (view["state"], view["reason_code"]) == ("rejected", "objection_upheld")
    upheld.refused("objections", world.buyer_keys[1], ground, status=404, code="application_not_found")


def test_drafts_are_saved_changed_deleted_and_handed_in_once(world: World) -> None:
    service, applicant = world.service, world.buyer_keys[0]
    whole = world.application(0)
    begun = {name: whole[name] for name in ("programme_id", "uscc")}
    draft = world.json(service.post("/v1/application-drafts", applicant, begun), 201)
    path = f"/v1/application-drafts/{draft['id']}"
    assert [one["detail"] for one in draft["missing"]][1:] == [
        "first_review demands business_licence",
        "second_review demands settlement_statement",
    ]
    assert draft["missing"][0]["pointer"] == "/tier"
    assert world.json(service.post(f"{path}/submit", applicant), 422)["code"] == "draft_incomplete"
    for who in (world.buyer_keys[1], "reviewer-1"):
        assert service.get(path, who).status_code == 404
    assert service.post(f"{path}/submit", world.buyer_keys[1]).status_code == 404
    changed = service.http.put(path, json=whole, headers=service.headers(applicant))
    assert world.json(changed, 200)["missing"] == []
    assert world.json(service.post(f"{path}/submit", applicant), 201)["state"] == "submitted"
    assert service.post(f"{path}/submit", applicant).status_code == 404
    second = world.json(service.post("/v1/application-drafts", applicant, begun), 201)["id"]
    gone = service.http.delete(f"/v1/application-drafts/{second}", headers=service.headers(applicant))
    assert (gone.status_code, world.json(service.get("/v1/application-drafts", applicant), 200)) == (204, [])


def test_the_form_says_what_the_policy_demands(world: World) -> None:
    form = world.json(world.service.http.get(f"/v1/programmes/{world.programme_id}/form"), 200)
    assert [stage["name"] for stage in form["stages"]] == [stage["name"] for stage in STAGES]
    assert form["stages"][0]["documents"][0]["types"] == ["pdf"]
    assert {"in_zone", "settled_in_zone_on", "revenue_prior_year_fen"} <= set(form["facts"]["properties"])
    assert {"documents_untrue", "legal_person"} <= set(form["reasons"])
    assert (form["open"], form["appeal_days"]) == (True, 60)


def test_nothing_is_applied_for_or_approved_outside_the_window(world: World) -> None:
    service = world.service
    later = {
        "policy_yaml": policy(
            periods=[{"from": "2027-04-26", "to": "2027-04-27", "budget": 0}],
            # A window of its own, so that the contract alone would not refuse it.
        ).replace("three-stages", "next-year"),
    }
    number = publish(service, later["policy_yaml"])
    body = world.application(0, programme_id=number)
    assert world.json(service.post("/v1/applications", "operator", body), 409)["code"] == "programme_not_open"
    draft = world.json(service.post("/v1/application-drafts", "operator", body), 201)
    answer = service.post(f"/v1/application-drafts/{draft['id']}/submit", "operator")
    assert world.json(answer, 409)["code"] == "programme_not_open"
    # What waits when a programme is terminated is not approved any more.
    ended = publish(service, policy().replace("three-stages", "ended"))
    case = Case(replace(world, programme_id=ended))
    service.settle(f"/v1/programmes/{ended}/terminate", "operator", {"reason": "over"})
    until(lambda: service.get(f"/v1/programmes/{ended}").json()["status"] == "terminated")
    case.refused("approvals", "reviewer-1", {"stage": 0}, status=409, code="programme_not_open")
