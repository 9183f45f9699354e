"""The thread that turns pending transactions into blocks."""

import logging
import threading
import time

from .machine import Machine, UnexecutableTransaction
from .pool import Pool

_log = logging.getLogger(__name__)

# Enough to fill a block's gas with plain transfers; the rest waits for the next block.
_MAX_TRANSACTIONS_PER_BLOCK = 5_000
_RETRY_SECONDS = 1.0


class Miner:
    """Mines as soon as something is executable, or every `block_time` seconds, then empty blocks too.

    What arrives while a block is executed goes into the next one, so blocks grow with the load by themselves.
    """

    def __init__(self, machine: Machine, pool: Pool, *, block_time: float | None) -> None:
        self._machine = machine
        self._pool = pool
        self._block_time = block_time
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="suanquan-node-miner", daemon=True)

    def start(self) -> None:
        """Begin to mine."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the block in hand and end."""
        self._stopping.set()
        self._pool.wake()
        self._thread.join()

    def _run(self) -> None:
        while self._wait():
            try:
                self._mine_one()
            except UnexecutableTransaction as error:
                _log.warning("dropped from the pool: %s", error)
                self._pool.drop(error.tx)
            except Exception:  # noqa: BLE001  a dead miner would look like a node that is merely slow
                # Most likely the disk is full. Nothing was committed and nothing pending is lost; it may pass.
                _log.exception("block not written, trying again in %s s", _RETRY_SECONDS)
                self._stopping.wait(_RETRY_SECONDS)

    def _wait(self) -> bool:
        if self._block_time is None:
            self._pool.wait_for_executable(self._stopping)
            return not self._stopping.is_set()
        # The next point of a grid, so that execution time does not add up.
        return not self._stopping.wait(self._block_time - time.monotonic() % self._block_time)

    def _mine_one(self) -> None:
        pending = self._pool.executable(_MAX_TRANSACTIONS_PER_BLOCK)
        if not pending and self._block_time is None:
            return
        self._pool.settle(self._machine.mine(pending))
