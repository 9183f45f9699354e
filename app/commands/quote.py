"""`suanquan quote`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.policy_files import read
from app.commands.screen import AsJson, screen, told
from app.policies.best import ALL, best_of
from app.policies.compiled import compiled
from app.policies.files import PolicyError, shipped
from app.policies.question import QuestionError, ask
from app.policies.quote import quote as quotation
from app.policies.wording import percent, yuan

cli = typer.Typer(add_completion=False)

JsonFile = typer.Option(exists=True, dir_okay=False, readable=True)


class InputError(Exception):
    """A file that holds no JSON object."""


@cli.command()
def quote(
    policy: Annotated[str, typer.Argument(help='A policy file, the id of a shipped policy, or "all".')] = "",
    policy_option: Annotated[str, typer.Option("--policy", metavar="POLICY", help="The same.")] = "",
    *,
    claimant: Annotated[Path, JsonFile],
    trade: Annotated[Path, JsonFile],
    used: Annotated[Path | None, JsonFile] = None,
    as_json: AsJson = False,
) -> None:
    """What a trade is subsidised with, and why. Exit status 0 if there is an answer, whatever it says."""
    with told(PolicyError, QuestionError, InputError):
        which = policy or policy_option
        if not which or (policy and policy_option):
            raise InputError('name one policy: a file, a shipped policy\'s id, or "all"')
        content = {"claimant": _object(claimant), "trade": _object(trade)}
        question = ask(content if used is None else {**content, "used": _object(used)})
        if which == ALL:
            choice = best_of((compiled(one) for one in shipped().values()), question)
            answer = choice.best
            members = choice.to_dict()
        else:
            answer = quotation(compiled(read(which)), question)
            members = answer.to_dict()
    if as_json:
        print(json.dumps(members, ensure_ascii=False))
        return
    amount = "?" if answer.subsidy_fen is None else yuan(answer.subsidy_fen)
    rate = "" if answer.rate_bps is None else f", {percent(answer.rate_bps)}"
    screen.print(f"{answer.policy}: {amount} ({answer.tier or '-'}{rate})", style="bold", markup=False)
    for one in answer.reasons:
        screen.print(f"  {one.code}: {one.text_zh} / {one.text_en}", markup=False)


def _object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a JSON object")
    return content
