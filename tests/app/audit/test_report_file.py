"""An exported report against the chain: one altered figure is named, with or without digests made to fit."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from app.audit.clean import clean_projection
from app.audit.findings import Finding, Findings
from app.audit.reading import header_at
from app.audit.report_file import ReportError, ReportFile
from app.commands.audit import cli
from app.reports.catalogue import REPORTS
from app.reports.digest import chain_sha256, rows_sha256
from app.reports.export import Export
from app.reports.point import newest, parked_events
from app.reports.question import Question, Reading
from chain.headers import Header, head_number

from .conftest import Audited


@pytest.fixture(scope="module")
def projection(audited: Audited) -> Iterator[tuple[Header, Session]]:
    """The newest block, and a projection up to it."""
    world = audited.world
    last = header_at(world.rpc, head_number(world.rpc))
    clean = clean_projection(world.rpc, world.contracts, world.start_block, last)
    with clean as make, make() as session:
        yield last, session


def _exported(audited: Audited, projection: tuple[Header, Session], name: str, question: Question) -> dict[str, Any]:
    last, session = projection
    contracts, report = audited.world.contracts, REPORTS[name]
    point = newest(session, contracts)
    table = report.read(Reading(session, question, point))
    assert point.block_number == last.number
    return Export(report, question, contracts, point, parked_events(session, point), table).to_dict()


def _check(
    audited: Audited, projection: tuple[Header, Session], content: dict[str, Any], path: Path
) -> tuple[int, list[Finding]]:
    last, session = projection
    path.write_text(json.dumps(content))
    findings, contracts = Findings(), audited.world.contracts
    figures = ReportFile(path).check(audited.world.rpc, contracts, last, session, findings)
    return figures, findings.kept


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("overview", Question()),
        ("overview", Question(dimension="tiers", programme_id=1)),
        ("flows", Question(by="day")),
        ("budgets", Question()),
        ("suppliers", Question()),
        ("concentration", Question()),
    ],
)
def test_what_was_exported_agrees(
    audited: Audited, projection: tuple[Header, Session], tmp_path: Path, name: str, question: Question
) -> None:
    figures, found = _check(audited, projection, _exported(audited, projection, name, question), tmp_path / "r.json")
    assert found == []
    assert figures > 0


def _raise_figure(content: dict[str, Any]) -> None:
    content["rows"][0]["redeemed_fen"] += 1


def _drop_row(content: dict[str, Any]) -> None:
    del content["rows"][0]


def _call_it_the_services(content: dict[str, Any]) -> None:
    next(one for one in content["columns"] if one["name"] == "redeemed_fen")["source"] = "service"
    content["rows"][0]["redeemed_fen"] += 1


@pytest.mark.parametrize("change", [_raise_figure, _drop_row, _call_it_the_services])
@pytest.mark.parametrize("fitting", [False, True])
def test_one_altered_figure_is_named(
    audited: Audited,
    projection: tuple[Header, Session],
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    fitting: bool,
) -> None:
    content = _exported(audited, projection, "overview", Question())
    redeemed_fen = content["rows"][0]["redeemed_fen"]
    change(content)
    if fitting:
        content["anchor"]["rows_sha256"] = rows_sha256(content["rows"])
        content["anchor"]["chain_sha256"] = chain_sha256(content["columns"], content["rows"])
        content["totals"] = {name: sum(row[name] or 0 for row in content["rows"]) for name in content["totals"]}
    _, found = _check(audited, projection, content, tmp_path / "report.json")
    figure = [one for one in found if one.subject == "report.json: redeemed_fen of programme_id 1"]
    assert [one.expected for one in figure] == [redeemed_fen]
    assert [one.found for one in figure] == [0 if change is _drop_row else redeemed_fen + 1]
    assert any("digest of its rows" in one.subject for one in found) is not fitting


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    for content in ("", "[]", '{"format": "suanquan.report/9"}', '{"format": "suanquan.report/1"}'):
        path.write_text(content)
        with pytest.raises(ReportError, match=r"report\.json"):
            ReportFile(path)


def test_the_command_names_the_figure_too(
    audited: Audited, projection: tuple[Header, Session], node_url: str, tmp_path: Path
) -> None:
    content = _exported(audited, projection, "overview", Question())
    content["rows"][0]["issued_fen"] += 1
    (tmp_path / "report.json").write_text(json.dumps(content))
    arguments = ["--rpc", node_url, "--report", str(tmp_path / "report.json"), "--policies", str(audited.texts)]
    result = CliRunner().invoke(cli, [*arguments, "--json"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["block_number"] == content["anchor"]["block_number"]
    assert answer["report_figures_compared"] > 10
    subjects = [one["subject"] for one in answer["told"] if one["rule"] == "report"]
    assert "report.json: issued_fen of programme_id 1" in subjects
