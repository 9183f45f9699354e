"""CSV that Excel and WPS open as it is meant: UTF-8 with a byte order mark, figures as numbers, texts as texts.

A text cell can come from anybody, an organisation's name for one. One that begins like a formula gets an apostrophe
in front, so that no program computes it (OWASP, CSV injection). Where a spreadsheet would read a number or a date and
lose digits, a tab follows, which is not shown.
"""

import csv
import io
import re
from typing import Any

from app.reports.export import Export
from app.reports.formats.wording import TOTAL, facts, heading, instant, number
from app.reports.table import Column

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "＝", "＋", "－", "＠")
_READ_AS_NUMBER = re.compile(r"0[0-9]+|[0-9]{12,}|[0-9]{4}-[0-9]{2}(-[0-9]{2})?|[0-9]+[eE][0-9]+")


def write_csv(export: Export) -> bytes:
    """The rows under one line of headings, the totals, and after an empty line where they come from."""
    language = export.question.language
    columns = export.table.columns
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow([safe(heading(column, language)) for column in columns])
    for row in export.table.rows:
        writer.writerow([_cell(column, row[column.name]) for column in columns])
    totals = export.table.totals()
    if totals:
        sums = [_cell(column, totals[column.name]) if column.name in totals else "" for column in columns]
        writer.writerow([TOTAL[language == "en"], *sums[1:]])
    writer.writerow([])
    for name, value in facts(export):
        writer.writerow([safe(name), safe(value)])
    return text.getvalue().encode("utf-8-sig")


def safe(value: str) -> str:
    """A text that no spreadsheet computes or rounds."""
    if value.startswith(_FORMULA):
        return f"'{value}"
    return f"{value}\t" if _READ_AS_NUMBER.fullmatch(value) else value


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if column.kind == "instant":
        return instant(value)
    figure = number(column, value)
    if figure is None:
        return safe(str(value))
    return f"{figure:.2f}" if column.kind == "fen" else f"{figure * 100:.2f}%" if column.kind == "bps" else str(figure)
