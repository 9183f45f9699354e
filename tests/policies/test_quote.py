"""Quotations: the golden tables, what is unknown, what is refused, and the best of several."""

import copy
import json
from typing import Any

import pytest

from app.policies.best import best_of
from app.policies.compiled import compiled
from app.policies.files import shipped
from app.policies.question import QuestionError, ask
from app.policies.quote import Quotation, quote

from .golden_cases import UNKNOWN, GoldenCase, cases

GOLDEN = cases()
IN_ZONE = next(case for case in GOLDEN if case.policy == "zhengzhou-htz" and case.name == "in-zone enterprise")


def answer(question: dict[str, Any], policy: str = "zhengzhou-htz") -> Quotation:
    return quote(compiled(shipped()[policy]), ask(question))


def changed(**parts: dict[str, Any]) -> dict[str, Any]:
    """The base question of Zhengzhou with members changed."""
    question = copy.deepcopy(IN_ZONE.question)
    for part, members in parts.items():
        question[part] |= members
    return question


@pytest.mark.parametrize("case", GOLDEN, ids=str)
def test_golden(case: GoldenCase) -> None:
    got = answer(case.question, case.policy)
    codes = [one.code for one in got.reasons]
    assert got.eligible is case.eligible, codes
    if case.pays is not None:
        assert (got.tier, got.rate_bps, got.subsidy_fen, got.limited_by) == (case.tier, *case.pays), case.by_hand
        assert not any(code.startswith(UNKNOWN) for code in codes)
    elif case.refused:
        assert (codes, got.subsidy_fen) == ([*case.refused], 0)
    else:
        assert [code.removeprefix(UNKNOWN) for code in codes if code.startswith(UNKNOWN)] == [*case.unknown]
        assert got.subsidy_fen is None


def test_every_policy_has_its_table() -> None:
    tables = {case.policy for case in GOLDEN}
    assert tables == set(shipped())
    for policy in tables:
        of_policy = [case for case in GOLDEN if case.policy == policy]
        assert len(of_policy) >= 10
        assert all(any(getattr(case, kind) for case in of_policy) for kind in ("pays", "refused", "unknown"))


def test_the_answer_has_the_members_that_the_interface_names() -> None:
    members = answer(IN_ZONE.question).to_dict()
    assert [*members] == [
        "policy",
        "version",
        "eligible",
        "tier",
        "rate_bps",
        "subsidy_fen",
        "limited_by",
        "reasons",
    ]
    assert [[*one] for one in members["reasons"]] == [["code", "text_zh", "text_en"]]
    assert json.loads(json.dumps(members)) == members


def test_a_question_that_says_nothing_is_answered_with_all_that_is_missing() -> None:
    got = answer({"claimant": {}, "trade": {}})
    assert (got.eligible, got.tier, got.subsidy_fen) == (None, None, None)
    missing = {one.code for one in got.reasons}
    assert {"unknown.claimant.kind", "unknown.claimant.dishonest", "unknown.trade.traded_at"} <= missing
    assert "unknown.trade.settled_fen" in missing


def test_without_earlier_payments_it_is_a_first_claim_and_says_so() -> None:
    question = changed()
    del question["used"]
    got = answer(question)
    assert (got.subsidy_fen, got.reasons[-1].code) == (3_0000_00, "used_not_given")


def test_what_limits_a_subsidy_is_told_with_its_figures() -> None:
    got = answer(changed(used={"entity_period_fen": 29_0000_00, "entity_total_fen": 29_0000_00}))
    limited = next(one for one in got.reasons if one.code == "limited_by_period_cap")
    assert limited.text_en == "The cap of the period is ¥300,000.00, of which ¥10,000.00 is left"
    assert limited.text_zh == "每期上限 ¥300,000.00,尚余 ¥10,000.00"


def test_of_several_tiers_the_one_that_gives_most_is_taken_and_said() -> None:
    got = answer(changed(claimant={"large_model_filed": True}, trade={"settled_fen": 200_0000_00}))
    assert (got.tier, got.subsidy_fen) == ("large_model_enterprise", 60_0000_00)
    assert "enterprise_in_zone, large_model_enterprise" in next(
        one.text_en for one in got.reasons if one.code == "higher_tier"
    )


@pytest.mark.parametrize(
    ("traded_at", "same_as"),
    [
        ("2025-06-01", 1_748_707_200),  # a day is its first second in China
        ("2025-06-01T10:00:00", 1_748_743_200),  # no offset: China Standard Time
        ("2025-06-01T02:00:00Z", 1_748_743_200),
    ],
)
def test_a_time_is_read_as_china_has_it(traded_at: str, same_as: int) -> None:
    assert ask(changed(trade={"traded_at": traded_at})).trade.traded_at == same_as


