"""Files that hold one secret of 32 bytes as 64 hex digits, for the eyes of their owner alone."""

import os
import re
import secrets
from pathlib import Path

from chain.keys import KeystoreError, LocalSigner, read_private

_HEX = re.compile(rb"(0x)?[0-9a-fA-F]{64}\s*")


def read_secret(path: str | Path) -> bytes:
    """The 32 bytes in a file, for example a jurisdiction key.

    Raises:
        KeystoreError: Others can read the file, or it holds something else.
        OSError: It cannot be read.
    """
    content = read_private(Path(path))
    if not _HEX.fullmatch(content):
        raise KeystoreError(f"{path} must hold 64 hex digits and nothing else")
    return bytes.fromhex(content.decode().strip().removeprefix("0x"))


def read_key(path: str | Path) -> LocalSigner:
    """The private key in a file.

    Raises:
        KeystoreError: As `read_secret`, or it is no secp256k1 key.
        OSError: It cannot be read.
    """
    try:
        return LocalSigner(read_secret(path))
    except ValueError:
        # Not chained: the cause may show the key.
        raise KeystoreError(f"{path} holds no secp256k1 private key") from None


def new_key(path: str | Path) -> LocalSigner:
    """Makes a private key and the file that holds it.

    Raises:
        FileExistsError: There is such a file; it is left as it is.
    """
    key = secrets.token_bytes(32)
    signer = LocalSigner(key)
    write_secret(path, key)
    return signer


def write_secret(path: str | Path, secret: bytes) -> None:
    """Makes the file of a secret.

    Raises:
        FileExistsError: There is such a file; it is left as it is.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
