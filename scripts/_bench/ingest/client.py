"""A client that costs little: requests prepared as bytes, connections kept, nothing parsed but status and length."""

import asyncio
import time
from collections.abc import Iterator, Sequence

import httpx


class Connection:
    """One connection to the service."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: httpx.URL) -> "Connection":
        """Connects."""
        return cls(*await asyncio.open_connection(url.host, url.port, limit=1 << 22))

    @property
    def ended(self) -> bool:
        """Whether the service has closed it, as it does when nothing came for some seconds."""
        return self._reader.at_eof()

    async def send(self, request: bytes) -> bytes:
        """Sends a prepared request; the body of its 201.

        Raises:
            AssertionError: Another status.
        """
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 201"):
            raise AssertionError(f"answered {head[:12]!r} {body[:500]!r}")
        return body

    def close(self) -> None:
        """Ends it."""
        self._writer.close()


def prepared(url: httpx.URL, key: str, body: bytes) -> bytes:
    """A POST of evidence as it goes over the wire."""
    head = (
        f"POST /v1/evidence HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def in_lanes(url: httpx.URL, lanes: Sequence[Sequence[bytes]]) -> float:
    """Sends each lane's requests one after another, all lanes at once; seconds until the last is answered."""
    connections = [await Connection.open(url) for _ in lanes]

    async def run(connection: Connection, requests: Sequence[bytes]) -> None:
        for request in requests:
            await connection.send(request)

    start = time.perf_counter()
    await asyncio.gather(*(run(*pair) for pair in zip(connections, lanes, strict=True)))
    seconds = time.perf_counter() - start
    for connection in connections:
        connection.close()
    return seconds


async def at_rate(url: httpx.URL, requests: Iterator[bytes], *, per_s: int, seconds: float) -> list[float]:
    """Sends at a fixed rate whatever the answers take; latencies in seconds from when each should have been sent."""
    idle: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    latencies: list[float] = []

    async def one(request: bytes, due: float) -> None:
        connection = None if idle.empty() else idle.get_nowait()
        if connection is None or connection.ended:
            connection = await Connection.open(url)
        await connection.send(request)
        latencies.append(time.perf_counter() - due)
        idle.put_nowait(connection)

    start = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(per_s * seconds)):
            due = start + number / per_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(one(next(requests), due))
    while not idle.empty():
        idle.get_nowait().close()
    return latencies
