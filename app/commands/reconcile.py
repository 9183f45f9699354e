"""`suanquan reconcile`."""

import json
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from app.audit.reading import ChainMoved
from app.audit.reconcile import NothingIndexed, Reconciled, reconcile
from app.commands.screen import AsJson, blocks_bar, screen, told
from app.deployment import Deployment
from app.indexer.projected import OWN, scoped
from app.settings import Settings
from chain.contracts import Contracts
from chain.logs import DeepReorganisation
from chain.rpc import RpcClient, RpcError, RpcUnavailable
from chain.sql import open_engine, sessions

cli = typer.Typer(add_completion=False)
_SHOWN = 50


class NoSuchDeployment(Exception):
    """No deployment has this number."""


@cli.command(name="reconcile")
def command(
    *,
    rpc: Annotated[
        str | None, typer.Option(metavar="URL", help="A node of the chain; the one of CHAIN_URL if left out.")
    ] = None,
    deployment: Annotated[int, typer.Option(help="Its number, as `suanquan deployments list` says.")] = OWN,
    as_json: AsJson = False,
) -> None:
    """Makes a service's tables anew from the chain and says which rows are wrong. Exit status 0 only if none is.

    The service may run meanwhile. Its database is the one that the settings name.
    """
    settings = Settings()
    errors = (ChainMoved, DBAPIError, DeepReorganisation, NoSuchDeployment, NothingIndexed, RpcError, RpcUnavailable)
    with told(*errors, ValueError):
        url = rpc or settings.chain_url
        if not url:
            raise ValueError("Name the node with --rpc or CHAIN_URL; `GET /v1/chain` of a service says its own.")
        engine = open_engine(settings.database_url)
        with RpcClient(url, timeout=60.0) as client, blocks_bar() as bar:
            make = scoped(sessions(engine), deployment)
            with make() as session:
                row = session.get(Deployment, deployment)
            if row is None or row.contracts is None:
                raise NoSuchDeployment(f"There is no deployment {deployment}.")
            contracts, first = Contracts.from_dict(row.contracts), row.start_block or 0
            task = bar.add_task("projecting", total=None)
            found = reconcile(
                make,
                client,
                contracts,
                first,
                deployment,
                progress=lambda block, last: bar.update(task, completed=block - first, total=last - first),
            )
        engine.dispose()
    if as_json:
        print(json.dumps(_result(found), ensure_ascii=False))
    else:
        _show(found)
    raise typer.Exit(1 if found.wrong else 0)


def _result(found: Reconciled) -> dict[str, object]:
    return {
        "ok": not found.wrong,
        "block_number": found.block_number,
        "rows": found.rows,
        "wrong": [row.to_dict() for row in found.wrong],
    }


def _show(found: Reconciled) -> None:
    screen.print(f"block {found.block_number}: {found.rows:,} rows compared, {len(found.wrong):,} wrong")
    for row in found.wrong[:_SHOWN]:
        screen.print(f"✗ {row.told()}", style="red", markup=False)
    if len(found.wrong) > _SHOWN:
        screen.print(f"… and {len(found.wrong) - _SHOWN:,} more", style="red")
    if not found.wrong:
        screen.print("✓ every row is what the chain says", style="green")
