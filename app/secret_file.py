"""Files that only their owner may read."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_secret(path: Path, content: Mapping[str, object]) -> None:
    """Writes JSON to a file that is whole or not there, and never readable by others."""
    # Under a name of its own: two processes may start on one folder at the same time.
    descriptor, temporary = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
