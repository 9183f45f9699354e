"""`suanquan deploy`."""

import json

import typer

from app.commands.screen import AsJson, screen, told
from app.runtime import Runtime
from app.settings import Settings
from chain.deploy import DeployError
from chain.keys import KeystoreError
from chain.node import DataFolderError
from chain.rpc import RpcError, RpcUnavailable

cli = typer.Typer(add_completion=False)


@cli.command()
def deploy(as_json: AsJson = False) -> None:
    """Deploys the contracts on the chain that CHAIN_URL names; goes on where it was interrupted, never twice."""
    with (
        told(DataFolderError, DeployError, KeystoreError, RpcError, RpcUnavailable, OSError),
        Runtime(Settings(), deploys=True) as runtime,
    ):
        contracts = runtime.gateway.contracts.to_dict()
    if as_json:
        print(json.dumps(contracts))
    else:
        for name, value in contracts.items():
            screen.print(f"{name:10} {value}")
