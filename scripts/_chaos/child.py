"""One process of the service under attack. Whoever forks it has imported the commands already, which takes longer than
all else that a process does until it works; the processes share nothing but what was loaded."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import app.commands.deploy
import app.commands.index
import app.commands.serve
import app.commands.work  # noqa: F401 - see above
from app.cli import main


def run(command: Sequence[str], environment: Mapping[str, str], log: Path, output: Path | None) -> None:
    """`suanquan COMMAND`, in the process that was forked for it.

    Args:
        log: what it says is added here.
        output: what it prints goes here; to the log by default.
    """
    os.environ.clear()
    os.environ.update(environment)
    for path, descriptors in ((log, (1, 2)), (output, (1,))):
        if path is not None:
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for descriptor in descriptors:
                os.dup2(opened, descriptor)
    sys.argv = ["suanquan", *command]
    main()
