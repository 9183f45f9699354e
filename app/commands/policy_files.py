"""Which policy a command means: a file, or one that ships with the product."""

from pathlib import Path
from typing import Annotated

import typer

from app.policies.files import PolicyError, shipped

Which = Annotated[str, typer.Argument(metavar="POLICY", help="A policy file, or the id of a shipped policy.")]


def read(which: str) -> bytes:
    """The bytes of a policy file, or of a shipped policy.

    Raises:
        PolicyError: There is neither.
    """
    if which in shipped():
        return shipped()[which]
    try:
        return Path(which).read_bytes()
    except OSError as error:
        known = ", ".join(shipped())
        raise PolicyError(f"{which} is neither a file that can be read nor a shipped policy ({known})") from error
