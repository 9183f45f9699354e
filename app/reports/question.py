"""What a report is asked, and what it is read with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from app.auth.roles import STAFF, Role
from app.reports.part import Part
from app.reports.point import Point
from app.reports.table import Table


@dataclass(frozen=True, slots=True)
class Question:
    """Parameters of reports; each takes some of them.

    Attributes:
        dimension: What the rows are told apart by.
        by: day or month.
        first, last: Days in China; None for no limit.
        programme_id, key: Only this programme, this value of the dimension.
        supplier: Registry id of a supplier, 0x-hex.
        voucher_id: A voucher.
        as_of: A block number or a day; None for the newest block.
        language: zh or en, of names.
    """

    dimension: str = "programmes"
    by: str = "month"
    first: date | None = None
    last: date | None = None
    programme_id: int | None = None
    key: str | None = None
    supplier: str | None = None
    voucher_id: int | None = None
    as_of: str | None = None
    language: str = "zh"

    @property
    def part(self) -> Part:
        """The sums that are asked for."""
        return Part(self.dimension, self.programme_id, self.key)

    @property
    def days(self) -> tuple[date, date]:
        """First and last day."""
        return self.first or date.min, self.last or date.max


@dataclass(frozen=True, slots=True)
class Reading:
    """What a report is read with: a database that holds the projection up to the point and, for columns of source
    service and label, the gateway's rows."""

    session: Session
    question: Question
    point: Point


Read: TypeAlias = Callable[[Reading], Table]


@dataclass(frozen=True, slots=True)
class Report:
    """A kind of report.

    Attributes:
        name: In paths and files.
        zh, en: Titles.
        about_zh, about_en: What it tells, in a sentence.
        takes: Members of Question that it takes.
        read: Reads it.
        needs: Those that must be given.
        roles: Who may read it.
        own: An organisation may read the one about itself.
    """

    name: str
    zh: str
    en: str
    about_zh: str
    about_en: str
    takes: tuple[str, ...]
    read: Read
    needs: tuple[str, ...] = ()
    roles: tuple[Role, ...] = field(default=STAFF)
    own: bool = False

    def told(self, question: Question) -> dict[str, Any]:
        """The question as it stands in a file."""
        values = {name: getattr(question, name) for name in self.takes}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
