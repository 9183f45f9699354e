"""`suanquan policy check | list`."""

from pathlib import Path

import typer

from app.commands.screen import screen
from app.programmes.policy import PolicyError, parse, shipped

cli = typer.Typer(add_completion=False, no_args_is_help=True, help="Policy files.")


@cli.command()
def check(files: list[Path]) -> None:
    """Reads policy files strictly and says what is wrong. Exit status 0 only if all are good."""
    bad = 0
    for file in files:
        try:
            policy = parse(file.read_bytes())
        except (PolicyError, OSError) as error:
            screen.print(f"{file}: {error}", style="red", markup=False)
            bad += 1
        else:
            screen.print(f"{file}: {policy.policy} version {policy.version}, {len(policy.tiers)} tiers", style="green")
    raise typer.Exit(1 if bad else 0)


@cli.command("list")
def list_policies() -> None:
    """The policies that ship with the product."""
    for name, content in shipped().items():
        policy = parse(content)
        print(f"{name}  {policy.title.zh}  {policy.title.en}")
