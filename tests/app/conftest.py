"""A whole service for tests: real chain, real database, real HTTP on a port of its own."""

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from app.gateway import Gateway
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from scripts._postgres import Databases


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

    Modules go on from copies of it, which spares each of them the deployment. One for each kind of database.
    """

    def __init__(self, folder: Path, databases: Callable[[], Databases]) -> None:
        self._folder = folder
        self._databases = databases

    @contextmanager
    def copied(self, kind: str, data_dir: Path) -> Iterator[str]:
        """Fills the folder of a service; gives its `DATABASE_URL`, empty text for the default SQLite."""
        url = "" if kind == "sqlite" else self._databases().create(prepared_by=self._on_postgresql)
        if kind == "sqlite" and not self._made(kind).exists():
            self._start(kind, url)
        shutil.copytree(self._made(kind), data_dir, dirs_exist_ok=True)
        yield url
        if url:
            self._databases().drop(url)

    def _on_postgresql(self, url: str) -> None:
        self._start("postgresql", url)

    def _start(self, kind: str, url: str) -> None:
        with Runtime(Settings(data_dir=self._made(kind), DATABASE_URL=url, CHAIN_URL="", node_port=0)):
            pass

    def _made(self, kind: str) -> Path:
        return self._folder / kind


@pytest.fixture(scope="session")
def first_start(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FirstStart:
    """Of this process."""
    return FirstStart(tmp_path_factory.mktemp("first-start"), lambda: request.getfixturevalue("postgres_databases"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database."""
    return str(request.param)


@pytest.fixture(scope="module")
def service(
    first_start: FirstStart, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    """A service of this module alone, on each kind of database."""
    data_dir = tmp_path_factory.mktemp("service")
    with first_start.copied(database_kind, data_dir) as database_url:
        settings = Settings(
            data_dir=data_dir,
            DATABASE_URL=database_url,
            CHAIN_URL="",
            port=0,
            node_port=0,
            batch_max_age_s=0.2,
            max_body_bytes=8 * 1024 * 1024,
            webhooks_allow_private=True,
            webhook_retry_s=0.2,
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
        server = uvicorn.Server(uvicorn.Config(create_app(runtime.gateway), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        keys = json.loads((settings.data_dir / "api-keys.json").read_text())
        with httpx.Client(base_url=url, timeout=90.0, trust_env=False) as http:
            yield RunningService(url, http, keys, runtime.gateway, runtime.node_url)
        server.should_exit = True
        thread.join()
