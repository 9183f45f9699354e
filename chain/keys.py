"""Keys behind one small interface, and the folder that keeps them.

A signer has an address and signs the keccak256 of bytes; all else follows from these two. By default the keys lie in a
folder of keystore v3 files, which geth, cast and MetaMask read too; `web3signer` has those that another process keeps.
"""

import hmac
import json
import os
import re
import secrets
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from .abi import checksum_address
from .transactions import signed_bytes, unsigned_bytes

# A library under eth_keyfile raises Python's recursion limit to 100,000 when it is imported. With that, C code such as
# a JSON parser runs off its thread's stack: one request of 100 kB of "[" would end the gateway with SIGSEGV.
sys.setrecursionlimit(min(sys.getrecursionlimit(), 15_000))

# The names of the keys that a deployment uses. The admin also deploys.
ADMIN = "admin"
KEY_NAMES = (
    ADMIN,
    "operator",
    "registrar",
    "reviewer-1",
    "reviewer-2",
    "reviewer-3",
    "automatic",
    "finance",
    "regulator",
    "relayer",
)

# scrypt's cost makes guessing a password slow. The password that is made at first start has 256 bits, which nobody
# guesses, so a dear cost would protect nothing and delay every start: 2**14 takes about 50 ms a key where geth's 2**18
# takes a second. Whoever sets a password of their own should set a long one.
SCRYPT_N = 2**14

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class KeystoreError(Exception):
    """A key cannot be read or must not be used; the text says what to do. It never contains a secret."""


class SignerUnavailable(Exception):
    """A signer does not sign now: time-out, refusal, a wrong signature. Nothing was signed; ask again later."""


class Signer(ABC):
    """A key that signs. Signatures are 65 bytes r ‖ s ‖ v, v being 27 or 28, s in the lower half (EIP-2).

    Every method that signs may raise `SignerUnavailable`.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def address(self) -> str:
        """The key's address, EIP-55."""

    @abstractmethod
    def sign_payload(self, payload: bytes) -> bytes:
        """Signature over keccak256(payload)."""

    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        """Raw signed transaction, from fields named as in JSON-RPC (`nonce`, `gas`, `maxFeePerGas`, ...)."""
        return signed_bytes(transaction, self.sign_payload(unsigned_bytes(transaction)))

    def sign_typed_data(self, message: Mapping[str, Any]) -> bytes:
        """Signature over EIP-712 typed data in its JSON form (`types`, `primaryType`, `domain`, `message`)."""
        signable = encode_typed_data(full_message=dict(message))
        return self.sign_payload(b"\x19" + signable.version + signable.header + signable.body)


class LocalSigner(Signer):
    """A private key in memory."""

    __slots__ = ("_address", "_key")

    def __init__(self, private_key: bytes) -> None:
        """Take a private key of 32 bytes.

        Raises:
            ValueError: not a secp256k1 private key.
        """
        self._key = PrivateKey(private_key)
        self._address = checksum_address(keccak(self._key.public_key.format(compressed=False)[1:])[12:])

    @property
    def address(self) -> str:
        """See `Signer`."""
        return self._address

    def sign_payload(self, payload: bytes) -> bytes:
        """See `Signer`."""
        return self.sign_digest(keccak(payload))

    def sign_digest(self, digest: bytes) -> bytes:
        """Signature over 32 bytes, as they are."""
        if len(digest) != 32:
            raise ValueError(f"a digest has 32 bytes, not {len(digest)}")
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"


def derive(seed: bytes, label: str) -> LocalSigner:
    """The key that belongs to a label, for organisations and platforms that keep none themselves.

    Nothing is stored: the same seed and label always give the same key, and no key tells anything of another.

    Args:
        seed: 32 secret bytes.
        label: what the key is for, for example "account:91410100MA45F...".
    """
    if len(seed) < 32:
        raise ValueError("a seed has at least 32 bytes")
    attempt = 0
    while True:
        key = hmac.digest(seed, f"suanquan/key/{attempt}/{label}".encode(), "sha256")
        # All but one in 2**127 values are keys.
        if 0 < int.from_bytes(key, "big") < SECP256K1_ORDER:
            return LocalSigner(key)
        attempt += 1


