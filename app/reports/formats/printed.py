"""PDF on A4, to print, sign and file. Chinese is set in STSong-Light, all else in Helvetica: PDF readers bring both.

A report with more columns than a page is wide comes in panels: the columns that say what a row is about stand in each.
"""

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from app.reports.export import Export
from app.reports.formats.wording import TOTAL, facts, heading, title, written
from app.reports.table import KEY, LABEL, Column

_CHINESE, _LATIN = "STSong-Light", "Helvetica"
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_PAGE = landscape(A4)
_MARGIN = 12 * mm
_WIDTHS = {"fen": 29, "count": 17, "bps": 17, "seconds": 19, "instant": 36, "text": 34, "hash": 46}
"""Of columns by kind, in mm."""
_TEXT = ParagraphStyle("text", fontName=_LATIN, fontSize=7.5, leading=9.5, wordWrap="CJK")
_HEAD = ParagraphStyle("head", parent=_TEXT, textColor=HexColor("#1f3864"))
_HEAD_RIGHT = ParagraphStyle("head of figures", parent=_HEAD, alignment=TA_RIGHT)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontSize=17, leading=23, textColor=HexColor("#1f3864"))
_ABOUT = ParagraphStyle("about", parent=_TEXT, fontSize=9, leading=12, textColor=HexColor("#555555"))
_FOOT = ParagraphStyle("foot", parent=_TEXT, fontSize=6.5, textColor=HexColor("#777777"))
_FOOT_RIGHT = ParagraphStyle("number of the page", parent=_FOOT, alignment=TA_RIGHT)
_SIGNED = (("制表", "复核", "日期"), ("Prepared by", "Checked by", "Date"))
_PAGES = ("第 {page} 页,共 {pages} 页", "Page {page} of {pages}")
_BLOCK = ("区块 {number} · {hash} · 数据摘要 {digest}", "Block {number} · {hash} · rows {digest}")
_EMPTY = ("没有数据。", "There are no rows.")
_STYLE = TableStyle(
    [
        ("FONT", (0, 0), (-1, -1), _LATIN, 7.2, 9.5),
        ("BACKGROUND", (0, 0), (-1, 0), HexColor("#dce6f1")),
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, HexColor("#1f3864")),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, HexColor("#d0d0d0")),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]
)


def write_pdf(export: Export) -> bytes:
    """The file; the same report gives the same bytes."""
    pdfmetrics.registerFont(UnicodeCIDFont(_CHINESE))
    english = export.question.language == "en"
    about = export.report.about_en if english else export.report.about_zh
    story: list[Flowable] = [_text(title(export), _TITLE), _text(about, _ABOUT)]
    story.append(Spacer(0, 4 * mm))
    if not export.table.rows:
        story.append(_text(_EMPTY[english], _TEXT))
    for number, columns in enumerate(_panels(export.table.columns) if export.table.rows else ()):
        story += [PageBreak()] if number else []
        story.append(_panel(export, columns, english=english))
    story += [Spacer(0, 6 * mm), _source(export), Spacer(0, 8 * mm)]
    story.append(_text((" " * 8).join(f"{one}: {'_' * 24}" for one in _SIGNED[english]), _TEXT))
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=_PAGE,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + 6 * mm,
        title=title(export),
        author="Suanquan 算券",
        invariant=1,
    )
    document.build(story, canvasmaker=_numbered(export, english=english))
    return file.getvalue()


def _panels(columns: Sequence[Column]) -> Iterator[list[Column]]:
    """Columns that fit on a page side by side."""
    about = [column for column in columns if column.source in (KEY, LABEL)]
    width = (_PAGE[0] - 2 * _MARGIN) / mm
    panel = list(about)
    for column in columns:
        if column in about:
            continue
        if sum(_WIDTHS[one.kind] for one in [*panel, column]) > width and len(panel) > len(about):
            yield panel
            panel = list(about)
        panel.append(column)
    yield panel


def _panel(export: Export, columns: Sequence[Column], *, english: bool) -> Flowable:
    language = export.question.language
    head = [_text(heading(one, language), _HEAD_RIGHT if _is_figure(one) else _HEAD) for one in columns]
    cells: list[list[Any]] = [head]
    cells += [[_cell(column, row[column.name]) for column in columns] for row in export.table.rows]
    totals = export.table.totals()
    if totals:
        sums = [written(one, totals[one.name]) if one.name in totals else "" for one in columns]
        cells.append([_text(TOTAL[english], _TEXT), *sums[1:]])
    table = LongTable(cells, colWidths=[_WIDTHS[one.kind] * mm for one in columns], repeatRows=1, hAlign="LEFT")
    table.setStyle(_STYLE)
    figures = [("ALIGN", (at, 1), (at, -1), "RIGHT") for at, one in enumerate(columns) if _is_figure(one)]
    last = [("BACKGROUND", (0, -1), (-1, -1), HexColor("#f2f2f2"))] if totals else []
    table.setStyle(TableStyle([*figures, *last]))
    return table


def _is_figure(column: Column) -> bool:
    return column.kind in ("fen", "bps", "seconds") or (column.kind == "count" and column.source not in (KEY, LABEL))


def _cell(column: Column, value: Any) -> Any:
    text = written(column, value)
    return _text(text, _TEXT) if column.kind in ("text", "hash") or not text.isascii() else text


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    """A paragraph, each run of characters in the font that has them."""
    markup = escape(text).replace("  ", "&nbsp; ")
    return Paragraph(_BEYOND_ASCII.sub(lambda run: f'<font name="{_CHINESE}">{run[0]}</font>', markup), style)


def _source(export: Export) -> Flowable:
    rows = [[_text(name, _HEAD), _text(value, _TEXT)] for name, value in facts(export)]
    table = LongTable(rows, colWidths=[48 * mm, 150 * mm], hAlign="LEFT")
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 1)]))
    return table


def _numbered(export: Export, *, english: bool) -> type[Canvas]:
    """A canvas that writes at the foot of each page where it comes from, and which of how many it is."""
    anchor = export.anchor
    block = _BLOCK[english].format(
        number=anchor["block_number"], hash=anchor["block_hash"], digest=anchor["rows_sha256"][:18] + "…"
    )

    class Numbered(Canvas):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                pages = _PAGES[english].format(page=number, pages=len(self._pages))
                for text, style in ((block, _FOOT), (pages, _FOOT_RIGHT)):
                    line = _text(text, style)
                    line.wrapOn(self, _PAGE[0] - 2 * _MARGIN, _MARGIN)
                    line.drawOn(self, _MARGIN, 7 * mm)
                super().showPage()
            super().save()

    return Numbered
