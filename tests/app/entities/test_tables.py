"""Tables that somebody uploads, row by row, without a service."""

import io
import zipfile
from datetime import datetime

import pytest
from openpyxl import Workbook

from app.entities import tables
from app.entities.tables import TableRefused, rows


def workbook(*lines: list[object]) -> bytes:
    """An XLSX file."""
    book = Workbook()
    for line in lines:
        book.active.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def read(content: bytes) -> list[tuple[int, list[str]]]:
    """Rows with the text of each cell, or the rule that it breaks."""
    return [(number, [cell.rule.upper() or cell.text for cell in row]) for number, row in rows(content)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_of_both_encodings_is_read(encoding: str) -> None:
    content = '机构名称,区划\r\n\r\n"郑州,算力",410100\r\n'.encode(encoding)
    assert read(content) == [(1, ["机构名称", "区划"]), (3, ["郑州,算力", "410100"])]


def test_a_spreadsheet_gives_text_days_and_whole_numbers_and_no_formula() -> None:
    content = workbook(
        ["uscc", "day", "region"],
        [],
        ["  甲 ", datetime(2027, 12, 31), 410100],  # noqa: DTZ001 - a spreadsheet knows no time zone
        ['=HYPERLINK("http://x")', True, 1.5],
        [91410100123456789, "+1", "=1+1"],
    )
    assert read(content) == [
        (1, ["uscc", "day", "region"]),
        (3, ["甲", "2027-12-31", "410100"]),
        (4, ["FORMULA", "TEXT", "TEXT"]),
        (5, ["TEXT", "FORMULA", "FORMULA"]),
    ]


def test_a_cell_that_begins_like_a_formula_is_no_text_in_csv_either() -> None:
    assert read(b"a,b\n=1,@x\n") == [(1, ["a", "b"]), (2, ["FORMULA", "FORMULA"])]


def _bomb() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(tables.MAX_UNPACKED + 1))
    return content.getvalue()


def _entity_bomb() -> bytes:
    book = io.BytesIO(workbook(["a"]))
    content = io.BytesIO()
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                part = f'<!DOCTYPE x [<!ENTITY l0 "lol">{levels}]><worksheet>&l11;</worksheet>'.encode()
            new.writestr(name, part)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe" + "甲,乙".encode("utf-16-le"),
        b"a,b\n\x00,1\n",
        b'a,b\n"open,1\n',
        b"PK\x03\x04 no archive",
        b",".join([b"a"] * (tables.MAX_COLUMNS + 1)),
        b"a\n" + b"1\n" * (tables.MAX_ROWS + 1),
        _bomb(),
        _entity_bomb(),
    ],
    ids=["utf-16", "nul", "open quote", "no archive", "columns", "rows", "zip bomb", "entity bomb"],
)
def test_what_is_no_table_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(TableRefused):
        read(content)
