"""`suanquan deployments`."""

import json
from typing import Annotated

import typer
from sqlalchemy import func, select

from app.commands.screen import AsJson, screen, told
from app.deployment import Deployment
from app.migrate import upgrade
from app.settings import Settings
from chain.contracts import Contracts
from chain.sql import open_engine, sessions

cli = typer.Typer(add_completion=False, no_args_is_help=True)


@cli.command("list")
def list_(as_json: AsJson = False) -> None:
    """Shows the deployments whose events are projected; the first is the one that the service works with."""
    settings = Settings()
    upgrade(settings.database_url)
    with sessions(open_engine(settings.database_url))() as session:
        rows = session.scalars(select(Deployment).order_by(Deployment.id))
        found = [{"number": row.id, "start_block": row.start_block, **(row.contracts or {})} for row in rows]
    if as_json:
        print(json.dumps(found))
    for one in [] if as_json else found:
        screen.print(" ".join(f"{name}={value}" for name, value in one.items()))


@cli.command()
def add(
    chain_id: Annotated[int, typer.Option(help="Id of its chain; SUANQUAN_OTHER_CHAINS names a node of another one.")],
    registry: Annotated[str, typer.Option(help="Address of its EntityRegistry.")],
    evidence: Annotated[str, typer.Option(help="Address of its EvidenceLog.")],
    ledger: Annotated[str, typer.Option(help="Address of its VoucherLedger.")],
    start_block: Annotated[int, typer.Option(min=0, help="Block of its first contract, or an earlier one.")],
) -> None:
    """Lets the service project an older or other deployment too, from its next start on."""
    settings = Settings()
    upgrade(settings.database_url)
    with told(ValueError), sessions(open_engine(settings.database_url)).begin() as session:
        contracts = Contracts(chain_id, registry, evidence, ledger).to_dict()
        known = {row.id: row.contracts for row in session.scalars(select(Deployment).with_for_update())}
        if not known:
            raise ValueError("Start the service once before: deployment 1 is its own.")
        if contracts in known.values():
            raise ValueError("This deployment is known already.")
        number = (session.scalar(select(func.max(Deployment.id))) or 0) + 1
        session.add(Deployment(id=number, journal={}, contracts=contracts, start_block=start_block))
    screen.print(f"deployment {number}")
