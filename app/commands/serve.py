"""`suanquan serve`."""

import os
import signal
import socket
import sys
from typing import Annotated

import typer
import uvicorn

from app.commands.screen import screen, told
from app.deploying import NotDeployed
from app.events.stream import Streams
from app.main import create_app
from app.pools import PoolEmpty
from app.runtime import Runtime
from app.secret_file import write_secret
from app.settings import Settings
from chain.keys import KeystoreError
from chain.node import DataFolderError
from chain.rpc import RpcUnavailable

cli = typer.Typer(add_completion=False)

REQUESTS_END_S = 5
"""At the end, requests under way get so many seconds."""
KEEP_ALIVE_S = 75
"""Idle connections are kept longer than clients and proxies keep them (5 to 60 s), so that it is they who close: one
that is closed here at the moment it is used again is a request that fails."""


class GatewayServer(uvicorn.Server):
    """Ends the event streams when it is told to end: it waits for all answers, and theirs have no end."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        self._streams.end()
        await super().shutdown(sockets)


@cli.command()
def serve(
    workers: Annotated[
        bool, typer.Option(help="Run relay, indexer and the others beside the gateway; else `suanquan work` does.")
    ] = True,
) -> None:
    """Starts the service: gateway, relay, indexer and, unless CHAIN_URL names a node, an embedded chain. Settings come
    from the environment; see app/settings.py."""
    # uvicorn ends its server on SIGTERM and raises the signal again; as an exception it ends the workers in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = Settings()
    with (
        told(DataFolderError, KeystoreError, NotDeployed, PoolEmpty, RpcUnavailable, OSError),
        Runtime(settings) as runtime,
    ):
        # Before the workers: a port that is taken is told before anything is done.
        listener = socket.create_server((settings.host, settings.port))
        if workers:
            runtime.start_workers()
        url = f"http://{settings.host}:{listener.getsockname()[1]}"
        ready = settings.data_dir / "service.json"
        write_secret(ready, {"pid": os.getpid(), "url": url, "node_url": runtime.node_url})
        screen.print(f"[bold]Suanquan 算券[/bold] {url}  ·  {url}/docs  ·  chain {runtime.node_url}")
        screen.print(f"API keys: {settings.data_dir / 'api-keys.json'}  ·  Ctrl-C ends it")
        app = create_app(runtime.gateway)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=REQUESTS_END_S,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        GatewayServer(config, app.state.streams).run(sockets=[listener])
        ready.unlink(missing_ok=True)
