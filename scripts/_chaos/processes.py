"""The service in processes of its own: one gateway, two relays, one indexer with the other workers."""

import json
import multiprocessing
import os
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx

from scripts._chaos import child

READY_S = 240.0
OTHERS = ("indexer", "anchorer", "claims", "events")
COMMANDS = {
    "gateway": ("serve", "--no-workers"),
    "relay": ("work", "relay"),
    "second relay": ("work", "relay"),
    "indexer": ("work", *OTHERS),
}


class CommandFailed(Exception):
    """A command of the service did not end well; its log says why."""


class Processes:
    """Starts, kills and starts again."""

    names = tuple(COMMANDS)
    """What can be killed."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if name not in ("CHAIN_URL", "DATABASE_URL")}
        self._environment = {**kept, "SUANQUAN_DATA_DIR": str(folder), "SUANQUAN_PORT": "0", **settings}
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["__main__", child.__name__])
        self._running: dict[str, ForkServerProcess] = {}
        self.url = ""

    def run(self, *command: str) -> str:
        """Runs a command to its end; what it prints.

        Raises:
            CommandFailed: It did not end well.
        """
        output = self._folder / "output"
        output.unlink(missing_ok=True)
        process = self._process("commands", command, output)
        process.join()
        if process.exitcode != 0:
            raise CommandFailed(f"suanquan {' '.join(command)}: status {process.exitcode}, see {self._folder}")
        return output.read_text()

    def start(self, name: str) -> None:
        """Starts one process."""
        if name == "gateway":
            (self._folder / "service.json").unlink(missing_ok=True)
        self._running[name] = self._process(name, COMMANDS[name])

    def kill(self, name: str) -> None:
        """kill -9."""
        process = self._running.pop(name)
        process.kill()
        process.join()

    def stop(self) -> None:
        """Ends all in order."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.join()
        self._running.clear()

    def revive(self) -> None:
        """Starts what ended by itself, as a supervisor would."""
        for name, process in list(self._running.items()):
            if process.exitcode is not None:
                self.start(name)

    def wait_for_gateway(self) -> str:
        """The gateway's address, once it answers.

        Raises:
            TimeoutError: It does not.
        """
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            self.revive()
            try:
                url = str(json.loads((self._folder / "service.json").read_text())["url"])
                if httpx.get(f"{url}/healthz", trust_env=False).status_code == httpx.codes.OK:
                    self.url = url
                    return url
            except (OSError, ValueError, httpx.HTTPError):
                pass
            time.sleep(0.05)
        raise TimeoutError(f"the gateway did not answer within {READY_S:.0f} s; see {self._folder}/gateway.log")

    def _process(self, name: str, command: tuple[str, ...], output: Path | None = None) -> ForkServerProcess:
        log = self._folder / f"{name}.log"
        process = self._context.Process(target=child.run, args=(command, self._environment, log, output), daemon=True)
        process.start()
        return process
