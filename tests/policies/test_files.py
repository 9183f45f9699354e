"""Policy files: read strictly, described by a schema, and meaning what domain.md says."""

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from app.policies.compiled import compiled
from app.policies.differences import differences
from app.policies.explain import answer_of, explain
from app.policies.files import FOLDER, SCHEMA_FILE, PolicyError, json_schema, parse, shipped
from app.policies.model import NO_CAP
from app.policies.terms import UNSTATED_BUDGET_FEN, contract_terms, day_end, day_start
from chain.contracts import encode_call

WAN = 10_000 * 100
ONE_STAGE = [{"name": "s", "title": {"zh": "", "en": ""}, "required": 1, "documents": ["business_licence"]}]
POLICIES = sorted(shipped())


def changed(policy: str = "zhengzhou-htz", *, programme: dict[str, object] | None = None, **changes: object) -> bytes:
    """A shipped file with members changed, of the file or of its first programme."""
    content = yaml.safe_load(shipped()[policy])
    content |= changes
    content["programmes"][0] |= programme or {}
    return yaml.safe_dump(content, allow_unicode=True).encode()


def test_all_nine_policies_of_the_domain_are_there() -> None:
    assert POLICIES == [
        "beijing-2023",
        "beijing-etown",
        "chengdu",
        "guizhou",
        "hangzhou-2024",
        "qingdao",
        "shanghai-2023",
        "yangzhou",
        "zhengzhou-htz",
    ]
    kinds = {kind for name in POLICIES for part in parse(shipped()[name]).programmes for kind in part.kinds}
    assert kinds == {"compute", "data", "deployment", "investment", "project_cost"}


def test_the_committed_schema_is_that_of_the_models() -> None:
    assert SCHEMA_FILE.read_text() == json_schema(), "run `suanquan policy schema > app/policies/policy.schema.json`"


@pytest.mark.parametrize("policy", POLICIES)
def test_terms_can_be_put_on_chain(policy: str) -> None:
    for part in parse(shipped()[policy]).programmes:
        approvers = [["0x" + "11" * 20]] * len(part.stages)
        terms = contract_terms(part, group=1, policy_hash=bytes(32), policy_uri="", approvers=approvers)
        assert encode_call("VoucherLedger", "createProgramme", [terms])


@pytest.mark.parametrize("policy", POLICIES)
def test_worked_examples_pay_and_are_told_in_both_languages(policy: str) -> None:
    content = shipped()[policy]
    for part in parse(content).programmes:
        for example in part.examples:
            answer = answer_of(compiled(content), example)
            assert answer.subsidy_fen, (part.name, answer)
            for language, amount in (("zh", "补贴"), ("en", "subsidy")):
                told = explain(content, language)  # type: ignore[arg-type]
                assert f"= {amount} ¥{answer.subsidy_fen // 100:,}.{answer.subsidy_fen % 100:02d}" in told


def test_zhengzhou_is_what_the_articles_say() -> None:
    part = parse(shipped()["zhengzhou-htz"]).programmes[0]
    terms = contract_terms(part, group=1, policy_hash=bytes(32), policy_uri="", approvers=[[], []])
    intelligent, general = 2 * 2, 1 * 2
    figures = {
        tier["name"].rstrip(b"\0").decode(): (tier["rateBps"][intelligent], tier["periodCapFen"], tier["totalCapFen"])
        for tier in terms["tiers"]
    }
    assert figures == {
        "enterprise_in_zone": (3000, 30 * WAN, NO_CAP),
        "enterprise_in_zone_small": (1500, 30 * WAN, NO_CAP),
        "research_institute": (3000, 20 * WAN, NO_CAP),
        "university": (3000, 100 * WAN, NO_CAP),
        "university_double_first": (3000, 200 * WAN, NO_CAP),
        "large_model_enterprise": (3000, 100 * WAN, NO_CAP),
        "enterprise_out_of_zone": (300, NO_CAP, 3 * WAN),
        "newly_settled": (3000, 30 * WAN, NO_CAP),
    }
    assert all(tier["rateBps"][general] == 0 for tier in terms["tiers"])
    assert terms["budgetsFen"] == [5000 * WAN]
    assert terms["inTradeOrder"]
    assert terms["tradeBeforeIssue"]
    assert terms["platformsListed"]
    assert not terms["suppliersListed"]


def test_periods_are_calendar_years_of_china_time_within_the_policy() -> None:
    part = parse(shipped()["zhengzhou-htz"]).programmes[0]
    periods = contract_terms(part, group=1, policy_hash=bytes(32), policy_uri="", approvers=[[], []])["periods"]
    assert periods[0]["startsAt"] == 1_714_233_600  # 2024-04-28 00:00 +08:00
    assert periods[-1]["endsAt"] == 1_808_841_600  # 2027-04-28 00:00 +08:00
    assert [q["startsAt"] for q in periods[1:]] == [q["endsAt"] for q in periods[:-1]]