class Keystore:
    """A folder with one keystore v3 file for each name, all under one password.

        var/keys/password        made at first start, unless the password is given
        var/keys/relayer.json    made when it is first asked for

    Keys are decrypted when they are first used. Two processes may start on one folder at the same time: whoever comes
    second uses the key of the first.
    """

    def __init__(self, folder: str | Path, *, password: str | None = None) -> None:
        """Name the folder.

        Args:
            folder: made where missing, for the owner alone.
            password: of every file here; None reads it from the folder's file `password`, made where missing.

        Raises:
            KeystoreError: others can read the password, or keys are there and the password is not.
        """
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if password == "":
            raise KeystoreError("the keystore's password is empty")
        self._password = password if password is not None else self._stored_password()
        self._secrets: dict[str, bytes] = {}
        self._signers: dict[str, LocalSigner] = {}

    def names(self) -> list[str]:
        """Names that have a key, in order."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def signer(self, name: str) -> LocalSigner:
        """The key of a name, made where missing.

        Raises:
            KeystoreError: others can read the file, the password is wrong, or it is no keystore file.
        """
        if name not in self._signers:
            self._signers[name] = LocalSigner(self.secret(name))
        return self._signers[name]

    def address(self, name: str) -> str:
        """The address that the file of a name gives, 0x and 40 hex digits; the key is made where missing.

        The file is not decrypted, so nothing vouches for the address but who may write the file.

        Raises:
            KeystoreError: see `signer`.
        """
        if name in self._signers:
            return self._signers[name].address
        path = self._existing(name)
        try:
            return checksum_address(json.loads(read_private(path))["address"])
        except (ValueError, LookupError, TypeError):
            return self.signer(name).address  # some wallets leave it out

    def secret(self, name: str) -> bytes:
        """The 32 secret bytes of a name, made where missing: a private key, a seed or a MAC key.

        Raises:
            KeystoreError: see `signer`.
        """
        if name not in self._secrets:
            self._secrets[name] = self._decrypt(self._existing(name))
        return self._secrets[name]

    def store(self, name: str, secret: bytes) -> None:
        """Keep a secret of one's own under a name.

        Raises:
            KeystoreError: the name has another one.
            ValueError: not a secp256k1 private key, which is what a keystore file holds.
        """
        LocalSigner(secret)
        path = self._path(name)
        if not path.exists():
            _write_new(path, self._encrypt(secret))
        if self.secret(name) != secret:
            raise KeystoreError(f"{path} already holds another key")

    def __repr__(self) -> str:
        return f"Keystore({str(self.folder)!r})"

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeystoreError(f"a key's name has lower-case letters, digits and hyphens, unlike {name!r}")
        return self.folder / f"{name}.json"

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.exists():
            self._create(path)
        return path

    def _stored_password(self) -> str:
        path = self.folder / "password"
        # Before the password is looked for: a process that starts together with this one makes it before any key.
        has_keys = bool(self.names())
        if not path.exists():
            if has_keys:
                raise KeystoreError(
                    f"{self.folder} holds keys but no file 'password'; give the password or put it back"
                )
            _write_new(path, secrets.token_urlsafe(32).encode())
        password = read_private(path).decode().strip()
        if not password:
            raise KeystoreError(f"{path} is empty")
        return password

    def _create(self, path: Path) -> None:
        key = 0
        while not 0 < key < SECP256K1_ORDER:
            key = secrets.randbits(256)
        _write_new(path, self._encrypt(key.to_bytes(32, "big")))

    def _encrypt(self, secret: bytes) -> bytes:
        content = create_keyfile_json(secret, self._password.encode(), kdf="scrypt", iterations=SCRYPT_N)
        return json.dumps(content).encode()

    def _decrypt(self, path: Path) -> bytes:
        return open_keyfile(path, self._password)


def open_keyfile(path: Path, password: str) -> bytes:
    """The 32 secret bytes in a keystore v3 file.

    Raises:
        KeystoreError: others can read the file, the password is wrong, or it is no keystore file.
    """
    try:
        return bytes(decode_keyfile_json(json.loads(read_private(path)), password.encode()))
    except (ValueError, LookupError, TypeError, AttributeError, NotImplementedError) as error:
        # Not chained: the message of the cause may show what was decrypted.
        reason = "the password does not open it" if "MAC" in str(error) else "it is no keystore v3 file"
        raise KeystoreError(f"{path}: {reason}") from None


def read_private(path: Path) -> bytes:
    """Content of a file that nobody but its owner can read."""
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise KeystoreError(
            f"{path} can be read by others (mode {mode:o}): chmod 600 {path}, and change what was in it"
        )
    return path.read_bytes()


def _write_new(path: Path, content: bytes) -> None:
    """Put a file there whole, durable and for the owner alone; does nothing if there is one already."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # unlike rename, this fails if somebody was faster
        except FileExistsError:
            return
    finally:
        temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
