"""Where submissions are checked: small ones at once, large ones in processes beside the service.

Checking takes some 50 µs a record and holds the interpreter; in the service's own process one large submission would
keep all others waiting. The processes start with the first large submission.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process

import msgspec

from app.evidence.check_process import LENGTH_BYTES
from app.evidence.checking import Checks, Job, check

SMALL = 16
"""Records that are checked at once: about a millisecond."""
PROCESSES = min(2, os.cpu_count() or 1)

_encoded = msgspec.msgpack.Encoder().encode
_checks = msgspec.msgpack.Decoder(Checks).decode


class Checkers:
    """The processes; `close` ends them."""

    def __init__(self) -> None:
        self._idle: asyncio.LifoQueue[Process | None] = asyncio.LifoQueue()
        for _ in range(PROCESSES):
            self._idle.put_nowait(None)  # a place for one that is yet to start

    async def check(self, job: Job) -> Checks:
        """What became of the records.

        Raises:
            EOFError: A new process died over them too; the next submission gets another.
        """
        if len(job.records) <= SMALL:
            return check(job)
        encoded = _encoded(job)
        process = await self._idle.get()
        healthy = False
        try:
            answer = None if process is None else await _asked_again(process, encoded)
            if process is None or answer is None:
                process = await _start()
                answer = await _ask(process, encoded)
            healthy = True
        finally:
            # One that was left in the middle of an answer is of no more use.
            if not healthy and process is not None and process.returncode is None:
                process.kill()
            self._idle.put_nowait(process if healthy else None)
        return _checks(answer)

    async def close(self) -> None:
        """Ends the processes that are idle."""
        while not self._idle.empty():
            process = self._idle.get_nowait()
            if process is not None and process.returncode is None and process.stdin is not None:
                process.stdin.close()
                await process.wait()


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "app.evidence.check_process",
        stdin=PIPE,
        stdout=PIPE,
        start_new_session=True,  # Ctrl-C ends the service, which then ends it
    )


async def _asked_again(process: Process, job: bytes) -> bytes | None:
    """The answer of a process that did work before; None if it died meanwhile, which nobody may have noticed yet."""
    try:
        return await _ask(process, job) if process.returncode is None else None
    except EOFError:
        if process.returncode is None:
            process.kill()
        await process.wait()
        return None


async def _ask(process: Process, job: bytes) -> bytes:
    assert process.stdin is not None  # noqa: S101 - a pipe
    assert process.stdout is not None  # noqa: S101 - a pipe
    try:
        process.stdin.write(len(job).to_bytes(LENGTH_BYTES, "big"))
        process.stdin.write(job)
        await process.stdin.drain()
        length = await process.stdout.readexactly(LENGTH_BYTES)
        return await process.stdout.readexactly(int.from_bytes(length, "big"))
    except (BrokenPipeError, ConnectionResetError, asyncio.IncompleteReadError) as error:
        raise EOFError("the checking process died") from error
