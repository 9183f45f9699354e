"""The `suanquan` command."""

import json
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import uvicorn
from rich.console import Console
from rich.markup import escape

from app.indexer.digest import projection_digest
from app.indexer.indexer import Indexer
from app.main import create_app
from app.migrate import upgrade
from app.programmes.policy import PolicyError, parse, shipped
from app.runtime import NotDeployed, Runtime
from app.secret_file import write_secret
from app.settings import Settings
from chain.keys import KeystoreError
from chain.node import DataFolderError, EmbeddedNode
from chain.rpc import RpcUnavailable
from chain.verify import verify_file

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Suanquan 算券: trusted compute vouchers.")
policy_commands = typer.Typer(no_args_is_help=True, help="Policy files.")
cli.add_typer(policy_commands, name="policy")
screen = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@cli.command()
def serve() -> None:
    """Starts the service: gateway, relay, indexer and, unless CHAIN_URL names a node, an embedded chain."""
    # uvicorn ends its server on SIGTERM and raises the signal again; as an exception it ends the workers in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = Settings()
    with Runtime(settings) as runtime:
        runtime.start_workers()
        listener = socket.create_server((settings.host, settings.port))
        url = f"http://{settings.host}:{listener.getsockname()[1]}"
        ready = settings.data_dir / "service.json"
        write_secret(ready, {"pid": os.getpid(), "url": url, "node_url": runtime.node_url})
        screen.print(f"[bold]Suanquan 算券[/bold] {url}  ·  {url}/docs  ·  chain {runtime.node_url}")
        screen.print(f"API keys: {settings.data_dir / 'api-keys.json'}  ·  Ctrl-C ends it")
        config = uvicorn.Config(create_app(runtime.gateway), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])
        ready.unlink(missing_ok=True)


@cli.command()
def node(port: Annotated[int, typer.Option(min=0, max=65535)] = 8545) -> None:
    """Runs the embedded chain alone, on its folder in the data directory."""
    settings = Settings()
    with EmbeddedNode(settings.data_dir / "chain", chain_id=settings.chain_id, port=port) as running:
        screen.print(f"chain {settings.chain_id} at {running.url}  ·  Ctrl-C ends it")
        done = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: done.set())
        signal.signal(signal.SIGINT, lambda *_: done.set())
        done.wait()


@cli.command()
def deploy(as_json: AsJson = False) -> None:
    """Deploys the contracts on the chain that CHAIN_URL names; goes on where it was interrupted, never twice."""
    with Runtime(Settings(), deploys=True) as runtime:
        contracts = runtime.gateway.contracts.to_dict()
        if as_json:
            print(json.dumps(contracts))
        else:
            for name, value in contracts.items():
                screen.print(f"{name:10} {value}")


@cli.command()
def migrate() -> None:
    """Brings the database of DATABASE_URL to the present schema."""
    upgrade(Settings().database_url)


@cli.command()
def verify(
    bundle: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    rpc: Annotated[str | None, typer.Option(metavar="URL", help="A node that you trust; without it, offline.")] = None,
    as_json: AsJson = False,
) -> None:
    """Checks a proof bundle; needs no service and no database. Exit status 0 only if every step holds."""
    report = verify_file(bundle, rpc)
    if as_json:
        print(json.dumps({"ok": report.ok, **msgspec.to_builtins(report)}))
    else:
        for step in report.steps:
            mark = "[green]✓[/green]" if step.ok else "[red]✗[/red]"
            screen.print(f"{mark} {step.name}: {escape(step.detail)}", highlight=False)
        for block in report.trust:
            screen.print(f"left to trust: block {block.number} is {block.hash}", highlight=False)
    raise typer.Exit(0 if report.ok else 1)


@cli.command()
def index(
    rebuild: Annotated[bool, typer.Option(help="Drop the projection and build it anew from the chain.")] = False,
    as_json: AsJson = False,
) -> None:
    """Brings the projection to the chain's head, and prints the digest of its rows."""
    with Runtime(Settings()) as runtime:
        gateway = runtime.gateway
        indexer = Indexer(gateway.sessions, gateway.rpc, gateway.contracts, gateway.start_block)
        if rebuild:
            indexer.rebuild()
        while indexer.step():
            pass
        with gateway.sessions() as session:
            result = {"block": indexer.block_number, "row_digest": projection_digest(session)}
    if as_json:
        print(json.dumps(result))
    else:
        screen.print(f"block {result['block']}, rows {result['row_digest']}", highlight=False)


@policy_commands.command("check")
def policy_check(files: list[Path]) -> None:
    """Reads policy files strictly and says what is wrong."""
    bad = 0
    for file in files:
        try:
            policy = parse(file.read_bytes())
        except (PolicyError, OSError) as error:
            screen.print(f"[red]{file}[/red]: {error}")
            bad += 1
        else:
            screen.print(f"[green]{file}[/green]: {policy.policy} version {policy.version}, {len(policy.tiers)} tiers")
    raise typer.Exit(1 if bad else 0)


@policy_commands.command("list")
def policy_list() -> None:
    """The policies that ship with the product."""
    for name, content in shipped().items():
        policy = parse(content)
        print(f"{name}  {policy.title.zh}  {policy.title.en}")


def main() -> None:
    """Entry point: what goes wrong is told in one line that says what to do."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        cli()
    except (DataFolderError, KeystoreError, NotDeployed, RpcUnavailable, OSError) as error:
        screen.print(f"[red]{error}[/red]")
        sys.exit(1)


if __name__ == "__main__":
    main()
