"""`suanquan verify`."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from app.commands.screen import AsJson, screen, told
from chain.verify import verify_file

cli = typer.Typer(add_completion=False)


@cli.command()
def verify(
    bundle: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    rpc: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL", help="A node that you trust; again for a further anchor's chain. Without it, offline."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Checks a proof bundle; needs no service and no database. Exit status 0 only if every step holds."""
    with told(OSError, ValueError):
        report = verify_file(bundle, rpc or ())
    if as_json:
        print(json.dumps({"ok": report.ok, **msgspec.to_builtins(report)}))
    else:
        for step in report.steps:
            mark = "[green]✓[/green]" if step.ok else "[red]✗[/red]"
            screen.print(f"{mark} {step.name}: {escape(step.detail)}")
        for block in report.trust:
            screen.print(f"left to trust: block {block.number} of chain {block.chain_id} is {block.hash}")
        for block in report.further:
            screen.print(f"so does, on its own: block {block.number} of chain {block.chain_id}, {block.hash}")
    raise typer.Exit(0 if report.ok else 1)
