"""Writes a report as a file: JSON for machines and audits, CSV and XLSX for spreadsheets, PDF for an office."""

from collections.abc import Callable, Mapping

import msgspec

from app.reports.export import Export
from app.reports.formats.delimited import write_csv
from app.reports.formats.printed import write_pdf
from app.reports.formats.workbook import write_xlsx


def write_json(export: Export) -> bytes:
    """The form that is told in app/reports/digest.py."""
    return msgspec.json.encode(export.to_dict())


WRITERS: Mapping[str, Callable[[Export], bytes]] = {
    "json": write_json,
    "csv": write_csv,
    "xlsx": write_xlsx,
    "pdf": write_pdf,
}
MEDIA_TYPES: Mapping[str, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
