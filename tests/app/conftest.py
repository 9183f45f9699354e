"""A whole service for tests: real chain, real database, real HTTP on a port of its own."""

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any

import httpx
import pytest
import uvicorn
from eth_keyfile.keyfile import create_keyfile_json

from app.commands.serve import KEEP_ALIVE_S
from app.gateway import Gateway
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from chain.keys import KEY_NAMES, Keystore
from chain.rpc import RpcClient
from scripts._anvil import Anvil
from scripts._postgres import Databases

EMBEDDED = "embedded-sqlite"
REAL = "anvil-postgresql"


@dataclass
class RunningService:
    """A service and a client for it.

    Attributes:
        keys: API keys of the officers, by name.
    """

    url: str
    http: httpx.Client
    keys: dict[str, str]
    gateway: Gateway
    node_url: str

    def headers(self, name: str) -> dict[str, str]:
        """Headers with the key of an officer, or with a key itself."""
        return {"Authorization": f"Bearer {self.keys.get(name, name)}"}

    def get(self, path: str, who: str = "operator", **query: Any) -> httpx.Response:
        """A query."""
        return self.http.get(path, params=query, headers=self.headers(who))

    def post(self, path: str, who: str, body: object = None, **headers: str) -> httpx.Response:
        """A command."""
        return self.http.post(path, json=body, headers={**self.headers(who), **headers})

    def put(self, path: str, who: str, body: object) -> httpx.Response:
        """A command that puts something in the place of what was there."""
        return self.http.put(path, json=body, headers=self.headers(who))

    def put_bytes(self, path: str, who: str, content: bytes) -> httpx.Response:
        """A file."""
        return self.http.put(path, content=content, headers=self.headers(who))

    def settle(self, path: str, who: str, body: object = None) -> dict[str, Any]:
        """A command that goes to the chain, and its outcome."""
        answer = self.post(path, who, body, Prefer="wait=60")
        assert answer.status_code == httpx.codes.OK, answer.text
        outcome: dict[str, Any] = answer.json()
        return outcome

    def api_key(self, role: str, subject: str) -> str:
        """A new API key."""
        answer = self.post("/v1/api-keys", "operator", {"role": role, "subject": subject})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return str(answer.json()["api_key"])


class FirstStart:
    """What a service leaves when it has started once: keys, tables, contracts on its chain.

    Modules go on from copies of it, which spares each of them the deployment.
    """

    def __init__(self, folder: Path, databases: Callable[[], Databases]) -> None:
        self._folder = folder
        self._databases = databases

    @contextmanager
    def copied(self, surroundings: str, data_dir: Path) -> Iterator[dict[str, str]]:
        """Fills the folder of a service; gives the settings that name its database and chain."""
        if surroundings == EMBEDDED:
            if not self._made(EMBEDDED).exists():
                _make_keys(self._made(EMBEDDED) / "keys")
                self._start(EMBEDDED, "", "")
            shutil.copytree(self._made(EMBEDDED), data_dir, dirs_exist_ok=True)
            yield {"DATABASE_URL": "", "CHAIN_URL": ""}
            return
        database_url = self._databases().create(prepared_by=self._start_beside_anvil)
        shutil.copytree(self._made(REAL), data_dir, dirs_exist_ok=True)
        with _anvil_in(data_dir) as anvil:
            yield {"DATABASE_URL": database_url, "CHAIN_URL": anvil.url}
        self._databases().drop(database_url)

    def _start_beside_anvil(self, database_url: str) -> None:
        folder = self._made(REAL)
        keys = _make_keys(folder / "keys")
        with _anvil_in(folder) as anvil:
            with RpcClient(anvil.url) as rpc:
                for name in KEY_NAMES:
                    rpc.call("anvil_setBalance", keys.signer(name).address, hex(10**24))
            self._start(REAL, database_url, anvil.url)

    def _start(self, surroundings: str, database_url: str, chain_url: str) -> None:
        urls = {"DATABASE_URL": database_url, "CHAIN_URL": chain_url}
        with Runtime(Settings(data_dir=self._made(surroundings), node_port=0, **urls), deploys=True):
            pass

    def _made(self, surroundings: str) -> Path:
        return self._folder / surroundings


def _make_keys(folder: Path) -> Keystore:
    """Key files that open fast: each start of a service opens all."""
    folder.mkdir(parents=True, mode=0o700)
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text("of tests")
    for name in (*KEY_NAMES, "jurisdiction", "custody", "webhooks"):
        file = folder / f"{name}.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(create_keyfile_json(token_bytes(32), b"of tests", kdf="scrypt", iterations=2)))
    return Keystore(folder)


def _anvil_in(folder: Path) -> Anvil:
    return Anvil("--state", str(folder / "anvil.json"))


@pytest.fixture(scope="session")
def first_start(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FirstStart:
    """Of this process."""
    return FirstStart(tmp_path_factory.mktemp("first-start"), lambda: request.getfixturevalue("postgres_databases"))


@pytest.fixture(scope="module", params=[EMBEDDED, REAL])
def surroundings(request: pytest.FixtureRequest) -> str:
    """What a service works with: SQLite and the embedded chain, or PostgreSQL and a node."""
    return str(request.param)


@pytest.fixture(scope="module")
def service(
    first_start: FirstStart, surroundings: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    """A service of this module alone, in each of the surroundings."""
    data_dir = tmp_path_factory.mktemp("service")
    with first_start.copied(surroundings, data_dir) as urls:
        settings = Settings(
            data_dir=data_dir,
            port=0,
            node_port=0,
            batch_max_age_s=0.2,
            max_body_bytes=8 * 1024 * 1024,
            webhooks_allow_private=True,
            webhook_retry_s=0.2,
            **urls,
        )
        with serving(settings) as running:
            yield running


@contextmanager
def serving(settings: Settings) -> Iterator[RunningService]:
    """A service with these settings."""
    with Runtime(settings) as runtime:
        runtime.start_workers()
        listener = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(runtime.gateway)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_keep_alive=KEEP_ALIVE_S))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        keys = json.loads((settings.data_dir / "api-keys.json").read_text())
        with httpx.Client(base_url=url, timeout=90.0, trust_env=False) as http:
            yield RunningService(url, http, keys, runtime.gateway, runtime.node_url)
        server.should_exit = True
        thread.join()
