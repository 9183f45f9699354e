"""A process that checks submissions: reads one job after another from standard input, writes what became of each.

Both are a length of 4 bytes, big-endian, and that much MessagePack. The process ends when its standard input closes, so
also when the service is killed.
"""

import sys

import msgspec

from app.evidence.checking import Job, check

LENGTH_BYTES = 4
_job = msgspec.msgpack.Decoder(Job).decode
_encoded = msgspec.msgpack.Encoder().encode


def main() -> None:
    """Serves until the input ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while length := source.read(LENGTH_BYTES):
        answer = _encoded(check(_job(source.read(int.from_bytes(length, "big")))))
        sink.write(len(answer).to_bytes(LENGTH_BYTES, "big"))
        sink.write(answer)
        sink.flush()


if __name__ == "__main__":
    main()
