"""What the commands share: the screen, `--json`, and errors told in one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

screen = Console(stderr=True, highlight=False)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def blocks_bar(*more: TextColumn) -> Progress:
    """How many blocks are done, on the screen until it is over."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *more, TimeElapsedColumn())
    return Progress(*columns, console=screen, transient=True)


@contextmanager
def told(*errors: type[Exception]) -> Iterator[None]:
    """Ends the process with status 1 and the error's text, which says what to do, instead of a traceback."""
    try:
        yield
    except errors as error:
        screen.print(str(error), style="red", markup=False)
        sys.exit(1)
