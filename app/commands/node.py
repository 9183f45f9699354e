"""`suanquan node`."""

import json
import signal
import sys
import threading
import time
from contextlib import ExitStack
from typing import Annotated

import typer

from app.commands.screen import screen, told
from app.embedded_chain import embedded_node
from app.settings import Settings
from chain.keys import Keystore, KeystoreError
from chain.node import DataFolderError, DataFolderInUse
from chain.node.embedded import EmbeddedNode

cli = typer.Typer(add_completion=False)

TAKEOVER_S = 30.0
"""How long the chain of a service that was killed may take to let go of its folder."""


@cli.command()
def node(
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Print the address as JSON, and end when standard input closes.")
    ] = False,
) -> None:
    """Runs the embedded chain alone, on its folder in the data directory and the port of SUANQUAN_NODE_PORT."""
    settings = Settings()
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    signal.signal(signal.SIGINT, lambda *_: done.set())
    with told(DataFolderError, KeystoreError, OSError), ExitStack() as stack:
        chain = embedded_node(settings, Keystore(settings.data_dir / "keys"))
        running = _enter(stack, chain, patience_s=TAKEOVER_S if with_parent else 0.0)
        if with_parent:
            print(json.dumps({"url": running.url}), flush=True)
            sys.stdin.buffer.read()
        else:
            screen.print(f"chain {settings.chain_id} at {running.url}  ·  Ctrl-C ends it")
            done.wait()


def _enter(stack: ExitStack, chain: EmbeddedNode, patience_s: float) -> EmbeddedNode:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return stack.enter_context(chain)
        except DataFolderInUse:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.1)
