"""Each check on its seeded cases: who is caught and who is stopped, to the case."""

import pytest

from app.checks.rules import BY_VERSION, CODES, NEWEST, decide
from app.policies.checks import Checks
from scripts._bench.checks.cases import DRAWS, cases
from scripts._bench.checks.report import measure_checks

FIGURES = {
    "trade-real": (100, 4),
    "scope-match": (91, 0),
    "cross-region": (91, 3),
    "price-fair": (93, 1),
    "standing": (100, 0),
    "related-party": (87, 0),
    "same-trade": (100, 0),
    "stacking": (100, 0),
    "splitting": (85, 0),
    "paid": (100, 11),
    "dates": (100, 0),
    "plausible": (100, 3),
    "gap": (96, 0),
    "circular": (62, 0),
}
"""Frauds caught of 100, and honest claims stopped of 200."""


def test_each_check_finds_what_it_found_when_its_version_was_written() -> None:
    found = {row.check: (row.caught, row.disturbed) for row in measure_checks(count=300, seed=7)}
    assert found == FIGURES


def test_the_checks_are_those_of_the_domain_and_each_can_be_turned_off() -> None:
    assert set(CODES) == set(DRAWS) == {name.replace("_", "-") for name in Checks.model_fields}
    assert len(BY_VERSION) >= len(NEWEST) == 14
    off = Checks.model_validate({name: {"on": False} for name in Checks.model_fields})
    for code, rule in NEWEST.items():
        inputs, _ = next(cases(code, 1, seed=1))
        assert decide(rule, inputs, off) is None


@pytest.mark.parametrize("code", CODES)
def test_a_finding_names_its_numbers_in_both_languages_and_only_the_contracts_rules_reject(code: str) -> None:
    answers = {
        "reject": {"standing", "related-party", "scope-match", "dates", "same-trade"},
        "reduce": {"stacking"},
    }
    rule = NEWEST[code]
    for inputs, _ in cases(code, 60, seed=3):
        outcome = decide(rule, inputs, Checks())
        assert outcome is not None
        assert outcome.text_zh != outcome.text_en
        assert "{" not in outcome.text_zh + outcome.text_en
        if outcome.answer != "pass":
            expected = next((answer for answer, codes in answers.items() if code in codes), "hold")
            assert outcome.answer == expected
