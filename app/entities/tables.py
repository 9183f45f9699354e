"""Reads a table that somebody uploads, CSV or XLSX, into rows of text. Nothing in it is computed or believed.

A formula is refused wherever it stands: what it shows is not what the file says, and a text that begins like one
becomes one when a colleague opens an export of it.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

MAX_ROWS = 20_000
MAX_COLUMNS = 64
MAX_TEXT = 500
MAX_UNPACKED = 64 * 1024 * 1024
"""Bytes that an XLSX file may have once unpacked."""
TABLE_FILES = {
    "text/csv": {"schema": {"type": "string"}},
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
        "schema": {"type": "string", "format": "binary"}
    },
}
"""What an upload of a table may be, for the API's documentation."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TableRefused(Exception):
    """The file as a whole is refused; the text says why."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell: text, or the rule that it breaks."""

    text: str = ""
    rule: str = ""
    detail: str = ""


def rows(content: bytes) -> Iterator[tuple[int, Sequence[Cell]]]:
    """The rows of a file with their numbers as a spreadsheet shows them, empty ones left out.

    Raises:
        TableRefused: It is neither CSV (UTF-8 or GB18030) nor XLSX, or is too large.
    """
    read = _of_xlsx(content) if content.startswith(b"PK\x03\x04") else _of_csv(content)
    for number, row in enumerate(read, 1):
        if len(row) > MAX_COLUMNS:
            raise TableRefused(f"row {number} has more than {MAX_COLUMNS} columns")
        if number > MAX_ROWS + 1:
            raise TableRefused(f"the file has more than {MAX_ROWS} rows")
        if any(cell.text or cell.rule for cell in row):
            yield number, row


def _of_csv(content: bytes) -> Iterator[list[Cell]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise TableRefused("the file is neither XLSX nor text in UTF-8 or GB18030")
    if "\0" in text:
        raise TableRefused("the file is no text: it holds NUL")
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            yield [_text(value) for value in row]
    except csv.Error as error:
        raise TableRefused(f"the file is no CSV: {error}") from error


def _of_xlsx(content: bytes) -> Iterator[list[Cell]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
                raise TableRefused(f"the file unpacks to more than {MAX_UNPACKED} bytes")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size may be less than there is
        for row in sheet.iter_rows():
            yield [_cell(cell) for cell in row]
    except (
        zipfile.BadZipFile,
        zlib.error,
        InvalidFileException,
        ParseError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        EOFError,
        NotImplementedError,
    ) as error:
        # openpyxl has no error of its own for files that are broken inside.
        raise TableRefused("the file is no XLSX that can be read") from error


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return Cell()
    if cell.data_type == "f":
        return Cell(rule="formula", detail="is a formula; put the value there")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        return Cell(value.date().isoformat())
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
        return Cell(str(value))
    return Cell(
        rule="text", detail="is stored as a number or another type, which may have lost digits; format it as text"
    )


def _text(value: str) -> Cell:
    text = value.strip()
    if text.startswith(_FORMULA):
        return Cell(rule="formula", detail="begins like a formula")
    if len(text) > MAX_TEXT:
        return Cell(rule="length", detail=f"has more than {MAX_TEXT} characters")
    return Cell(text)
