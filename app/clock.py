"""The one clock of the gateway."""

import time


def now() -> int:
    """Unix seconds."""
    return int(time.time())
