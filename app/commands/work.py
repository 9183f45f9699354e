"""`suanquan work`."""

import signal
import threading
from typing import Annotated

import typer

from app.commands.screen import screen, told
from app.deploying import NotDeployed
from app.pools import PoolEmpty
from app.runtime import Runtime, UnknownWorker
from app.settings import Settings
from chain.keys import KeystoreError
from chain.node import DataFolderError
from chain.rpc import RpcUnavailable

cli = typer.Typer(add_completion=False)


@cli.command()
def work(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[WORKER]...", help="Such as relay, indexer, claims; all by default.")
    ] = None,
) -> None:
    """Runs workers without a gateway, in as many processes as are wanted. Those of one kind share their work through
    the database; with several processes CHAIN_URL names the node."""
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    signal.signal(signal.SIGINT, lambda *_: done.set())
    errors = (DataFolderError, KeystoreError, NotDeployed, PoolEmpty, RpcUnavailable, UnknownWorker, OSError)
    with told(*errors), Runtime(Settings()) as runtime:
        runtime.start_workers(names or None)
        screen.print(f"working: {', '.join(names or ['all'])}  ·  Ctrl-C ends it")
        done.wait()
