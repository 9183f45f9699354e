"""Holds an exported report against the chain: block, digests, and each figure that can be derived from events.

The report is read again from a projection made anew of the blocks up to the one it names. What only the service knows
(applications, names) cannot be; those columns are told apart in the file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from app.audit.findings import Findings
from app.audit.reading import header_at
from app.indexer.rollups import begin_of_day, day_of
from app.reports.catalogue import REPORTS
from app.reports.digest import CHAIN, FORMAT, KEY, chain_part, chain_sha256, rows_sha256
from app.reports.point import newest, parked_events
from app.reports.question import Question, Reading, Report
from app.reports.table import Table
from chain.contracts import Contracts
from chain.headers import Header
from chain.rpc import RpcClient

Line: TypeAlias = Mapping[str, Any]


class ReportError(Exception):
    """Not a report's file; the text says what is wrong with it."""


class ReportFile:
    """A report as it was exported.

    Attributes:
        contracts: the deployment that it is about.
        block_number: newest block that counts.
    """

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            OSError: it cannot be read.
            ReportError: it is no report, or one that this version does not know.
        """
        self.name = path.name
        try:
            self._content = json.loads(path.read_bytes())
            if self._content["format"] != FORMAT:
                raise ReportError(f"{path} has format {self._content['format']}, not {FORMAT}")
            self.report: Report = REPORTS[self._content["report"]]
            self.question = _question(self._content["question"])
            anchor = self._anchor = self._content["anchor"]
            named = anchor["contracts"]
            self.contracts = Contracts(
                anchor["chain_id"], named["EntityRegistry"], named["EvidenceLog"], named["VoucherLedger"]
            )
            self.block_number = int(anchor["block_number"])
            self._columns: Sequence[Line] = self._content["columns"]
            self._rows: Sequence[Line] = self._content["rows"]
            self._sums: Line = self._content["totals"]
        except (ValueError, KeyError, TypeError) as error:
            raise ReportError(f"{path} is not a report exported as JSON: {type(error).__name__} {error}") from error

    def check(self, rpc: RpcClient, contracts: Contracts, last: Header, session: Session, findings: Findings) -> int:
        """Compare with a projection of all blocks up to the report's.

        Args:
            contracts: those that were audited.
            last: the block that the report names.
            session: on that projection.

        Returns:
            How many figures were compared.

        Raises:
            RpcUnavailable: the node does not answer.
        """
        findings.outside()
        self._equal(findings, "contracts", contracts.to_dict(), self.contracts.to_dict())
        self._equal(findings, "block", f"0x{last.hash.hex()}", self._anchor["block_hash"])
        point = newest(session, self.contracts)
        moment = self._moment(rpc, last, findings)
        self._equal(findings, "parked events", parked_events(session, point), self._anchor["parked_events"])
        table = self.report.read(Reading(session, self.question, replace(point, moment=moment)))
        self._check_columns(table, findings)
        self._check_digests(findings)
        return self._check_rows(table, findings)

    def _moment(self, rpc: RpcClient, last: Header, findings: Findings) -> int:
        """The block's time, or the end of the day that was asked for, whose last block it must be."""
        try:
            day = date.fromisoformat(self.question.as_of or "")
        except ValueError:
            self._equal(findings, "moment", last.timestamp, self._anchor["moment"])
            return last.timestamp
        moment = begin_of_day((day + timedelta(days=1) - date(1970, 1, 1)).days)
        self._equal(findings, "moment", moment, self._anchor["moment"])
        following = header_at(rpc, last.number + 1)
        if not last.timestamp < moment <= following.timestamp and day_of(last.timestamp) <= day_of(moment):
            found = f"one of {last.timestamp}, followed by one of {following.timestamp}"
            findings.add("report", f"{self.name}: block", expected=f"the last before {moment}", found=found)
        return moment

    def _check_columns(self, table: Table, findings: Findings) -> None:
        """A figure that is called one of the service's would not be compared."""
        expected = [(one.name, one.kind, one.source) for one in table.columns]
        found = [(one["name"], one["kind"], one["source"]) for one in self._columns]
        self._equal(findings, "columns", expected, found)

    def _check_digests(self, findings: Findings) -> None:
        rows = self._rows
        self._equal(findings, "digest of its rows", rows_sha256(rows), self._anchor["rows_sha256"])
        derived = chain_sha256(self._columns, rows)
        self._equal(findings, "digest of what the chain tells", derived, self._anchor["chain_sha256"])
        for name, total in self._sums.items():
            self._equal(findings, f"total of {name}", sum(row[name] or 0 for row in rows), total)

    def _check_rows(self, table: Table, findings: Findings) -> int:
        columns = [one.to_dict() for one in table.columns]
        keys = [one.name for one in table.columns if one.source == KEY]
        told = [one.name for one in table.columns if one.source == CHAIN]
        expected = _by_key(chain_part(columns, table.rows), keys)
        try:
            found = _by_key(chain_part(columns, self._rows), keys)
        except KeyError as error:
            findings.add("report", f"{self.name}: rows", expected="a member for each column", found=f"none for {error}")
            return 0
        nothing: Line = dict.fromkeys(told, 0)
        for place in expected | found:
            row = ", ".join(f"{name} {value}" for name, value in zip(keys, place, strict=True))
            # Rows without figures are left out on both sides.
            ours, theirs = expected.get(place, nothing), found.get(place, nothing)
            for name in told:
                self._equal(findings, f"{name} of {row}", ours[name] or 0, theirs[name] or 0)
        if len(found) != len(chain_part(columns, self._rows)):
            findings.add("report", f"{self.name}: rows", expected="each key once", found="one twice")
        return len(expected) * len(told)

    def _equal(self, findings: Findings, what: str, expected: object, found: object) -> None:
        if expected != found:
            findings.add("report", f"{self.name}: {what}", expected=expected, found=found)


def _question(asked: Mapping[str, Any]) -> Question:
    """What was asked, from the file."""
    days = {"first", "last"}
    values: dict[str, Any] = {
        name: date.fromisoformat(value) if name in days and value else value for name, value in asked.items()
    }
    known = {one.name for one in fields(Question)}
    if unknown := values.keys() - known:
        raise ValueError(f"unknown parameter {', '.join(sorted(unknown))}")
    return Question(**values)


def _by_key(rows: Sequence[Line], keys: Sequence[str]) -> dict[tuple[Any, ...], Line]:
    return {tuple(row[name] for name in keys): row for row in rows}
