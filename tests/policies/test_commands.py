"""`suanquan policy` and `suanquan quote`, as a user runs them."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.commands import policy as policy_commands
from app.commands import quote as quote_command
from app.policies.files import FOLDER, shipped

from .golden_cases import cases

CASE = next(case for case in cases() if case.policy == "zhengzhou-htz" and case.name == "29万 used this year")


def run(cli: Any, *arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments])


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The parts of a question as files."""
    found = {}
    for part, content in CASE.question.items():
        found[part] = tmp_path / f"{part}.json"
        found[part].write_text(json.dumps(content, ensure_ascii=False))
    return found


def quoted(files: dict[str, Path], *arguments: object) -> Result:
    options = [item for part, path in files.items() for item in (f"--{part}", path)]
    return run(quote_command.cli, *arguments, *options, "--json")


@pytest.mark.parametrize("which", ["zhengzhou-htz", FOLDER / "zhengzhou-htz.yaml"])
def test_quote_prints_one_json_object(files: dict[str, Path], which: object) -> None:
    result = quoted(files, which)
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert (answer["policy"], answer["subsidy_fen"], answer["limited_by"]) == ("zhengzhou-htz", 1_0000_00, "period_cap")


def test_quote_of_all_policies_says_which_is_best_and_what_the_others_give(files: dict[str, Path]) -> None:
    for arguments in (["all"], ["--policy", "all"]):
        answer = json.loads(quoted(files, *arguments).stdout)
        # E-Town: 30 % of 10万; Zhengzhou has 1万 left
        assert (answer["policy"], answer["subsidy_fen"]) == ("beijing-etown", 3_0000_00)
        assert {one["policy"] for one in answer["runners_up"]} == set(shipped()) - {"beijing-etown"}
        assert answer["reasons"][0]["code"] == "higher_policy"


@pytest.mark.parametrize(
    ("part", "content", "told"),
    [
        ("claimant", '{"speed": 1}', "/claimant/speed: Extra inputs are not permitted (rule extra_forbidden)"),
        ("trade", '{"settled_fen": "1"}', "/trade/settled_fen: Input should be a valid integer (rule int_type)"),
        ("trade", "[]", "not a JSON object"),
        ("trade", "{", "not JSON"),
        ("trade", "[" * 100_000, "not JSON"),
        ("used", '{"entity_period_fen": -1}', "/used/entity_period_fen"),
    ],
)
def test_a_bad_question_ends_with_status_1_and_names_field_and_rule(
    files: dict[str, Path], part: str, content: str, told: str
) -> None:
    files[part].write_text(content)
    result = quoted(files, "zhengzhou-htz")
    assert result.exit_code == 1
    assert told in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_an_unknown_policy_ends_with_status_1(files: dict[str, Path]) -> None:
    for arguments in (["atlantis"], [], ["guizhou", "--policy", "qingdao"]):
        assert quoted(files, *arguments).exit_code == 1


def test_check_reads_all_shipped_files_and_refuses_a_bad_one(tmp_path: Path) -> None:
    good = run(policy_commands.cli, "check", *sorted(FOLDER.glob("*.yaml")), "--json")
    assert good.exit_code == 0
    assert [one["policy"] for one in json.loads(good.stdout)] == sorted(shipped())
    bad = tmp_path / "bad.yaml"
    bad.write_text(shipped()["guizhou"].decode().replace("claimant.kind != 'maker'", "claimant.kind != 7"))
    refused = run(policy_commands.cli, "check", bad, "--json")
    assert refused.exit_code == 1
    assert "programmes.0.tiers.0.when" in json.loads(refused.stdout)[0]["error"]


def test_diff_says_what_changed_and_its_status_whether(tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(shipped()["guizhou"].decode().replace("kind: data, rate_bps: 2000", "kind: data, rate_bps: 2500"))
    result = run(policy_commands.cli, "diff", "guizhou", new)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "rules:",
        "  ~ programmes.vouchers.tiers.organisation.rates.data.rate_bps: 20% → 25%",
    ]
    assert run(policy_commands.cli, "diff", "guizhou", "guizhou").exit_code == 0


def test_explain_tells_both_languages(tmp_path: Path) -> None:
    told = run(policy_commands.cli, "explain", "beijing-2023").stdout
    assert "实际发生租金的 20%" in told
    assert "20% of the rent incurred" in told
    assert "算例" in told
    assert "Worked example" in told
    only = run(policy_commands.cli, "explain", "beijing-2023", "--lang", "zh").stdout
    assert "Worked example" not in only


def test_publish_needs_a_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUANQUAN_DATA_DIR", str(tmp_path))
    result = run(policy_commands.cli, "publish", "chengdu")
    assert result.exit_code == 1
    assert "suanquan serve" in result.stderr
