"""`suanquan index`."""

import json
from typing import Annotated

import typer

from app.commands.screen import AsJson, screen, told
from app.indexer.digest import projection_digest
from app.indexer.indexer import Indexer
from app.runtime import NotDeployed, Runtime
from app.settings import Settings
from chain.keys import KeystoreError
from chain.node import DataFolderError
from chain.rpc import RpcUnavailable

cli = typer.Typer(add_completion=False)


@cli.command()
def index(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Drop the projection and build it anew.")] = False,
    as_json: AsJson = False,
) -> None:
    """Brings the projection to the chain's head, and prints the digest of its rows."""
    with told(DataFolderError, KeystoreError, NotDeployed, RpcUnavailable), Runtime(Settings()) as runtime:
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
        screen.print(f"block {result['block']}, rows {result['row_digest']}")