def test_a_budget_that_no_source_states_does_not_bind_on_chain() -> None:
    part = parse(shipped()["beijing-2023"]).programmes[0]
    terms = contract_terms(part, group=1, policy_hash=bytes(32), policy_uri="", approvers=[[]])
    assert terms["budgetsFen"] == [UNSTATED_BUDGET_FEN]


def test_a_day_lasts_from_midnight_to_midnight_in_china() -> None:
    assert day_start(date(1970, 1, 1)) == -8 * 3600
    assert day_end(date(1970, 1, 1)) - day_start(date(1970, 1, 1)) == 86_400


@pytest.mark.parametrize(
    ("changes", "programme", "told"),
    [
        ({"speed": 1}, {}, "speed"),
        ({"group": 0}, {}, "group"),
        ({"documents": {}}, {}, "stages.first_review.documents: business_licence"),
        ({}, {"support_ceiling_bps": 10_001}, "programmes.0.support_ceiling_bps"),
        ({}, {"basis": "wish"}, "programmes.0.basis"),
        ({}, {"basis": "contract_value"}, "basis: contract_value demands one_claim_per_contract"),
        ({}, {"tiers": []}, "programmes.0.tiers"),
        ({}, {"order": "none"}, "rounds: belong to `order: trade_time`"),
        ({}, {"rounds": {"hold_days": 0}}, "rounds.hold_days"),
        ({}, {"mode": "instant"}, "stages: mode instant has one stage with one approval"),
        ({}, {"mode": "automatic", "stages": ONE_STAGE}, "stages: mode automatic demands no documents"),
        ({}, {"scope": {"dispatch": True}}, "dispatch: name the platforms"),
        ({}, {"periods": [{"from": "2025-01-01", "to": "2024-01-01", "budget": 0}]}, "programmes.0.periods.0"),
        ({}, {"periods": [{"from": "2025-01-01", "to": "2025-12-31", "budget": 1}]}, "periods.0.budget"),
        (
            {},
            {
                "periods": [
                    {"from": "2025-01-01", "to": "2025-12-31", "budget": 0},
                    {"from": "2025-12-31", "to": "2026-12-31", "budget": 0},
                ]
            },
            "periods.1.from",
        ),
        (
            {},
            {"eligible": [{"code": "c", "when": "claimant.speed > 1", "text": {"zh": "", "en": ""}}]},
            "^programmes.0.eligible.0.when: Value error, 1:9: undeclared reference to 'claimant.speed'[^;]*$",
        ),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_by_name(
    changes: dict[str, object], programme: dict[str, object], told: str
) -> None:
    with pytest.raises(PolicyError, match=told):
        parse(changed(programme=programme, **changes))


@pytest.mark.parametrize(
    "content",
    [
        b"a: [",
        b"\xff\xfe\x00",
        b"just text",
        b"!!python/object/apply:os.getcwd []",
        b"a: &a [x]\nb: *a",
        b"policy: one\npolicy: two",
        b"? [a]\n: b",
        b"[" * 100_000,
        b"#" * 200_001,
    ],
)
def test_rubbish_is_refused(content: bytes) -> None:
    with pytest.raises(PolicyError):
        parse(content)


def test_a_difference_is_told_as_the_rule_that_changed() -> None:
    old = parse(shipped()["zhengzhou-htz"])
    tiers = yaml.safe_load(shipped()["zhengzhou-htz"])["programmes"][0]["tiers"]
    tiers[0]["rates"][0]["rate_bps"] = 2500
    tiers[3]["period_cap_fen"] = None
    new = parse(changed(version=2, title={"zh": "甲", "en": "A"}, programme={"tiers": tiers[:-1]}))
    told = [str(one) for one in differences(old, new) if one.rule]
    place = "programmes.vouchers.tiers"
    assert told[:3] == [
        "~ version: 1 → 2",
        f"~ {place}.enterprise_in_zone.rates.compute.rate_bps: 30% → 25%",
        f"~ {place}.university.period_cap_fen: ¥1,000,000.00 → none",
    ]
    assert all(line.startswith(f"- {place}.newly_settled.") for line in told[3:])
    assert len(told) > 3
    assert [one.path for one in differences(old, new) if not one.rule][:2] == ["title.zh", "title.en"]
    assert differences(old, old) == []


def test_files_name_their_schema_and_their_own_policy() -> None:
    for path in FOLDER.glob("*.yaml"):
        assert path.read_text().startswith(f"# yaml-language-server: $schema=./{SCHEMA_FILE.name}\n")
        assert parse(path.read_bytes()).policy == Path(path).stem
    assert json.loads(SCHEMA_FILE.read_text())["$id"] == "urn:suanquan:policy:1"
