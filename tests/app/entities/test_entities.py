"""Organisations over HTTP, and as the registry has them."""

import time
from typing import Any

import pytest

from app.auth.roles import Role
from chain.contract_error import ContractError
from chain.identifiers import entity_id
from tests.app.conftest import RunningService
from tests.app.organisations import STANDING_UNTIL, new_uscc, registration

OFFICERS = ("operator", "registrar", "reviewer-1", "finance", "regulator")


def until_indexed(service: RunningService, uscc: str, **wanted: Any) -> dict[str, Any]:
    """The view of an organisation, once the projection shows what is wanted."""
    deadline = time.monotonic() + 120
    while True:
        view: dict[str, Any] = service.get(f"/v1/entities/{uscc}").json()
        if all(view[name] == value for name, value in wanted.items()):
            return view
        assert time.monotonic() < deadline, view
        time.sleep(0.05)


def test_a_registered_organisation_is_on_chain_under_its_keyed_digest(service: RunningService) -> None:
    number = new_uscc()
    service.settle("/v1/entities", "registrar", {"entities": [registration(number, controller="集团甲")]})
    view = until_indexed(service, number, registered=True)
    own_id = entity_id(service.gateway.jurisdiction_key, number)
    record = service.gateway.contracts.read(service.gateway.rpc, "EntityRegistry", "entity", [own_id])
    assert view["entity_id"] == f"0x{own_id.hex()}"
    assert record["region"] == 410100
    assert record["standingUntil"] == STANDING_UNTIL
    assert view["account"].lower() == str(record["account"]).lower()


def test_a_platform_without_a_key_of_its_own_gets_one_in_custody(service: RunningService) -> None:
    number = new_uscc()
    outcome = service.settle("/v1/entities", "registrar", {"entities": [registration(number, "platform")]})
    changed = next(event for event in outcome["result"]["events"] if event["event"] == "KeyChanged")
    assert changed["args"]["custodial"] is True
    assert until_indexed(service, number, registered=True)["evidence_key"] == str(changed["args"]["key"]).lower()


def test_an_organisation_is_registered_once(service: RunningService) -> None:
    body = {"entities": [registration(new_uscc())]}
    service.settle("/v1/entities", "registrar", body)
    answer = service.post("/v1/entities", "registrar", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "entity_exists")


@pytest.mark.parametrize(
    ("changes", "pointer", "rule"),
    [
        ({"uscc": "91410100MA4T000010"}, "/entities/0/uscc", "uscc"),
        ({"uscc": "９1410100MA4T00001X"}, "/entities/0/uscc", "uscc"),
        ({"region": "41010"}, "/entities/0/region", "string_pattern_mismatch"),
        ({"kind": "bank"}, "/entities/0/kind", "literal_error"),
        ({"roles": []}, "/entities/0/roles", "too_short"),
        ({"standing_until": -1}, "/entities/0/standing_until", "greater_than_equal"),
        ({"standing_until": "soon"}, "/entities/0/standing_until", "int_type"),
        ({"name": "a\u0000b"}, "/entities/0/name", "string_pattern_mismatch"),
        ({"evidence_key": "0x" + "11" * 20}, "/entities/0/evidence_key", "platform_only"),
    ],
)
def test_bad_input_names_member_and_rule(
    service: RunningService, changes: dict[str, Any], pointer: str, rule: str
) -> None:
    body = {"entities": [{**registration(new_uscc()), **changes}]}
    answer = service.post("/v1/entities", "registrar", body)
    assert answer.status_code == 422
    assert (answer.json()["errors"][0]["pointer"], answer.json()["errors"][0]["rule"]) == (pointer, rule)


def test_one_number_twice_in_a_list_is_refused(service: RunningService) -> None:
    body = {"entities": [registration(new_uscc())] * 2}
    answer = service.post("/v1/entities", "registrar", body)
    assert answer.json()["errors"][0] == {
        "pointer": "/entities/1/uscc",
        "rule": "unique",
        "detail": "stands twice in the list",
    }


def test_standing_and_freeze_reach_the_registry(service: RunningService) -> None:
    number = new_uscc()
    service.settle("/v1/entities", "registrar", {"entities": [registration(number)]})
    own_id = entity_id(service.gateway.jurisdiction_key, number)
    service.settle(f"/v1/entities/{number}/standing", "registrar", {"standing": "dishonest", "until": STANDING_UNTIL})
    with pytest.raises(ContractError) as excluded:
        service.gateway.contracts.read(service.gateway.rpc, "EntityRegistry", "requireActive", [own_id, 1])
    assert excluded.value.name == "EntityRegistry_Excluded"
    service.settle(f"/v1/entities/{number}/freeze", "regulator", {"reason": "inspection"})
    assert until_indexed(service, number, frozen=True)["standing"] == "dishonest"
    service.settle(f"/v1/entities/{number}/unfreeze", "regulator")
    until_indexed(service, number, frozen=False)


def test_a_refusal_of_the_contract_ends_with_its_named_error(service: RunningService) -> None:
    number = new_uscc()
    service.settle("/v1/entities", "registrar", {"entities": [registration(number)]})
    outcome = service.settle(f"/v1/entities/{number}/unfreeze", "regulator")
    assert outcome["status"] == "refused"
    assert outcome["error"]["code"] == "EntityRegistry_NotFrozen"


