"""`suanquan deploy`."""

import json

import typer

from app.commands.screen import AsJson, screen, told
from app.evidence.logs import deploy_further
from app.pools import PoolEmpty
from app.runtime import Runtime
from app.settings import Settings
from chain.deploy import DeployError
from chain.keys import KeystoreError
from chain.node import DataFolderError
from chain.rpc import RpcError, RpcUnavailable

cli = typer.Typer(add_completion=False)


@cli.command()
def deploy(as_json: AsJson = False) -> None:
    """Deploys the contracts on the chain that CHAIN_URL names, and an evidence log on each chain of ANCHOR_URLS.

    It goes on where it was interrupted, and deploys nothing twice.
    """
    with (
        told(DataFolderError, DeployError, KeystoreError, PoolEmpty, RpcError, RpcUnavailable, OSError),
        Runtime(Settings(), deploys=True) as runtime,
    ):
        contracts = runtime.gateway.contracts.to_dict()
        further = [
            {"chain_id": one.chain_id, "registry": one.registry, "evidence": one.evidence}
            for one in deploy_further(runtime.gateway)
        ]
    if as_json:
        print(json.dumps({**contracts, "further": further} if further else contracts))
        return
    for deployment in (contracts, *further):
        for name, value in deployment.items():
            screen.print(f"{name:10} {value}")
