"""A report with all that it takes to hold it against the chain; the form is told in digest.py."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.reports.digest import FORMAT, chain_sha256, rows_sha256
from app.reports.point import Point
from app.reports.question import Question, Report
from app.reports.table import Table
from chain.contracts import Contracts


@dataclass(frozen=True)
class Export:
    """A report that was read.

    Attributes:
        parked_events: Events up to the point that could not be counted.
    """

    report: Report
    question: Question
    contracts: Contracts
    point: Point
    parked_events: int
    table: Table

    @property
    def filename(self) -> str:
        """Name of a file, without its ending."""
        return f"suanquan-{self.report.name}-{self.point.block_number}"

    @cached_property
    def anchor(self) -> dict[str, Any]:
        """Chain, block and digests."""
        columns = [column.to_dict() for column in self.table.columns]
        return {
            "chain_id": self.contracts.chain_id,
            "contracts": {str(name): address for name, address in self.contracts.addresses.items()},
            "block_number": self.point.block_number,
            "block_hash": f"0x{self.point.block_hash.hex()}",
            "moment": self.point.moment,
            "parked_events": self.parked_events,
            "rows_sha256": rows_sha256(self.table.rows),
            "chain_sha256": chain_sha256(columns, self.table.rows),
        }

    def to_dict(self) -> dict[str, Any]:
        """The file."""
        return {
            "format": FORMAT,
            "report": self.report.name,
            "title": {"zh": self.report.zh, "en": self.report.en},
            "question": self.report.told(self.question),
            "anchor": self.anchor,
            "columns": [column.to_dict() for column in self.table.columns],
            "rows": self.table.rows,
            "totals": self.table.totals(),
        }
