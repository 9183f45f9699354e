"""A draft against past trades, by figures worked out by hand."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from app.commands.policy import cli
from app.policies.compiled import compiled
from app.policies.files import shipped
from app.policies.question import ask
from app.policies.simulation import in_order, simulate

WAN = 10_000 * 100


def line(who: str, day: int, settled_wan: int, **claimant: Any) -> dict[str, Any]:
    """A trade of a large-model enterprise on a day of 2025."""
    known = {"kind": "enterprise", "large_model_filed": True, "controller": None, "dishonest": False}
    trade = {
        "kind": "compute",
        "compute_type": "intelligent",
        "domestic_chip": False,
        "settled_fen": settled_wan * WAN,
        "contract_fen": settled_wan * WAN,
        "contract_signed_on": "2025-01-01",
        "traded_at": f"{date(2025, 1, 1) + timedelta(days=day)}T10:00:00+08:00",
        "platform": None,
        "supplier": {"region": "110000", "controller": None},
        "price_fair": True,
        "other_support_fen": 0,
    }
    return {"claimant": {"uscc": who, "tax_blacklisted": False, **known, **claimant}, "trade": trade}


FIRST, SECOND = "91410100MA4000001N", "91410100MA4000002R"
TRADES = [
    line(SECOND, 40, 500),
    line(FIRST, 0, 900),
    line(FIRST, 31, 300),
    line(SECOND, 45, 900),
    line(FIRST, 50, 10, large_model_filed=False),
    line(FIRST, 51, 10, dishonest=None),
]


def draft(budget_wan: int) -> bytes:
    """Beijing's policy with a budget for 2025."""
    content = yaml.safe_load(shipped()["beijing-2023"])
    content["version"] = 2
    content["programmes"][0]["budgets"] = [{"amount_fen": budget_wan * WAN}]
    return yaml.safe_dump(content, allow_unicode=True).encode()


def test_who_gains_what_it_costs_and_when_the_money_is_used_up() -> None:
    asked = in_order(ask(one) for one in TRADES)
    # 20 % of 900 is 180; of 300 it is 60, of which the cap of 200 leaves 20; of 500 it is 100; of 900 it is 180, of
    # which the cap leaves 100.
    current = simulate(compiled(shipped()["beijing-2023"]), asked)
    assert (current.cost_fen, current.paid, current.refused, current.undecided) == (400 * WAN, 4, 1, 1)
    assert current.by_claimant == {FIRST: 200 * WAN, SECOND: 200 * WAN}
    assert current.by_month == {"2025-01": 180 * WAN, "2025-02": 220 * WAN}
    assert (current.refusals, current.missing) == ({"no_tier": 1}, {"claimant.dishonest": 1})
    # With 250 in all: 180, 20, and 50 of the 100; then nothing of the 150 that the cap leaves.
    short = simulate(compiled(draft(250)), asked)
    (use,) = short.budgets
    assert (short.cost_fen, use.unpaid_fen) == (250 * WAN, (50 + 150) * WAN)
    assert use.exhausted_at == asked[2].trade.traded_at
    assert short.refusals == {"no_tier": 1, "limited_by_budget": 1}


def test_the_command_compares_a_draft_with_the_version_that_ships(tmp_path: Path) -> None:
    trades, file = tmp_path / "trades.ndjson", tmp_path / "draft.yaml"
    trades.write_text("\n".join(json.dumps(one) for one in TRADES))
    file.write_bytes(draft(250))
    command = ["simulate", str(file), "--trades", str(trades)]
    told = json.loads(CliRunner().invoke(cli, [*command, "--json"]).stdout)
    assert (told["draft"]["cost_fen"], told["current"]["cost_fen"]) == (250 * WAN, 400 * WAN)
    shown = CliRunner().invoke(cli, command, env={"COLUMNS": "110"}).stdout
    for text in ("¥2,500,000.00", "2025-02-10", "0 get more, 1 get less, 1 the same", "█"):
        assert text in shown
    trades.write_text('{"claimant": {}}\n')
    refused = CliRunner().invoke(cli, command)
    assert (refused.exit_code, "line 1" in refused.output) == (1, True)
