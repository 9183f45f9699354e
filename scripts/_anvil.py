"""Foundry's development node, started for tests and benchmarks."""

import random
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

MODULES = Path(__file__).resolve().parent.parent / "contracts" / "node_modules"
CHAIN_ID = 31337
START_TIMEOUT_SECONDS = 120.0
PORTS = (16_384, 32_768)


def program(name: str) -> str:
    """Path of one of Foundry's programs: npm's build for this machine, or the one on the PATH."""
    found = next(MODULES.glob(f"@foundry-rs/{name}-*/bin/{name}"), None) or shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed; ./scripts/forge --version installs Foundry's programs")
    return str(found)


def free_port() -> int:
    """A port of the loopback that nobody listens on at this moment. It is none of those that systems give out by
    themselves, so that no connection takes it before it is used, or while a node is stopped."""
    while True:
        port = random.SystemRandom().randrange(*PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Anvil:
    """A node that can be stopped and started again at the same address, as in an outage.

    It mines each transaction at once and forgets its chain when it stops; options change that:
    `Anvil("--block-time", "1", "--state", path)`. Its ten accounts are those of the well-known test mnemonic.
    """

    def __init__(self, *options: str, hardfork: str = "cancun") -> None:
        self._options = ("--hardfork", hardfork, *options)
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object; a pipe could fill up
        self.port = free_port()
        self._has_served = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        if self._process is None:
            raise ProcessLookupError("anvil does not run")
        return self._process.pid

    def start(self) -> None:
        """Starts the node; at another port where, before the first start, somebody took the one that was looked for."""
        try:
            self._start()
        except ChildProcessError:
            if self._has_served:
                raise
            self.port = free_port()
            self._start()
        self._has_served = True

    def _start(self) -> None:
        command = [program("anvil"), "--silent", "--port", str(self.port), "--chain-id", str(CHAIN_ID)]
        self._process = subprocess.Popen(
            [*command, *self._options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not (self._answers() and self._process.poll() is None):
            if self._process.poll() is not None:
                self._errors.seek(0)
                message = self._errors.read().decode(errors="replace").strip()
                raise ChildProcessError(f"anvil ended with status {self._process.returncode}: {message}")
            if time.monotonic() > deadline:
                self.stop()
                raise TimeoutError(f"anvil did not answer within {START_TIMEOUT_SECONDS} s")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends the node as `kill` does; with --state it writes its chain first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(120)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        try:
            return "result" in httpx.post(self.url, json=question, timeout=1, trust_env=False).json()
        except httpx.HTTPError:
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
