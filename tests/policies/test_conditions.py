"""Conditions: typed, bounded, and with three answers."""

import pytest

from app.policies.conditions import MAX_LENGTH, ConditionError, Facts, compile_condition

IN_ZONE = "claimant.in_zone"
LARGE = "claimant.revenue_prior_year_fen >= 300000000"


@pytest.mark.parametrize(
    ("text", "facts", "holds"),
    [
        (f"{IN_ZONE} && {LARGE}", {IN_ZONE: True, "claimant.revenue_prior_year_fen": 300_000_000}, True),
        (f"{IN_ZONE} && {LARGE}", {IN_ZONE: True, "claimant.revenue_prior_year_fen": 299_999_999}, False),
        (f"{IN_ZONE} && {LARGE}", {IN_ZONE: True}, None),
        (f"{LARGE} && {IN_ZONE}", {IN_ZONE: False}, False),
        (f"{LARGE} || {IN_ZONE}", {IN_ZONE: True}, True),
        (f"{LARGE} || {IN_ZONE}", {IN_ZONE: False}, None),
        (f"!{IN_ZONE}", {}, None),
        ("claimant.region.startsWith('3702')", {"claimant.region": "370202"}, True),
        ("claimant.kind in ['maker', 'university']", {"claimant.kind": "enterprise"}, False),
    ],
)
def test_what_is_missing_makes_the_answer_unknown_only_where_it_matters(
    text: str, facts: dict[str, object], holds: bool | None
) -> None:
    assert compile_condition(text).holds(Facts(facts)) is holds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("claimant.kind == 3", "no matching overload"),
        ("claimant.in_zone + 1 > 0", "no matching overload"),
        ("claimant.speed > 1", "undeclared reference"),
        ("env.HOME == ''", "undeclared reference"),
        ("claimant.revenue_prior_year_fen", "is of type INT, not bool"),
        ("claimant.in_zone &&", "Syntax error"),
        ("", "Syntax error"),
        ("[1, 2].exists(x, x > 1)", "exists is not allowed"),
        ("claimant.region.matches('(a+)+$')", "matches is not allowed"),
        ("!" * (MAX_LENGTH + 1), f"at most {MAX_LENGTH} characters"),
        ("(" * 240 + "true" + ")" * 240, "recursion limit"),
    ],
)
def test_an_expression_that_cannot_be_trusted_is_refused_when_it_is_read(text: str, told: str) -> None:
    with pytest.raises(ConditionError, match=told):
        compile_condition(text)
