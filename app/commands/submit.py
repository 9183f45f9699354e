"""`suanquan submit`."""

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.client.client import DEFAULT_BATCH, MAX_BATCH, EvidenceClient
from app.client.columns import MappingError, constant
from app.client.files import FileError, Line, problems_of, read_csv, read_ndjson
from app.client.gpu_trace import Party, read_trace
from app.client.key_files import read_key, read_secret
from app.client.receipts import SHOWN, Receipts, ReceiptsError, ReceiptsInUse
from app.client.sending import Row
from app.client.transport import Refused, Unreachable
from app.commands.screen import AsJson, screen, told
from chain.keys import KeystoreError, LocalSigner, open_keyfile
from chain.record import RecordError
from chain.text_rules import is_uscc

cli = typer.Typer(add_completion=False)


class Format(StrEnum):
    """What a file is."""

    CSV = "csv"
    NDJSON = "ndjson"
    OPENB = "openb"


class Stop(Exception):
    """The run ends here; the text says why and what to do."""


@dataclass(frozen=True)
class Source:
    """A file and how its lines become records. It is read twice: a file with a bad line is not begun."""

    path: Path
    format: Format
    platform: str
    mapped: list[str]
    constants: dict[str, Any]
    buyers: list[Party]
    suppliers: list[Party]

    def lines(self) -> Iterator[Line]:
        """The lines, from the first on."""
        if self.format is Format.CSV:
            return read_csv(self.path, self.mapped, self.constants)
        if self.format is Format.NDJSON:
            return read_ndjson(self.path, self.constants)
        return read_trace(self.path, platform=self.platform, buyers=self.buyers, suppliers=self.suppliers)


