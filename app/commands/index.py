"""`suanquan index`."""

import json
from typing import Annotated

import typer
from sqlalchemy import select

from app.commands.screen import AsJson, screen, told
from app.deploying import NotDeployed
from app.indexer.digest import projection_digest
from app.indexer.models import ParkedEvent
from app.indexer.projected import OWN, choose
from app.indexing import indexers
from app.pools import PoolEmpty
from app.runtime import Runtime
from app.settings import Settings
from chain.keys import KeystoreError
from chain.logs import DeepReorganisation
from chain.node import DataFolderError
from chain.rpc import RpcUnavailable

cli = typer.Typer(add_completion=False)


class NoSuchDeployment(Exception):
    """No deployment has this number, or no setting names a node of its chain."""


@cli.command()
def index(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Drop the projection and build it anew.")] = False,
    deployment: Annotated[int, typer.Option(help="Its number, as `suanquan deployments list` says.")] = OWN,
    as_json: AsJson = False,
) -> None:
    """Brings the projection to the chain's head, and prints the digest of its rows and the events that do not fit."""
    errors = (
        DataFolderError,
        DeepReorganisation,
        KeystoreError,
        NoSuchDeployment,
        NotDeployed,
        PoolEmpty,
        RpcUnavailable,
    )
    with told(*errors), Runtime(Settings()) as runtime:
        gateway = runtime.gateway
        indexer = indexers(gateway).get(deployment)
        if indexer is None:
            raise NoSuchDeployment(f"There is no deployment {deployment}, or SUANQUAN_OTHER_CHAINS lacks its chain.")
        if rebuild:
            indexer.rebuild()
        block = indexer.catch_up()
        with gateway.sessions() as session:
            choose(session, deployment)
            parked = [
                {"block": row.block_number, "tx_hash": f"0x{row.tx_hash.hex()}", "reason": row.reason}
                for row in session.scalars(select(ParkedEvent).order_by(ParkedEvent.id))
            ]
            result = {"block": block, "row_digest": projection_digest(session, deployment), "parked": parked}
    if as_json:
        print(json.dumps(result))
        return
    screen.print(f"block {result['block']}, rows {result['row_digest']}")
    for one in parked:
        screen.print(f"parked: block {one['block']}, transaction {one['tx_hash']}: {one['reason']}", markup=False)