def test_a_key_changes_with_two_approvals(service: RunningService) -> None:
    number = new_uscc()
    service.settle("/v1/entities", "registrar", {"entities": [registration(number)]})
    key = "0x" + number[-10:].encode().hex() * 2
    change = {"purpose": "account", "key": key}
    early = service.settle(f"/v1/entities/{number}/keys/confirm", "regulator", change)
    assert early["error"]["code"] == "EntityRegistry_NotProposed"
    service.settle(f"/v1/entities/{number}/keys/propose", "registrar", change)
    service.settle(f"/v1/entities/{number}/keys/confirm", "regulator", change)
    until_indexed(service, number, account=key)


@pytest.mark.parametrize(
    ("path", "body", "allowed"),
    [
        ("/v1/entities", {"entities": [registration(new_uscc())]}, "registrar"),
        ("/v1/entities/x/standing", {"standing": "good", "until": 1}, "registrar"),
        ("/v1/entities/x/freeze", {"reason": "r"}, "regulator"),
        ("/v1/entities/x/unfreeze", None, "regulator"),
        ("/v1/entities/x/keys/propose", {"purpose": "account", "key": "0x" + "11" * 20}, "registrar"),
        ("/v1/entities/x/keys/confirm", {"purpose": "account", "key": "0x" + "11" * 20}, "regulator"),
        ("/v1/api-keys", {"role": Role.PLATFORM, "subject": "x"}, "operator"),
    ],
)
def test_other_roles_are_refused(service: RunningService, path: str, body: object, allowed: str) -> None:
    for officer in OFFICERS:
        if officer != allowed:
            answer = service.post(path, officer, body)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_missing"), officer


def test_an_enterprise_reads_itself_and_nobody_else(service: RunningService) -> None:
    own, other = new_uscc(), new_uscc()
    service.settle("/v1/entities", "registrar", {"entities": [registration(own), registration(other)]})
    key = service.api_key("enterprise", own)
    assert service.get(f"/v1/entities/{own}", key).status_code == 200
    assert service.get(f"/v1/entities/{other}", key).status_code == 404
    assert service.get("/v1/entities", key).status_code == 403


def test_pages_cover_everybody_once(service: RunningService) -> None:
    numbers = {new_uscc() for _ in range(5)}
    service.settle("/v1/entities", "registrar", {"entities": [registration(number) for number in sorted(numbers)]})
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = service.get("/v1/entities", after=after, limit=2).json()
        seen += [item["uscc"] for item in page["items"]]
        after = page["next"]
    assert len(seen) == len(set(seen))
    assert numbers <= set(seen)


HEAD = "统一社会信用代码,机构名称,机构类型,行政区划代码,信用有效期至\n"


def import_file(service: RunningService, content: bytes, *, dry: bool = False, who: str = "registrar") -> Any:
    """Imports a file."""
    query = {"dry": str(dry).lower()}
    return service.http.post("/v1/entities/import", content=content, params=query, headers=service.headers(who))


def test_a_file_is_previewed_and_imported_and_the_second_time_changes_nothing(service: RunningService) -> None:
    numbers = [new_uscc() for _ in range(101)]
    lines = [f"{number},测试机构{place},enterprise,410100,2027-12-31\n" for place, number in enumerate(numbers)]
    content = (HEAD + "".join(lines)).encode("gb18030")
    preview = import_file(service, content, dry=True).json()
    assert (preview["rows"], preview["new"], preview["errors"], preview["operations"]) == (101, 101, [], [])
    assert service.get(f"/v1/entities/{numbers[0]}").status_code == 404
    done = import_file(service, content).json()
    assert (done["new"], done["unchanged"], len(done["operations"])) == (101, 0, 2)
    for number in (numbers[0], numbers[-1]):
        view = until_indexed(service, number, registered=True)
        assert (view["standing_until"], view["roles"]) == (STANDING_UNTIL, ["buyer"])
    again = import_file(service, content).json()
    assert (again["new"], again["unchanged"], again["operations"]) == (0, 101, [])
    other = import_file(service, content.replace("测试机构0,".encode("gb18030"), b"other,"), dry=True).json()
    assert [(error["row"], error["column"], error["rule"]) for error in other["errors"]] == [(2, "name", "differs")]
    for who in {*OFFICERS} - {"registrar"}:
        assert import_file(service, content, who=who).status_code == 403


def test_every_wrong_cell_is_named_and_nothing_is_imported(service: RunningService) -> None:
    good, twice = new_uscc(), new_uscc()
    content = HEAD + "".join(
        f"{line}\n"
        for line in (
            f"{good},甲,enterprise,410100,2027-12-31",
            "91410100MA4T000010,乙,enterprise,410100,2027-12-31",
            f"{twice},丙,company,4101,tomorrow",
            f"{twice},丁,enterprise,410100,2027-12-31",
            f"{twice},丁,enterprise,410100,2027-12-31",
            f"{new_uscc()},=cmd(),enterprise,410100,2027-12-31,more",
        )
    )
    answer = import_file(service, content.encode())
    assert (answer.status_code, answer.json()["code"]) == (422, "import_refused")
    found = [(error["row"], error["column"], error["rule"]) for error in answer.json()["errors"]]
    assert found == [
        (3, "uscc", "uscc"),
        (4, "standing_until", "day"),
        (6, "uscc", "unique"),
        (7, "6", "known_column"),
        (7, "name", "formula"),
    ]
    assert service.get(f"/v1/entities/{good}").status_code == 404
    for content_, rule in (
        (b"uscc,name\n", "required_column"),
        (b"uscc,uscc,x\n", "known_column"),
        (b"", "required_column"),
    ):
        assert import_file(service, content_).json()["errors"][0]["rule"] == rule
