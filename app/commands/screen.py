"""What the commands share: the screen, `--json`, and errors told in one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

screen = Console(stderr=True, highlight=False)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@contextmanager
def told(*errors: type[Exception]) -> Iterator[None]:
    """Ends the process with status 1 and the error's text, which says what to do, instead of a traceback."""
    try:
        yield
    except errors as error:
        screen.print(str(error), style="red", markup=False)
        sys.exit(1)
