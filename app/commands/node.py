"""`suanquan node`."""

import signal
import threading

import typer

from app.commands.screen import screen, told
from app.runtime import embedded_node
from app.settings import Settings
from chain.keys import Keystore, KeystoreError
from chain.node import DataFolderError

cli = typer.Typer(add_completion=False)


@cli.command()
def node() -> None:
    """Runs the embedded chain alone, on its folder in the data directory and the port of SUANQUAN_NODE_PORT."""
    settings = Settings()
    with (
        told(DataFolderError, KeystoreError, OSError),
        embedded_node(settings, Keystore(settings.data_dir / "keys")) as running,
    ):
        screen.print(f"chain {settings.chain_id} at {running.url}  ·  Ctrl-C ends it")
        done = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: done.set())
        signal.signal(signal.SIGINT, lambda *_: done.set())
        done.wait()
