"""The service in processes of its own: one gateway, two relays, one indexer with the other workers."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent.parent
READY_S = 240.0
OTHERS = ("indexer", "anchorer", "claims", "events")


class Processes:
    """Starts, kills and starts again."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if name not in ("CHAIN_URL", "DATABASE_URL")}
        self.environment = {**kept, "SUANQUAN_DATA_DIR": str(folder), "SUANQUAN_PORT": "0", **settings}
        self._commands = {
            "gateway": ("serve", "--no-workers"),
            "relay": ("work", "relay"),
            "second relay": ("work", "relay"),
            "indexer": ("work", *OTHERS),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.url = ""

    @property
    def names(self) -> list[str]:
        """What can be killed."""
        return list(self._commands)

    def run(self, *command: str) -> str:
        """Runs a command to its end; what it prints.

        Raises:
            CalledProcessError: It failed.
        """
        with (self._folder / "commands.log").open("ab") as log:
            done = subprocess.run(
                self._suanquan(*command), env=self.environment, stdout=-1, stderr=log, cwd=ROOT, check=True
            )
        return done.stdout.decode()

    def start(self, name: str) -> None:
        """Starts one process."""
        if name == "gateway":
            (self._folder / "service.json").unlink(missing_ok=True)
        with (self._folder / f"{name}.log").open("ab") as log:
            command = self._suanquan(*self._commands[name])
            self._running[name] = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, cwd=ROOT)

    def kill(self, name: str) -> None:
        """kill -9."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """Ends all in order."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait()
        self._running.clear()

    def revive(self) -> None:
        """Starts what ended by itself, as a supervisor would."""
        for name, process in list(self._running.items()):
            if process.poll() is not None:
                self.start(name)

    def wait_for_gateway(self) -> str:
        """The gateway's address, once it answers."""
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
            time.sleep(0.1)
        raise TimeoutError(f"the gateway did not answer within {READY_S:.0f} s; see {self._folder}/gateway.log")

    @staticmethod
    def _suanquan(*command: str) -> list[str]:
        return [sys.executable, "-P", "-m", "app.cli", *command]