@cli.command()
def submit(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Trades: CSV, NDJSON or a GPU trace.")],
    *,
    platform: Annotated[str, typer.Option(help="USCC of the platform that posts.")],
    url: Annotated[str, typer.Option(help="Address of the gateway.")] = "http://127.0.0.1:8420",
    kind: Annotated[
        Format | None, typer.Option("--format", help="By the file's name if left out; openb: a public GPU trace.")
    ] = None,
    api_key_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File with the API key; else SUANQUAN_API_KEY.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File with the evidence key, 64 hex digits.")
    ] = None,
    keystore: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Keystore v3 file instead; its password in SUANQUAN_KEYSTORE_PASSWORD."
        ),
    ] = None,
    jurisdiction_key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File with it, 64 hex digits; needed to sign.")
    ] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD[:yuan|:cst]", help="A column of another name; again for more."),
    ] = None,
    constants: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field that every record gets.")
    ] = None,
    buyer: Annotated[
        list[str] | None, typer.Option(metavar="USCC:REGION", help="For a GPU trace; again for more.")
    ] = None,
    supplier: Annotated[
        list[str] | None, typer.Option(metavar="USCC:REGION", help="For a GPU trace; again for more.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=MAX_BATCH, help="Records in a submission.")] = DEFAULT_BATCH,
    receipts: Annotated[Path | None, typer.Option(help="Default: FILE.receipts.ndjson.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, post nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Posts a file of trades, signed with the platform's key, and keeps the receipts beside it.

    Without a key the gateway signs (custody). Run again after an interruption, with the same options: it goes on where
    it was, and no record is posted twice. Exit status 0 only if the gateway holds every record.
    """
    errors = (FileError, KeystoreError, MappingError, OSError, ReceiptsError, ReceiptsInUse, Stop)
    with told(*errors, Refused, RecordError, Unreachable, ValueError):
        if key is not None and keystore is not None:
            raise Stop("name the evidence key by --key or by --keystore, not by both")
        if not is_uscc(platform):
            raise Stop(f"--platform {platform}: must be a USCC, 18 characters with the right check character")
        source = Source(
            path=file,
            format=kind or _format_of(file),
            platform=platform,
            mapped=mapped or [],
            constants=dict(constant(one) for one in constants or ()),
            buyers=[_party(one) for one in buyer or ()],
            suppliers=[_party(one) for one in supplier or ()],
        )
        if source.format is Format.OPENB and not (source.buyers and source.suppliers):
            raise Stop("a GPU trace names no parties: give --buyer and --supplier, as USCC:REGION, once or more")
        began = time.monotonic()
        with _bar(as_json) as bar:
            count, bad = _check(source, bar)
            if bad or dry_run:
                _tell(as_json, {"file": str(file), "records": count, "problems": bad, "posted": False})
                raise typer.Exit(1 if bad else 0)
            signer = LocalSigner(open_keyfile(keystore, _password())) if keystore else read_key(key) if key else None
            client = EvidenceClient(
                url,
                api_key=_api_key(api_key_file),
                platform=platform,
                signer=signer,
                jurisdiction_key=read_secret(jurisdiction_key) if jurisdiction_key else None,
            )
            with client, Receipts(receipts or file.with_name(f"{file.name}.receipts.ndjson")) as book:
                _post(client, source, book, bar, batch=batch, count=count)
        summary = {
            "file": str(file),
            "records": book.records,
            "posted": True,
            **{status: book.counts[status] for status in ("stored", "duplicate", "refused")},
            "problems": [{"line": item["line"], **error} for item in book.refused for error in item["errors"]],
            "custody": signer is None,
            "receipts": str(book.path),
            "seconds": round(time.monotonic() - began, 3),
        }
        _tell(as_json, summary)
        raise typer.Exit(1 if book.counts["refused"] else 0)


def _check(source: Source, bar: Progress) -> tuple[int, list[dict[str, Any]]]:
    """Number of records, and the first problems; nothing is posted of a file that has any."""
    task = bar.add_task("checking", total=None)
    bad: list[dict[str, Any]] = []
    count = 0
    for line in source.lines():
        count += 1
        if len(bad) < SHOWN:
            bad += [
                {"line": line.number, "pointer": one.pointer, "rule": one.rule, "detail": one.message}
                for one in problems_of(line, source.platform)
            ]
        if count % 1000 == 0:
            bar.update(task, completed=count)
    bar.update(task, completed=count, total=count)
    if not count:
        raise Stop(f"{source.path} holds no records")
    return count, bad[:SHOWN]


def _post(client: EvidenceClient, source: Source, book: Receipts, bar: Progress, *, batch: int, count: int) -> None:
    rows = _behind(source, book)
    task = bar.add_task("posting", total=count, completed=book.records)
    for sent in client.send(rows, batch=batch):
        book.add(sent)
        bar.update(task, completed=book.records)


def _behind(source: Source, book: Receipts) -> Iterable[Row]:
    """The records that are not acknowledged yet: all, if one of those before them was changed since."""
    lines = source.lines()
    done = book.records
    for line in islice(lines, done):
        book.covers(line.record)
    if done and not book.is_unchanged():
        screen.print("the file was changed since; beginning anew, the gateway knows what it has", style="yellow")
        book.begin_anew()
        lines = source.lines()
    elif done:
        screen.print(f"{done} records are acknowledged already; going on behind them")
    return (Row(line.number, line.record) for line in lines)


def _bar(as_json: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=screen, disable=as_json or not screen.is_terminal, transient=True)


def _tell(as_json: bool, summary: dict[str, Any]) -> None:
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
        return
    for problem in summary["problems"]:
        place = problem["pointer"].removeprefix("/") or "record"
        text = f"line {problem['line']}, {place}: {problem['detail']} ({problem['rule']})"
        screen.print(text, style="red", markup=False)
    if not summary["posted"]:
        words = f"{len(summary['problems'])} problems shown; nothing was posted" if summary["problems"] else "all good"
        screen.print(f"{summary['records']} records checked, {words}")
        return
    signed = "signed by the gateway (custody)" if summary["custody"] else "signed with the platform's key"
    screen.print(
        f"{summary['records']} records: {summary['stored']} stored, {summary['duplicate']} there before, "
        f"{summary['refused']} refused; {signed}; receipts in {summary['receipts']}"
    )


def _format_of(file: Path) -> Format:
    known = {".csv": Format.CSV, ".ndjson": Format.NDJSON, ".jsonl": Format.NDJSON}
    if file.suffix.lower() not in known:
        raise Stop(f"{file} ends in none of {', '.join(known)}: name its --format")
    return known[file.suffix.lower()]


def _party(text: str) -> Party:
    uscc, colon, region = text.rpartition(":")
    if not colon:
        raise Stop(f"{text!r} is no USCC:REGION, such as 91410100MA4H00001X:410100")
    return Party(uscc, region)


def _api_key(path: Path | None) -> str:
    found = path.read_text().strip() if path else os.environ.get("SUANQUAN_API_KEY", "")
    if not found:
        raise Stop("an API key is needed: --api-key-file FILE, or SUANQUAN_API_KEY in the environment")
    return found


def _password() -> str:
    found = os.environ.get("SUANQUAN_KEYSTORE_PASSWORD", "")
    if not found:
        raise Stop("put the keystore's password into SUANQUAN_KEYSTORE_PASSWORD")
    return found
