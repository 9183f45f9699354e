"""`suanquan policy simulate`."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.table import Table

from app.commands.policy_files import Which, read
from app.commands.screen import AsJson, told
from app.policies.compiled import compiled
from app.policies.files import PolicyError, shipped
from app.policies.question import Question, QuestionError, ask
from app.policies.simulation import Simulation, in_order, simulate
from app.policies.terms import CHINA
from app.policies.wording import yuan

SHOWN = 10
"""Organisations that are listed."""
BAR = "draft, then current"
"""Heading of the column of bars, which takes the room that is left."""


class TradesError(Exception):
    """A file of trades that cannot be read; the text names the line."""


def simulate_policy(
    draft: Which,
    trades: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help='Past trades, a question of `suanquan quote` in each line: {"claimant": {...}, "trade": {...}}.',
        ),
    ],
    against: Annotated[
        str, typer.Option(metavar="POLICY", help="What to compare with; else the shipped version, if it is another.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """What a draft would have paid for past trades: who gains, what it costs, when the money is used up."""
    with told(PolicyError, QuestionError, TradesError):
        content = read(draft)
        policy = compiled(content)
        current = read(against) if against else shipped().get(policy.policy.policy)
        asked = in_order(questions(trades))
        result = simulate(policy, asked)
        before = None if current in (None, content) else simulate(compiled(bytes(current or b"")), asked)
    if as_json:
        members = {"draft": result.to_dict(), "current": before.to_dict() if before else None}
        print(json.dumps(members, ensure_ascii=False))
        return
    Console(highlight=False).print(report(result, before))


def questions(path: Path) -> Iterator[Question]:
    """The questions of an NDJSON file.

    Raises:
        TradesError: A line is no question.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                content = msgspec.json.decode(line, type=dict)
                yield ask(content)
            except (msgspec.DecodeError, QuestionError, UnicodeDecodeError) as error:
                raise TradesError(f"{path}, line {number}: {error}") from error


def report(result: Simulation, before: Simulation | None) -> RenderableType:
    """All of it for people."""
    parts: list[RenderableType] = [_totals(result, before), _months(result, before), _budgets(result)]
    parts += [_tiers(result, before), _claimants(result, before)]
    if result.missing:
        told_fields = ", ".join(f"{name} ({count})" for name, count in result.missing.most_common(5))
        parts.append(f"undecided for want of: {told_fields}")
    if result.refusals:
        told_codes = ", ".join(f"{name} ({count})" for name, count in result.refusals.most_common(5))
        parts.append(f"not paid: {told_codes}")
    return Group(*parts)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="left" if name in ("", BAR) else "right", no_wrap=name != BAR)
    return table


def _totals(result: Simulation, before: Simulation | None) -> Table:
    both = [one for one in (result, before) if one is not None]
    table = _table("Outcome", "", *(f"{one.policy} version {one.version}" for one in both))
    for name in ("trades", "paid", "refused", "undecided"):
        table.add_row(name, *(str(getattr(one, name)) for one in both))
    table.add_row("organisations that gain", *(str(len(one.by_claimant)) for one in both))
    table.add_row("cost", *(yuan(one.cost_fen) for one in both))
    return table


def _months(result: Simulation, before: Simulation | None) -> Table:
    """The chart: cost by month as bars, with the sum so far."""
    table = _table("Cost by month", "", "draft", "sum", *(["current"] if before else []), BAR)
    months = sorted(result.by_month.keys() | (before.by_month.keys() if before else set()))
    most = max([1, *result.by_month.values(), *(before.by_month.values() if before else ())])
    total = 0
    for month in months:
        fen = result.by_month[month]
        total += fen
        cells: list[RenderableType] = [month, yuan(fen), yuan(total)]
        bars: list[RenderableType] = [Bar(most, 0, fen, color="green")]
        if before:
            cells.append(yuan(before.by_month[month]))
            bars.append(Bar(most, 0, before.by_month[month], color="grey50"))
        table.add_row(*cells, Group(*bars))
    return table


def _budgets(result: Simulation) -> Table:
    table = _table("Budgets of the draft", "", "budget", "paid", "used up by", "not paid for want of it")
    for one in result.budgets:
        moment = None if one.exhausted_at is None else datetime.fromtimestamp(one.exhausted_at, CHINA)
        table.add_row(
            f"{one.programme} {one.index}",
            "none stated" if one.budget_fen is None else yuan(one.budget_fen),
            yuan(one.paid_fen),
            "-" if moment is None else moment.strftime("%Y-%m-%d"),
            yuan(one.unpaid_fen) if one.unpaid_fen else "-",
        )
    return table


def _tiers(result: Simulation, before: Simulation | None) -> Table:
    table = _table("By tier", "", "organisations", "draft", *(["current"] if before else []))
    names = dict.fromkeys([*(name for name, _ in result.by_tier.most_common()), *(before.by_tier if before else ())])
    for name in names:
        current = [yuan(before.by_tier[name])] if before else []
        table.add_row(name, str(len(result.tier_claimants[name])), yuan(result.by_tier[name]), *current)
    return table


def _claimants(result: Simulation, before: Simulation | None) -> Table:
    """Who gains most; beside another version, whose amount changes most."""
    if before is None:
        table = _table("Who gains most", "", "draft")
        for name, fen in result.by_claimant.most_common(SHOWN):
            table.add_row(name, yuan(fen))
        return table
    table = _table("Whose subsidy changes most", "", "draft", "current", "change")
    names = result.by_claimant.keys() | before.by_claimant.keys()
    changes = {name: result.by_claimant[name] - before.by_claimant[name] for name in names}
    for name in sorted(names, key=lambda one: (-abs(changes[one]), one))[:SHOWN]:
        if changes[name]:
            sign = "+" if changes[name] > 0 else "-"
            table.add_row(
                name, yuan(result.by_claimant[name]), yuan(before.by_claimant[name]), sign + yuan(abs(changes[name]))
            )
    more = sum(1 for change in changes.values() if change > 0)
    less = sum(1 for change in changes.values() if change < 0)
    table.caption = f"{more} get more, {less} get less, {len(names) - more - less} the same"
    table.caption_justify = "left"
    return table
