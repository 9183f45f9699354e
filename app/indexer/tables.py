"""What writing a table fast needs to know of it, found once: columns, key, types."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import JSON, BigInteger, Boolean, Integer, LargeBinary, Table

from chain.sql import Base

Model: TypeAlias = type[Base]
Key: TypeAlias = tuple[Any, ...]
Row: TypeAlias = Mapping[str, Any]

DEPLOYMENT = "deployment_id"


class TableInfo:
    """A table of the projection. Rows in memory lack the deployment, which is the same for all of them."""

    def __init__(self, model: Model) -> None:
        table = model.__table__
        assert isinstance(table, Table)  # noqa: S101 - every model here is a plain table
        self.table = table
        self.name = table.name
        self.columns = [c for c in table.columns if c.name != DEPLOYMENT and c.autoincrement is not True]
        self.names = [column.name for column in self.columns]
        self.key_columns = [c for c in table.primary_key.columns if c.name != DEPLOYMENT]
        self.key_names = [column.name for column in self.key_columns]
        self.binary = frozenset(c.name for c in self.columns if isinstance(c.type, LargeBinary))
        self.json = [name for c, name in zip(self.columns, self.names, strict=True) if isinstance(c.type, JSON)]
        self.key_of: Callable[[Row], Key] = _getter(self.key_names)
        self.values_of: Callable[[Row], tuple[Any, ...]] = _getter(self.names)

    @cached_property
    def postgresql_types(self) -> list[str]:
        """Type names in the order of `deployment_id` and `names`."""
        return ["int4", *(_postgresql_type(column.type) for column in self.columns)]


@cache
def table_info(model: Model) -> TableInfo:
    """What is known of a model's table."""
    return TableInfo(model)


def _getter(names: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
    if len(names) == 1:
        (name,) = names
        return lambda row: (row[name],)
    return itemgetter(*names)


def _postgresql_type(kind: Any) -> str:
    for wanted, name in (
        (JSON, "jsonb"),
        (Boolean, "bool"),
        (BigInteger, "int8"),
        (Integer, "int4"),
        (LargeBinary, "bytea"),
    ):
        if isinstance(kind, wanted):
            return name
    return "text"