@pytest.mark.parametrize(
    ("part", "members", "pointer", "rule"),
    [
        ("claimant", {"speed": 1}, "/claimant/speed", "extra_forbidden"),
        ("claimant", {"kind": "bank"}, "/claimant/kind", "literal_error"),
        ("claimant", {"in_zone": "yes"}, "/claimant/in_zone", "bool_type"),
        ("claimant", {"in_zone": 1}, "/claimant/in_zone", "bool_type"),
        ("claimant", {"uscc": "91410100MA40000010"}, "/claimant/uscc", "uscc"),
        ("claimant", {"region": "4101"}, "/claimant/region", "string_pattern_mismatch"),
        ("claimant", {"settled_in_zone_on": "2025-02-30"}, "/claimant/settled_in_zone_on", "day"),
        ("claimant", {"settled_in_zone_on": "20250228"}, "/claimant/settled_in_zone_on", "day"),
        ("claimant", {"settled_in_zone_on": "2025-W01-1"}, "/claimant/settled_in_zone_on", "day"),
        ("claimant", {"controller": "\ud800"}, "/claimant/controller", "string_unicode"),
        ("claimant", {"leads_project": "city"}, "/claimant/leads_project", "literal_error"),
        ("claimant", {"agreement_rate_bps": 10_001}, "/claimant/agreement_rate_bps", "less_than_equal"),
        ("trade", {"settled_fen": -1}, "/trade/settled_fen", "greater_than_equal"),
        ("trade", {"settled_fen": 1.5}, "/trade/settled_fen", "int_type"),
        ("trade", {"settled_fen": "100"}, "/trade/settled_fen", "int_type"),
        ("trade", {"settled_fen": 2**48}, "/trade/settled_fen", "less_than"),
        ("trade", {"traded_at": "tomorrow"}, "/trade/traded_at", "instant"),
        ("trade", {"traded_at": True}, "/trade/traded_at", "int_type"),
        ("trade", {"traded_at": "9999-12-31"}, "/trade/traded_at", "less_than"),
        ("trade", {"supplier": {"name": "x"}}, "/trade/supplier/name", "extra_forbidden"),
        ("trade", {"supplier": None}, "/trade/supplier", "model_type"),
        ("used", {"entity_period_fen": "0"}, "/used/entity_period_fen", "int_type"),
    ],
)
def test_a_member_that_breaks_a_rule_is_named_with_it(
    part: str, members: dict[str, Any], pointer: str, rule: str
) -> None:
    with pytest.raises(QuestionError) as refused:
        ask(changed(**{part: members}))
    assert [(one["pointer"], one["rule"]) for one in refused.value.errors] == [(pointer, rule)]


def test_the_best_of_all_policies_is_taken_and_said() -> None:
    claimant = {"kind": "enterprise", "region": "410100", "in_zone": True, "large_model_filed": True}
    trade = {"contract_signed_on": "2024-06-01", "settled_fen": 100_0000_00, "contract_fen": 100_0000_00}
    supplier = {"region": "410100", "controller": None, "listed": False}
    question = ask(changed(claimant=claimant, trade={**trade, "supplier": supplier}))
    choice = best_of([compiled(content) for content in shipped().values()], question)
    gives = {one.policy: one.subsidy_fen for one in (choice.best, *choice.runners_up) if one.subsidy_fen}
    # E-Town 30 % of 100万, Zhengzhou as much, Yangzhou 20 %, Beijing 20 %
    assert gives == {
        "beijing-etown": 30_0000_00,
        "zhengzhou-htz": 30_0000_00,
        "beijing-2023": 20_0000_00,
        "yangzhou": 20_0000_00,
    }
    assert choice.best.policy == "beijing-etown"
    assert choice.best.reasons[0].code == "higher_policy"
    assert "zhengzhou-htz ¥300,000.00" in choice.best.reasons[0].text_en
    assert len(choice.runners_up) == len(shipped()) - 1


def test_a_better_policy_that_cannot_be_decided_is_named() -> None:
    question = changed(trade={"settled_fen": 100_0000_00})
    del question["claimant"]["revenue_prior_year_fen"]
    choice = best_of([compiled(shipped()[name]) for name in ("zhengzhou-htz", "yangzhou")], ask(question))
    assert choice.best.policy == "yangzhou"
    assert choice.best.reasons[-1] == (
        "undecided",
        "资料不足,未能比较:zhengzhou-htz",
        "Not compared, as too little is known: zhengzhou-htz",
    )


def test_where_no_policy_pays_the_answer_says_so() -> None:
    choice = best_of([compiled(one) for one in shipped().values()], ask(changed(claimant={"dishonest": True})))
    assert (choice.best.policy, choice.best.eligible, choice.best.subsidy_fen) == ("all", False, 0)
    assert [one.code for one in choice.best.reasons] == ["no_policy"]
    nothing = best_of([compiled(one) for one in shipped().values()], ask({"claimant": {}, "trade": {}}))
    assert (nothing.best.eligible, nothing.best.subsidy_fen) == (None, None)


def test_where_sources_contradict_each_other_the_other_reading_is_a_field_away() -> None:
    """Beijing: rent incurred or contract value; any supplier or listed ones."""
    question = next(case.question for case in GOLDEN if case.policy == "beijing-2023")
    file = shipped()["beijing-2023"].decode()
    by_contract = file.replace("    basis: rent_incurred", "    basis: contract_value")
    listed = file.replace("scope: {excluded_items", "scope: {suppliers: listed, excluded_items")
    assert file not in (by_contract, listed)
    got = quote(compiled(by_contract.encode()), ask(question))
    assert got.subsidy_fen == 60_0000_00  # 300万 of contract × 20 %
    refused = quote(compiled(listed.encode()), ask(question))
    assert [one.code for one in refused.reasons] == ["supplier_not_listed"]
