"""A running service, spoken to over HTTP by commands."""

import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

WAIT_S = 30
PATIENCE_S = 120.0


class RemoteError(Exception):
    """The service does not answer, or refuses; the text says what to do."""


class Remote:
    """A service and the key to speak to it with.

    Args:
        url: Address; if empty, that of the service that runs on the data folder.
        data_dir: Where `suanquan serve` keeps address and keys.
        role: Whose key to use, unless SUANQUAN_API_KEY gives one.
    """

    def __init__(self, url: str, data_dir: Path, role: str) -> None:
        self._http = httpx.Client(base_url=url or _running(data_dir), timeout=WAIT_S + 10.0, trust_env=False)
        self._key = os.environ.get("SUANQUAN_API_KEY") or _kept_key(data_dir, role)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str) -> httpx.Response:
        """A query's answer.

        Raises:
            RemoteError: No service answers, or it refuses.
        """
        return self._send("GET", path)

    def settle(self, path: str, body: object, *, once: str = "") -> dict[str, Any]:
        """A command that goes to the chain, and its result.

        Args:
            once: Idempotency key: the command sent again answers with the first outcome.

        Raises:
            RemoteError: No service answers, or it or the contract refuses.
        """
        headers = {"Prefer": f"wait={WAIT_S}", **({"Idempotency-Key": once} if once else {})}
        operation = self._send("POST", path, body, headers).json()
        deadline = time.monotonic() + PATIENCE_S
        while operation["status"] not in ("succeeded", "refused", "failed"):
            if time.monotonic() > deadline:
                raise RemoteError(f"operation {operation['operation_id']} is still {operation['status']}; ask again")
            time.sleep(0.2)
            operation = self.get(f"/v1/operations/{operation['operation_id']}").json()
        if operation["status"] != "succeeded":
            raise RemoteError(f"{path}: {operation['status']}: {json.dumps(operation['error'], ensure_ascii=False)}")
        result: dict[str, Any] = operation["result"]
        return result

    def _send(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        try:
            answer = self._http.request(
                method, path, json=body, headers={"Authorization": f"Bearer {self._key}", **(headers or {})}
            )
        except httpx.HTTPError as error:
            raise RemoteError(
                f"no service answers at {self._http.base_url}: {error}; start one or name --api"
            ) from error
        if answer.is_error:
            raise RemoteError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer


def _running(data_dir: Path) -> str:
    try:
        return str(json.loads((data_dir / "service.json").read_text())["url"])
    except (OSError, ValueError, KeyError) as error:
        raise RemoteError(
            f"no service runs on {data_dir}; start one with `suanquan serve`, or name --api URL"
        ) from error


def _kept_key(data_dir: Path, role: str) -> str:
    try:
        return str(json.loads((data_dir / "api-keys.json").read_text())[role])
    except (OSError, ValueError, KeyError) as error:
        raise RemoteError(f"no key: set SUANQUAN_API_KEY to a key of the role {role}") from error
