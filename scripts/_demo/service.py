"""The service under demonstration: a real process, spoken to over real HTTP, killed for real."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from chain.rpc import RpcClient

READY_S = 240.0
WAIT_S = 60
ROOT = Path(__file__).resolve().parent.parent.parent


class DemoError(Exception):
    """The story did not go as it should."""


class Service:
    """`suanquan serve` on a data folder and ports of its own, with other settings from the environment where given."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self._data_dir = data_dir
        self._settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(timeout=WAIT_S + 10.0, trust_env=False)
        self.node_url = ""

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return str(self._http.base_url)

    @property
    def data_dir(self) -> Path:
        """Where the service keeps keys, chain and database."""
        return self._data_dir

    @property
    def pid(self) -> int:
        """The process, once started."""
        if self._process is None:
            raise DemoError("the service was not started")
        return self._process.pid

    def start(self) -> None:
        """Starts the process and waits until it answers."""
        ready = self._data_dir / "service.json"
        ready.unlink(missing_ok=True)
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("CHAIN_URL", "DATABASE_URL")},
            "SUANQUAN_DATA_DIR": str(self._data_dir),
            "SUANQUAN_PORT": "0",
            "SUANQUAN_NODE_PORT": "0",
            "SUANQUAN_BATCH_MAX_AGE_S": "0.5",
            "SUANQUAN_SIGNERS": '{"relayer-2": "keystore"}',
            **self._settings,
        }
        with (self._data_dir / "service.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "app.cli", "serve"], stdout=log, stderr=log, cwd=ROOT, env=environment
            )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise DemoError(f"the service ended at once; see {self._data_dir / 'service.log'}")
            if ready.exists():
                about = json.loads(ready.read_text())
                if self._answers(about["url"]):
                    self._http.base_url = httpx.URL(about["url"])
                    self.node_url = about["node_url"]
                    return
            time.sleep(0.05)
        raise DemoError(f"the service did not answer within {READY_S:.0f} s")

    def _answers(self, url: str) -> bool:
        try:
            return self._http.get(f"{url}/healthz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def keys(self) -> dict[str, str]:
        """API keys of the officers, made at first start."""
        found: dict[str, str] = json.loads((self._data_dir / "api-keys.json").read_text())
        return found

    def get(self, path: str, key: str = "", **query: Any) -> Any:
        """A query's answer."""
        return self._answer(self._http.get(path, params=query, headers=_headers(key)))

    def fetch(self, path: str, key: str) -> bytes:
        """A file."""
        response = self._http.get(path, headers=_headers(key))
        self._answer(response)
        return response.content

    def head(self) -> int:
        """Number of the chain's latest block, as the node says."""
        with RpcClient(self.node_url) as rpc:
            return int(rpc.call("eth_blockNumber"), 16)

    def post(self, path: str, key: str, body: object = None, *, headers: dict[str, str] | None = None) -> Any:
        """A command's answer."""
        return self._answer(self._http.post(path, json=body, headers={**_headers(key), **(headers or {})}))

    def put(self, path: str, key: str, content: bytes) -> Any:
        """A file's answer."""
        return self._answer(self._http.put(path, content=content, headers=_headers(key)))

    def settle(self, path: str, key: str, body: object = None) -> dict[str, Any]:
        """A command that goes to the chain: waits for it and returns its result."""
        operation = self.post(path, key, body, headers={"Prefer": f"wait={WAIT_S}"})
        if operation["status"] != "succeeded":
            raise DemoError(f"POST {path}: {operation['status']} {operation.get('error')}")
        result: dict[str, Any] = operation["result"]
        return result

    def _answer(self, response: httpx.Response) -> Any:
        if response.is_error:
            raise DemoError(f"{response.request.method} {response.request.url.path}: {response.text}")
        return response.json()


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def end_leftover(data_dir: Path) -> None:
    """Ends the service of a demo that was killed itself, so that its folder can be used anew."""
    ready = data_dir / "service.json"
    if not ready.exists():
        return
    pid = int(json.loads(ready.read_text())["pid"])
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return
    if b"app.cli" in command and b"serve" in command:
        os.kill(pid, signal.SIGKILL)
        while runs(pid):
            time.sleep(0.05)


def runs(pid: int) -> bool:
    """Whether a process still runs; one that ended has no command line, though nobody may have asked how it ended."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False
