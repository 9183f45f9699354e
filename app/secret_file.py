"""Files that only their owner may read."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def write_secret(path: Path, content: Mapping[str, object]) -> None:
    """Writes JSON to a file that is whole or not there, and never readable by others."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
