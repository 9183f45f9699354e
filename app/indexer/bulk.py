"""Many rows at once, past the ORM: COPY on PostgreSQL, executemany on SQLite. In the caller's transaction."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import ColumnElement, Connection, delete, select, tuple_
from sqlalchemy.exc import DBAPIError

from .tables import DEPLOYMENT, Key, Row, TableInfo

# Below SQLite's limit of variables, also with five columns in a key.
_KEYS_AT_ONCE = 300
# For fewer rows a table of changes costs more than one statement for each.
_FEW = 16


def read_rows(connection: Connection, info: TableInfo, deployment_id: int, keys: Sequence[Key]) -> list[Row]:
    """The rows with these keys, as far as they are there."""
    return [
        dict(found)
        for part in _parts(keys)
        for found in connection.execute(
            select(*info.columns).where(info.table.c[DEPLOYMENT] == deployment_id, _is_one_of(info, part))
        ).mappings()
    ]


def insert_rows(connection: Connection, info: TableInfo, deployment_id: int, rows: Sequence[Row]) -> None:
    """Add rows whose keys are not there."""
    if connection.dialect.name == "postgresql":
        _copy(connection, info, info.name, deployment_id, rows)
        return
    names = ", ".join(f'"{name}"' for name in (DEPLOYMENT, *info.names))
    places = ", ".join("?" * (len(info.names) + 1))
    statement = f'INSERT INTO "{info.name}" ({names}) VALUES ({places})'  # noqa: S608 - names of columns
    connection.exec_driver_sql(statement, list(_values(info, deployment_id, rows, json.dumps)))


def update_rows(connection: Connection, info: TableInfo, deployment_id: int, rows: Sequence[Row]) -> None:
    """Replace rows whose keys are there."""
    settable = [name for name in info.names if name not in info.key_names]
    if connection.dialect.name == "postgresql" and len(rows) > _FEW:
        _update_from_copy(connection, info, settable, deployment_id, rows)
        return
    postgresql = connection.dialect.name == "postgresql"
    place = "%s" if postgresql else "?"
    assigned = ", ".join(f'"{name}" = {place}' for name in settable)
    where = " AND ".join(f'"{name}" = {place}' for name in (DEPLOYMENT, *info.key_names))
    statement = f'UPDATE "{info.name}" SET {assigned} WHERE {where}'  # noqa: S608 - names of columns
    wrap = Jsonb if postgresql else json.dumps
    values = [
        (*(_wrapped(info, row, name, wrap) for name in settable), deployment_id, *info.key_of(row)) for row in rows
    ]
    connection.exec_driver_sql(statement, values)


def delete_rows(connection: Connection, info: TableInfo, deployment_id: int, keys: Sequence[Key]) -> None:
    """Remove rows by key."""
    for part in _parts(keys):
        connection.execute(delete(info.table).where(info.table.c[DEPLOYMENT] == deployment_id, _is_one_of(info, part)))


def _is_one_of(info: TableInfo, keys: Sequence[Key]) -> ColumnElement[bool]:
    if len(info.key_columns) == 1:
        return info.key_columns[0].in_([key[0] for key in keys])
    return tuple_(*info.key_columns).in_(keys)


def _parts(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Keys in portions that fit into one statement."""
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        yield keys[start : start + _KEYS_AT_ONCE]


def _copy(connection: Connection, info: TableInfo, target: str, deployment_id: int, rows: Iterable[Row]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, (DEPLOYMENT, *info.names)))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(target), names)
    try:
        with connection.connection.cursor().copy(statement) as copy:
            copy.set_types(info.postgresql_types)
            for values in _values(info, deployment_id, rows, Jsonb):
                copy.write_row(values)
    except psycopg.Error as error:
        # SQLAlchemy does not see what happens on its cursor, and callers know its errors.
        raise DBAPIError.instance(f"COPY {target}", None, error, psycopg.Error, dialect=connection.dialect) from error


def _update_from_copy(
    connection: Connection, info: TableInfo, settable: Sequence[str], deployment_id: int, rows: Sequence[Row]
) -> None:
    changes = f"changed_{info.name}"
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE IF NOT EXISTS "{changes}" (LIKE "{info.name}") ON COMMIT DELETE ROWS'
    )
    _copy(connection, info, changes, deployment_id, rows)
    # The planner knows nothing of the new table, and could read the whole old one for a thousand rows of it.
    connection.exec_driver_sql("SET LOCAL enable_hashjoin = off")
    connection.exec_driver_sql("SET LOCAL enable_mergejoin = off")
    assigned = ", ".join(f'"{name}" = new."{name}"' for name in settable)
    same = " AND ".join(f'old."{name}" = new."{name}"' for name in (DEPLOYMENT, *info.key_names))
    connection.exec_driver_sql(f'UPDATE "{info.name}" AS old SET {assigned} FROM "{changes}" AS new WHERE {same}')  # noqa: S608
    connection.exec_driver_sql(f'DELETE FROM "{changes}"')  # noqa: S608


def _values(info: TableInfo, deployment_id: int, rows: Iterable[Row], wrap: Any) -> Iterator[tuple[Any, ...]]:
    values_of, first = info.values_of, (deployment_id,)
    if info.json:
        return ((deployment_id, *(_wrapped(info, row, name, wrap) for name in info.names)) for row in rows)
    return (first + values_of(row) for row in rows)


def _wrapped(info: TableInfo, row: Row, name: str, wrap: Any) -> Any:
    value = row[name]
    return wrap(value) if name in info.json and value is not None else value
