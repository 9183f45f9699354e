"""A courier in a process of its own, to be killed: `python -m tests.app.webhooks.courier_process DATABASE_URL`."""

import sys
import threading

from app.settings import Settings
from app.webhooks.courier import Courier
from chain.sql import open_engine, sessions

SEED = bytes(range(32))


def settings(timeout_s: float = 60.0) -> Settings:
    """Settings under which a receiver on the loopback is reached, and soon again."""
    return Settings(webhooks_allow_private=True, webhook_timeout_s=timeout_s, webhook_retry_s=0.05)


if __name__ == "__main__":
    Courier(sessions(open_engine(sys.argv[1])), settings(), SEED).run(threading.Event())
