"""Keys that a remote signer keeps, spoken to by Web3Signer's `eth1` API.

`POST /api/v1/eth1/sign/{public key}` takes `{"data": "0x…"}`, hashes the bytes with keccak256 itself and answers with
r ‖ s ‖ v as hex text; so it is sent the unsigned transaction, or the preimage of EIP-712, and never a bare digest.
Other signers with this API may answer v as 0 or 1, or s in the upper half: both are brought into form, and then the
signature must be the key's. Source: openapi-specs/eth1 and Eth1SignForIdentifierHandler in Consensys/web3signer.
"""

import threading
from urllib.parse import urlsplit

import httpx
from coincurve import PublicKey
from eth_hash.auto import keccak

from .abi import checksum_address
from .keys import SECP256K1_ORDER, Signer, SignerUnavailable
from .signatures import recover

DEFAULT_TIMEOUT_SECONDS = 5.0
_PUBLIC_KEY_BYTES = 64
_SIGNATURE_BYTES = 65


class Web3Signer:
    """A remote signer. Its keys are looked up when one of them is first asked for a signature."""

    def __init__(self, url: str, *, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Name the signer; nothing is sent.

        Args:
            url: http(s) address; what stands before the host (a password) appears in no message.
            timeout: seconds for each of connecting, sending and waiting.

        Raises:
            ValueError: no such address.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the signer's address must begin with http:// or https://")
        self.name = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        self._http = httpx.Client(base_url=url.rstrip("/"), timeout=timeout, trust_env=False)
        self._identifiers: dict[str, str] = {}
        self._lock = threading.Lock()

    def signer(self, address: str) -> "RemoteSigner":
        """The key of an address; whether the signer has it shows when it signs."""
        return RemoteSigner(self, address)

    def sign(self, address: str, payload: bytes) -> bytes:
        """Signature of an address's key over keccak256(payload), checked.

        Raises:
            SignerUnavailable: no answer, a refusal, no such key, or a signature that is not the key's.
        """
        answer = self._ask("POST", f"/api/v1/eth1/sign/{self._identifier(address)}", {"data": "0x" + payload.hex()})
        if answer.status_code == httpx.codes.NOT_FOUND:
            # It was there when we looked: perhaps the signer was given other keys since.
            self._identifiers.pop(address, None)
        signature = _normal(self._text(answer))
        if signature is None or recover(keccak(payload), signature) != address:
            raise SignerUnavailable(f"{self.name}: what it answered is no signature of {address}")
        return signature

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _identifier(self, address: str) -> str:
        with self._lock:
            if address not in self._identifiers:
                self._identifiers = self._public_keys()
            found = self._identifiers.get(address)
        if found is None:
            raise SignerUnavailable(f"{self.name}: has no key of {address}")
        return found

    def _public_keys(self) -> dict[str, str]:
        """Address to public key, as the signer writes it."""
        answer = self._ask("GET", "/api/v1/eth1/publicKeys")
        self._text(answer)
        try:
            listed = answer.json()
            return {_address(str(key)): str(key) for key in listed}
        except (ValueError, TypeError) as error:
            raise SignerUnavailable(f"{self.name}: its list of public keys cannot be read: {error}") from error

    def _ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise SignerUnavailable(f"{self.name}: {type(error).__name__}: {error}") from error

    def _text(self, answer: httpx.Response) -> str:
        if answer.status_code != httpx.codes.OK:
            raise SignerUnavailable(f"{self.name}: HTTP {answer.status_code}")
        return answer.text.strip()


class RemoteSigner(Signer):
    """One key of a remote signer."""

    def __init__(self, remote: Web3Signer, address: str) -> None:
        self._remote = remote
        self._address = checksum_address(address)

    @property
    def address(self) -> str:
        """See `Signer`."""
        return self._address

    def sign_payload(self, payload: bytes) -> bytes:
        """See `Signer`."""
        return self._remote.sign(self._address, payload)

    def __repr__(self) -> str:
        return f"RemoteSigner({self._remote.name}, {self._address})"


def _address(public_key: str) -> str:
    raw = bytes.fromhex(public_key.removeprefix("0x"))
    if len(raw) != _PUBLIC_KEY_BYTES:
        raw = PublicKey(raw).format(compressed=False)[1:]
    return checksum_address(keccak(raw)[12:])


def _normal(text: str) -> bytes | None:
    """The signature with v of 27 or 28 and s in the lower half (EIP-2); None if it is none."""
    try:
        raw = bytes.fromhex(text.strip('"').removeprefix("0x"))
    except ValueError:
        return None
    if len(raw) != _SIGNATURE_BYTES:
        return None
    v, s = raw[64], int.from_bytes(raw[32:64], "big")
    parity = v if v in (0, 1) else v - 27
    if parity not in (0, 1):
        return None
    if s > SECP256K1_ORDER // 2:
        s, parity = SECP256K1_ORDER - s, 1 - parity
    if s < 0:
        return None
    return raw[:32] + s.to_bytes(32, "big") + bytes([27 + parity])
