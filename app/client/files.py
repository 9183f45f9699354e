"""Reads records from files of any length, line by line. Whatever is wrong with a line names it."""

import csv
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from app.client.columns import Columns
from chain.record import Problem, RecordError, from_dict

CLOCK_SKEW_S = 60
"""How far a trade may lie ahead of this machine's clock; the gateway allows as much."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class FileError(ValueError):
    """A file that cannot be read as what it should be; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A record as it stands in a file.

    Attributes:
        number: Line of the file, from 1; of a record over several lines the last one.
        problems: What could not be read of it.
    """

    number: int
    record: dict[str, Any]
    problems: list[Problem]


def read_csv(path: Path, mapped: Sequence[str], constants: Mapping[str, Any]) -> Iterator[Line]:
    """The lines of a CSV file in UTF-8 whose first line names the columns; see `app.client.columns`.

    Raises:
        MappingError: A column cannot be mapped.
        FileError: The file is no CSV in UTF-8.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        cells = csv.reader(file, strict=True)
        try:
            header = next(cells, None)
            if header is None:
                raise FileError(f"{path} is empty; its first line names the columns")
            columns = Columns([name.strip() for name in header], mapped, constants)
            for found in cells:
                if found:
                    yield Line(cells.line_num, *columns.record(found))
        except csv.Error as error:
            raise FileError(f"{path}, line {cells.line_num}: no CSV: {error}") from error
        except UnicodeDecodeError as error:
            raise FileError(f"{path}, after line {cells.line_num}: not UTF-8: {error.reason}") from error


def read_ndjson(path: Path, constants: Mapping[str, Any]) -> Iterator[Line]:
    """The lines of an NDJSON file: one JSON object in each, empty lines passed over."""
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                yield Line(number, {**_decode(text), **constants}, [])
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                yield Line(number, {}, [Problem("", "json", f"is no JSON object in UTF-8: {error}")])


def problems_of(line: Line, platform: str) -> list[Problem]:
    """Everything that is wrong with a line, as far as it can be told here."""
    if line.problems:
        return line.problems
    record = {"platform": platform, **line.record}
    try:
        from_dict(record, now=int(time.time()) + CLOCK_SKEW_S)
    except RecordError as error:
        return error.problems
    if record["platform"] != platform:
        return [Problem("/platform", "same_platform", f"must be the platform that posts, {platform}")]
    return []
