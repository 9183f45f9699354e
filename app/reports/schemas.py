"""Bodies of reports, as the API's documentation shows them."""

from typing import Any

from app.schema import Schema


class Title(Schema):
    """A text in Chinese and English."""

    zh: str
    en: str


class ReportAbout(Schema):
    """A kind of report.

    Attributes:
        about: What it tells.
        takes: Query parameters that it takes; `needs` those that must be given.
    """

    name: str
    title: Title
    about: Title
    takes: list[str]
    needs: list[str]


class Catalogue(Schema):
    """The reports that the caller may read."""

    items: list[ReportAbout]


class Anchor(Schema):
    """What a report was read from: anyone can derive it again from the chain; see app/reports/digest.py."""

    chain_id: int
    contracts: dict[str, str]
    block_number: int
    block_hash: str
    moment: int
    parked_events: int
    rows_sha256: str
    chain_sha256: str


class ColumnAbout(Schema):
    """A column: `kind` is fen, count, bps, seconds, instant, text or hash; `source` key, chain, service or label."""

    name: str
    kind: str
    source: str
    zh: str
    en: str


class ReportFile(Schema):
    """A report, in the form that `suanquan audit --report` takes."""

    format: str
    report: str
    title: Title
    question: dict[str, Any]
    anchor: Anchor
    columns: list[ColumnAbout]
    rows: list[dict[str, Any]]
    totals: dict[str, int]
