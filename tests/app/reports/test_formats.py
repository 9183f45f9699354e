"""Files: what spreadsheets make of them, what they say of where they come from, and that they do not lie."""

import csv
import io
import zlib
from dataclasses import replace

import pytest
from openpyxl import load_workbook

from app.reports.catalogue import REPORTS
from app.reports.digest import chain_sha256, rows_sha256
from app.reports.export import Export
from app.reports.figures import places
from app.reports.formats import WRITERS
from app.reports.formats.delimited import safe
from app.reports.point import Point
from app.reports.question import Question
from app.reports.table import Column, Table, count, fen
from chain.contracts import Contracts

CONTRACTS = Contracts(86371, "0x" + "11" * 20, "0x" + "22" * 20, "0x" + "33" * 20)
COLUMNS = (
    *places("suppliers"),
    count("redeemed", "兑现笔数", "Redeemed"),
    fen("redeemed_fen", "兑现金额", "Redeemed amount"),
    Column("use_bps", "bps", "chain", "使用率", "Use rate"),
    Column("at", "instant", "chain", "时间", "Time"),
)
ROW = {
    "programme_id": 1,
    "key": "0x" + "ab" * 32,
    "uscc": "914101000000000012",
    "name": '=HYPERLINK("http://evil")',
    "redeemed": 3,
    "redeemed_fen": 9_007_199_254_740_993,
    "use_bps": 3_333,
    "at": 1_760_000_000,
}
UNKNOWN = ROW | {"uscc": None, "name": None, "redeemed_fen": -5, "use_bps": None, "redeemed": 0}


@pytest.fixture
def export() -> Export:
    point = Point(12_345, bytes(range(32)), 1_760_000_000, newest=True, opens_after=0)
    question = Question(dimension="suppliers", language="zh")
    return Export(REPORTS["overview"], question, CONTRACTS, point, 0, Table(COLUMNS, [ROW, UNKNOWN]))


def test_csv_is_read_as_it_is_meant(export: Export) -> None:
    content = WRITERS["csv"](export)
    assert content.startswith(b"\xef\xbb\xbf")
    head, first, second, total, empty, *facts = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert head == ["项目", "算力服务商", "统一社会信用代码", "名称", "兑现笔数", "兑现金额(元)", "使用率", "时间"]
    assert first[2:] == [
        "914101000000000012\t",
        '\'=HYPERLINK("http://evil")',
        "3",
        "90071992547409.93",
        "33.33%",
        "2025-10-09 16:53:20 UTC+8",
    ]
    assert second[2:7] == ["", "", "0", "-0.05", ""]
    assert (total[0], total[4:6], empty) == ("合计", ["3", "90071992547409.88"], [])
    assert dict(facts)["区块高度"] == "12345"
    assert dict(facts)["数据摘要 SHA-256"] == rows_sha256([ROW, UNKNOWN])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "\n=1", "=1", "|calc"])
def test_no_text_of_a_csv_is_a_formula(text: str) -> None:
    assert safe(text) == f"'{text}"


def test_texts_that_look_like_numbers_or_dates_keep_their_digits() -> None:
    assert [safe(text) for text in ("2026-03", "2026-03-05", "007", "1e5")] == [
        "2026-03\t",
        "2026-03-05\t",
        "007\t",
        "1e5\t",
    ]
    assert [safe(text) for text in ("410100", "郑州", "tier_1", "0")] == ["410100", "郑州", "tier_1", "0"]


def test_a_workbook_holds_numbers_and_no_formula(export: Export) -> None:
    book = load_workbook(io.BytesIO(WRITERS["xlsx"](export)))
    sheet, source = book.worksheets
    assert (sheet.title, sheet.freeze_panes, sheet.auto_filter.ref) == ("总览", "A2", "A1:H3")
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert [cell.value for cell in sheet[2]][2:7] == [ROW["uscc"], ROW["name"], 3, 90071992547409.93, 0.3333]
    assert (sheet["F2"].number_format, sheet["G2"].number_format) == ("#,##0.00", "0.00%")
    assert [sheet["A4"].value, sheet["F4"].value] == ["合计", 90071992547409.88]
    facts = {row[0].value: row[1].value for row in source.iter_rows()}
    assert facts["区块哈希"] == "0x" + bytes(range(32)).hex()
    assert facts["算力券账本合约"] == CONTRACTS.ledger


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_pdf_is_made_the_same_twice(export: Export, language: str) -> None:
    told = replace(export, question=replace(export.question, language=language))
    content = WRITERS["pdf"](told)
    assert content.startswith(b"%PDF-")
    assert content == WRITERS["pdf"](told)
    assert b"STSong-Light" in content
    empty = replace(told, table=Table(COLUMNS, []))
    assert WRITERS["pdf"](empty).startswith(b"%PDF-")
    assert zlib.crc32(WRITERS["pdf"](empty)) != zlib.crc32(content)


def test_the_digest_of_the_chain_leaves_out_what_only_the_service_knows(export: Export) -> None:
    columns = [column.to_dict() for column in COLUMNS]
    renamed = [ROW | {"name": "other", "uscc": None}, UNKNOWN]
    nothing = dict.fromkeys(ROW, 0) | {"key": "0x" + "cd" * 32, "name": "new", "at": None}
    assert chain_sha256(columns, renamed) == chain_sha256(columns, [ROW, UNKNOWN])
    assert chain_sha256(columns, [*renamed, nothing]) == chain_sha256(columns, [ROW, UNKNOWN])
    assert rows_sha256(renamed) != rows_sha256([ROW, UNKNOWN])
    assert chain_sha256(columns, [ROW | {"redeemed_fen": 1}, UNKNOWN]) != chain_sha256(columns, [ROW, UNKNOWN])
    content = export.to_dict()
    assert content["anchor"]["chain_sha256"] == chain_sha256(content["columns"], content["rows"])
