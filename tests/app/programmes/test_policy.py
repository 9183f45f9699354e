"""Policy files: read strictly, and meaning what domain.md says."""

from datetime import date

import pytest
import yaml

from app.programmes.policy import NO_CAP, PolicyError, day_end, day_start, parse, shipped

STAGES = [["0x" + "11" * 20], ["0x" + "22" * 20]]


def changed(**changes: object) -> bytes:
    """The Zhengzhou file with members changed."""
    content = yaml.safe_load(shipped()["zhengzhou-htz"])
    return yaml.safe_dump({**content, **changes}, allow_unicode=True).encode()


def test_zhengzhou_is_what_the_articles_say() -> None:
    policy = parse(shipped()["zhengzhou-htz"])
    terms = policy.terms(bytes(32), "", STAGES)
    intelligent, general = 2 * 2, 1 * 2
    figures = {
        tier["name"].rstrip(b"\0").decode(): (tier["rateBps"][intelligent], tier["periodCapFen"], tier["totalCapFen"])
        for tier in terms["tiers"]
    }
    assert figures == {
        "enterprise_in_zone": (3000, 30_0000_00, NO_CAP),
        "enterprise_in_zone_small": (1500, 30_0000_00, NO_CAP),
        "research_institute": (3000, 20_0000_00, NO_CAP),
        "university": (3000, 100_0000_00, NO_CAP),
        "university_double_first": (3000, 200_0000_00, NO_CAP),
        "large_model_enterprise": (3000, 100_0000_00, NO_CAP),
        "enterprise_out_of_zone": (300, NO_CAP, 3_0000_00),
        "newly_settled": (3000, 30_0000_00, NO_CAP),
    }
    assert all(tier["rateBps"][general] == 0 for tier in terms["tiers"])
    assert terms["budgetsFen"] == [5000_0000_00]
    assert terms["inTradeOrder"]
    assert terms["tradeBeforeIssue"]
    assert terms["platformsListed"]
    assert not terms["suppliersListed"]


def test_periods_are_calendar_years_of_china_time_within_the_policy() -> None:
    periods = parse(shipped()["zhengzhou-htz"]).terms(bytes(32), "", STAGES)["periods"]
    assert periods[0]["startsAt"] == 1_714_233_600  # 2024-04-28 00:00 +08:00
    assert periods[-1]["endsAt"] == 1_808_841_600  # 2027-04-28 00:00 +08:00
    assert [q["startsAt"] for q in periods[1:]] == [q["endsAt"] for q in periods[:-1]]


def test_a_day_lasts_from_midnight_to_midnight_in_china() -> None:
    assert day_start(date(1970, 1, 1)) == -8 * 3600
    assert day_end(date(1970, 1, 1)) - day_start(date(1970, 1, 1)) == 86_400


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"speed": 1}, "speed"),
        ({"group": 0}, "group"),
        ({"support_ceiling_bps": 10_001}, "support_ceiling_bps"),
        ({"basis": "wish"}, "basis"),
        ({"tiers": []}, "tiers"),
        ({"periods": [{"from": "2025-01-01", "to": "2024-01-01", "budget": 0}]}, "periods.0"),
        ({"periods": [{"from": "2025-01-01", "to": "2025-12-31", "budget": 1}]}, "periods.0.budget"),
        (
            {
                "periods": [
                    {"from": "2025-01-01", "to": "2025-12-31", "budget": 0},
                    {"from": "2025-12-31", "to": "2026-12-31", "budget": 0},
                ]
            },
            "periods.1.from",
        ),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_by_name(changes: dict[str, object], told: str) -> None:
    with pytest.raises(PolicyError, match=told.replace(".", r"\.")):
        parse(changed(**changes))


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\x00", b"just text", b"!!python/object/apply:os.getcwd []"])
def test_rubbish_is_refused(content: bytes) -> None:
    with pytest.raises(PolicyError):
        parse(content)
