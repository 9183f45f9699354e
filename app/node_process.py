"""The embedded chain in a process of its own: executing contracts in Python keeps an interpreter busy, and requests,
relay and indexer would wait for it.

The child's standard input is a pipe from this process. It closes when this process ends, `kill -9` included, and the
child ends with it, so no orphan keeps the folder.
"""

import json
import os
import subprocess
import sys
from functools import cached_property
from types import TracebackType

from app.settings import Settings
from chain.node import DataFolderError


class NodeProcess:
    """`suanquan node --with-parent`, as a context manager. It starts while this process goes on; `url` waits for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "NodeProcess":
        environment = {
            **os.environ,
            "SUANQUAN_DATA_DIR": str(self._settings.data_dir.resolve()),
            "SUANQUAN_NODE_PORT": str(self._settings.node_port),
            "SUANQUAN_CHAIN_ID": str(self._settings.chain_id),
            "SUANQUAN_SIGNERS": json.dumps(self._settings.signers),
            "SUANQUAN_WEB3SIGNER_URL": self._settings.web3signer_url,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.cli", "node", "--with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C ends the service, which then ends its chain
        )
        return self

    @cached_property
    def url(self) -> str:
        """The JSON-RPC address.

        Raises:
            DataFolderError: The chain did not start.
        """
        process = self._process
        assert process is not None  # noqa: S101 - inside the context
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = process.stdout.readline()
        if not line:
            process.wait()
            raise DataFolderError(f"the embedded chain in {self._settings.data_dir} did not start; it said why above")
        return str(json.loads(line)["url"])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.communicate()  # closes its standard input and waits
