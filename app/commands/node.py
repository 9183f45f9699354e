"""`suanquan node`."""

import signal
import threading
from typing import Annotated

import typer

from app.commands.screen import screen, told
from app.settings import Settings
from chain.node import DataFolderError, EmbeddedNode

cli = typer.Typer(add_completion=False)


@cli.command()
def node(port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8545) -> None:
    """Runs the embedded chain alone, on its folder in the data directory."""
    settings = Settings()
    chain = EmbeddedNode(settings.data_dir / "chain", chain_id=settings.chain_id, port=port)
    with told(DataFolderError, OSError), chain as running:
        screen.print(f"chain {settings.chain_id} at {running.url}  ·  Ctrl-C ends it")
        done = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: done.set())
        signal.signal(signal.SIGINT, lambda *_: done.set())
        done.wait()
