"""Plays the story and prints it; with `--json` the last line is one object that holds what came of it."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts._demo.audit import audit
from scripts._demo.platform import Platform
from scripts._demo.service import DemoError, Service, end_leftover
from scripts._demo.story import Story, yuan
from scripts._demo.texts import texts
from scripts._demo.trades import tasks
from scripts._demo.year import Year, show_year

FOLDER = Path(".suanquan/demo")


def main() -> int:
    """Runs the demo; 0 if every step went as it should."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description="The whole voucher story on this machine.")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--trace", type=Path, metavar="FILE.csv", help="make the trades from a public GPU trace")
    parser.add_argument(
        "--year", action="store_true", help="a year of the trace under three policies at once; needs --trace"
    )
    parser.add_argument("--language", choices=("zh", "en"), help="default: that of the locale")
    parser.add_argument("--data-dir", type=Path, default=FOLDER, help=f"made anew at each run; default {FOLDER}")
    options = parser.parse_args()
    if options.year and options.trace is None:
        parser.error("--year needs --trace FILE.csv, a GPU trace in the openb format")

    screen = Console(stderr=options.json, width=None if sys.stdout.isatty() else 112)
    say = texts(options.language)
    began = time.monotonic()

    def tell(step: str, **values: object) -> None:
        line = say[step].format(**values)
        screen.print(f"[dim]{time.monotonic() - began:5.1f} s[/dim]  {line}", highlight=False, soft_wrap=True)

    folder: Path = options.data_dir
    end_leftover(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    service = Service(folder)
    screen.rule(say["title"])
    try:
        if options.year:
            facts = _play_year(service, options.trace, began, screen)
        else:
            facts = _play(service, options.trace, tell, lambda story: _show(story, say, screen)).facts
    except DemoError as error:
        screen.print(f"[red]{error}[/red]")
        return 1
    finally:
        service.kill()
    facts["seconds"] = round(time.monotonic() - began, 1)
    tell("done", seconds=facts["seconds"], path=folder)
    if options.json:
        print(json.dumps(facts, ensure_ascii=False))
    return 0


def _play(service: Service, trace: Path | None, tell: Callable[..., None], show: Callable[[Story], None]) -> Story:
    service.start()
    tell("start")
    story = Story(service, tell)
    platform = Platform(service)
    story.facts["contracts"] = service.get("/v1/chain")["contracts"]
    story.publish()
    story.register(platform)
    story.issue()
    story.post_evidence(platform, tasks(trace))
    story.blacklist()
    story.claim()
    story.check_claims()
    story.write_off()
    show(story)
    story.verify(story.bundle(service.data_dir))
    story.survive()
    story.facts["budget_left_fen"] = story.budget()["available_fen"]
    story.facts["audit"] = audit(service, Path(story.facts["bundle"]))
    tell("audit", events=story.facts["audit"]["events"], rows=story.facts["audit"]["rows"])
    return story


def _play_year(service: Service, trace: Path, began: float, screen: Console) -> dict[str, Any]:
    def tell(line: str) -> None:
        screen.print(f"[dim]{time.monotonic() - began:5.1f} s[/dim]  {line}", highlight=False, soft_wrap=True)

    service.start()
    year = Year(service, tell)
    year.play(trace)
    show_year(year.facts, screen)
    return year.facts


def _show(story: Story, say: dict[str, str], screen: Console) -> None:
    """The overview as a table, and why claims were refused."""
    overview = story.report("overview", dimension="tiers")
    total = overview["totals"]
    story.facts["issued_fen"] = total["issued_fen"]
    amounts = ("issued_fen", "redeemed_fen", "written_off_fen")
    table = Table(title=f"{say['report']} · {say['block']} {overview['anchor']['block_number']}", title_justify="left")
    table.add_column(say["tier"], no_wrap=True)
    for heading in ("count", "face", "paid", "written"):
        table.add_column(say[heading], justify="right", no_wrap=True)
    for line in overview["rows"]:
        table.add_row(line["key"], str(line["issued"]), *(yuan(line[member]) for member in amounts))
    table.add_section()
    table.add_row(say["total"], str(total["issued"]), *(yuan(total[member]) for member in amounts))
    table.add_row(say["left"], "", "", "", yuan(story.budget()["available_fen"]))
    screen.print(table)
    refusals = Table()
    refusals.add_column(say["code"], no_wrap=True)
    refusals.add_column(say["claims_count"], justify="right")
    for code, count in story.facts["refused"].items():
        refusals.add_row(code, str(count))
    screen.print(refusals)


if __name__ == "__main__":
    sys.exit(main())
