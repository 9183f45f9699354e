"""What a report is made of: columns that say where their figures come from, and rows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias

from app.reports.digest import CHAIN, KEY, LABEL, SERVICE

Kind: TypeAlias = Literal["fen", "count", "bps", "seconds", "instant", "text", "hash"]
Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        kind: fen (1/100 yuan), count, bps (1/10,000), seconds, instant (Unix seconds), text, hash (0x-hex).
        source: key, chain, service or label; see digest.py.
        zh, en: Headings.
        adds: Whether a sum over the rows says something.
    """

    name: str
    kind: Kind
    source: str
    zh: str
    en: str
    adds: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a file."""
        content = asdict(self)
        del content["adds"]
        return content

    def of(self, source: str) -> "Column":
        """The same from another source."""
        return replace(self, source=source)


def key(name: str, kind: Kind, zh: str, en: str) -> Column:
    """What a row is about."""
    return Column(name, kind, KEY, zh, en)


def fen(name: str, zh: str, en: str, *, adds: bool = True, source: str = CHAIN) -> Column:
    """An amount."""
    return Column(name, "fen", source, zh, en, adds)


def count(name: str, zh: str, en: str, *, source: str = CHAIN) -> Column:
    """A number of things."""
    return Column(name, "count", source, zh, en, adds=True)


def label(name: str, zh: str, en: str) -> Column:
    """A name for people."""
    return Column(name, "text", LABEL, zh, en)


PROGRAMME = key("programme_id", "count", "项目", "Programme")
NAME = label("name", "名称", "Name")


@dataclass(frozen=True, slots=True)
class Table:
    """A report's content."""

    columns: tuple[Column, ...]
    rows: list[Row]

    def totals(self) -> Mapping[str, int]:
        """Sums of the columns that can be added."""
        return {one.name: sum(row[one.name] or 0 for row in self.rows) for one in self.columns if one.adds}


__all__ = ["CHAIN", "KEY", "LABEL", "NAME", "PROGRAMME", "SERVICE", "Column", "Kind", "Row", "Table"]
