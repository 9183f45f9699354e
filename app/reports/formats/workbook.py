"""XLSX: a sheet with the rows, headings that stay in sight and filters, and one that says where they come from."""

import io
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from app.reports.export import Export
from app.reports.formats.wording import TOTAL, facts, heading, instant, number, title
from app.reports.table import Column

_FORMATS = {"fen": "#,##0.00", "bps": "0.00%", "seconds": "#,##0.0", "count": "0"}
_WIDTHS = {"hash": 68, "text": 22, "fen": 20, "instant": 26}
_HEAD = PatternFill("solid", fgColor="DCE6F1")


def write_xlsx(export: Export) -> bytes:
    """The file."""
    language = export.question.language
    columns = export.table.columns
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title(export)[:31])
    sheet.freeze_panes = "A2"
    for index, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(index)].width = _WIDTHS.get(column.kind, 14)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(export.table.rows) + 1}"
    head = [_text(sheet, heading(column, language), bold=True) for column in columns]
    for cell in head:
        cell.fill, cell.alignment = _HEAD, Alignment(wrap_text=True, vertical="center")
    sheet.append(head)
    for row in export.table.rows:
        sheet.append([_cell(sheet, column, row[column.name]) for column in columns])
    totals = export.table.totals()
    if totals:
        sums = [_cell(sheet, one, totals[one.name], bold=True) if one.name in totals else None for one in columns]
        sheet.append([_text(sheet, TOTAL[language == "en"], bold=True), *sums[1:]])
    source = book.create_sheet("来源" if language == "zh" else "Source")
    source.column_dimensions["A"].width, source.column_dimensions["B"].width = 30, 80
    for name, value in facts(export):
        source.append([_text(source, name, bold=True), _text(source, value)])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(sheet: Any, column: Column, value: Any, *, bold: bool = False) -> Any:
    if value is None:
        return None
    if column.kind == "instant":
        return _text(sheet, instant(value))
    figure = number(column, value)
    if figure is None:
        return _text(sheet, str(value))
    cell = WriteOnlyCell(sheet, figure)
    cell.number_format = _FORMATS[column.kind]
    if bold:
        cell.font = Font(bold=True)
    return cell


def _text(sheet: Any, value: str, *, bold: bool = False) -> Any:
    """A cell that is text whatever it begins with: openpyxl would take a leading = for a formula."""
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
