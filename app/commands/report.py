"""`suanquan report`."""

import json
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich import box
from rich.table import Table

from app.commands.remote import Remote, RemoteError
from app.commands.screen import screen, told
from app.settings import Settings

cli = typer.Typer(add_completion=False)


class Format(StrEnum):
    """Of files; table is for the screen."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class Language(StrEnum):
    """Of headings and names."""

    ZH = "zh"
    EN = "en"


class NoFile(Exception):
    """The report is a file, and none is named."""


Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day in China.")]


@cli.command()
def report(
    name: Annotated[str, typer.Argument(help="Name of a report; left out, the reports are listed.")] = "",
    *,
    as_of: Annotated[str, typer.Option(help="A block number, or a day as 2026-03-05: its end in China.")] = "",
    first: Day = None,
    last: Day = None,
    dimension: Annotated[str, typer.Option(help="programmes, periods, tiers, regions, kinds or suppliers.")] = "",
    by: Annotated[str, typer.Option(help="day or month.")] = "",
    programme: Annotated[int | None, typer.Option(help="Its number.")] = None,
    key: Annotated[str, typer.Option(help="One value of the dimension.")] = "",
    supplier: Annotated[str, typer.Option(help="A supplier's USCC.")] = "",
    voucher: Annotated[int | None, typer.Option(help="Its number.")] = None,
    language: Language = Language.ZH,
    file_format: Annotated[Format, typer.Option("--format", help="What comes out.")] = Format.TABLE,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="The file; else standard output.")] = None,
    api: Annotated[str, typer.Option("--api", metavar="URL", help="The service; else the one that runs here.")] = "",
) -> None:
    """Reads a report from a running service, with the block that it was read at and digests of its rows. Needs
    SUANQUAN_API_KEY, unless the service runs on this machine. Exit status 0 only if the report is there."""
    question = {
        "as_of": as_of,
        "first": first and first.date().isoformat(),
        "last": last and last.date().isoformat(),
        "dimension": dimension,
        "by": by,
        "programme_id": programme,
        "key": key,
        "supplier": supplier,
        "voucher_id": voucher,
        "language": "" if language is Language.ZH else language.value,
        "format": "" if file_format is Format.TABLE else file_format.value,
    }
    query = urlencode({member: value for member, value in question.items() if value not in ("", None)})
    with (
        told(RemoteError, NoFile, OSError),
        Remote(api, Settings().data_dir, "regulator") as remote,
        screen.status("reading"),
    ):
        if not name:
            _list(remote.get("/v1/reports").json()["items"], language.value)
            return
        if file_format in (Format.XLSX, Format.PDF) and out is None and sys.stdout.isatty():
            raise NoFile("name a file with --out: this format is not for the screen")
        content = remote.get(f"/v1/reports/{name}?{query}").content
        if out is not None:
            out.write_bytes(content)
    if file_format is Format.TABLE and out is None:
        _show(json.loads(content), language.value)
    elif out is None:
        sys.stdout.buffer.write(content)
    else:
        screen.print(f"{out}: {len(content):,} bytes")


def _list(reports: list[dict[str, Any]], language: str) -> None:
    for one in reports:
        screen.print(f"[bold]{one['name']:14}[/bold] {one['title'][language]}", highlight=False)
        screen.print(f"{'':15}{one['about'][language]}", style="dim", markup=False)


def _show(content: dict[str, Any], language: str) -> None:
    anchor = content["anchor"]
    table = Table(
        title=f"{content['title'][language]} · {anchor['block_number']} {anchor['block_hash']}",
        box=box.SIMPLE,
        title_justify="left",
    )
    for column in content["columns"]:
        table.add_column(column[language], justify="right" if column["kind"] in ("fen", "count", "bps") else "left")
    for row in content["rows"]:
        table.add_row(*(_cell(column["kind"], row[column["name"]]) for column in content["columns"]))
    screen.print(table)
    screen.print(f"sha-256 {anchor['rows_sha256']}", markup=False)


def _cell(kind: str, value: Any) -> str:
    if value is None:
        return "–"
    if kind == "fen":
        return f"{value // 100:,}.{value % 100:02d}"
    return f"{value / 100:.2f}%" if kind == "bps" else str(value)
