"""The keys of a service by name, each from where the settings say that it is.

`SUANQUAN_SIGNERS` is JSON: key name to place. What it does not name is in the keystore, where it is made when missing.

    {"relayer": "web3signer:0x5aAe…", "finance": "env:FINANCE_KEY"}

`env:NAME` is an environment variable with the private key in hex; `web3signer:ADDRESS` a key that the remote signer at
`SUANQUAN_WEB3SIGNER_URL` keeps. Names besides chain.keys.KEY_NAMES add keys, as a rotation does.
"""

import os
import re
from collections.abc import Callable, Mapping
from functools import cache, partial

from app.settings import Settings
from chain.keys import KEY_NAMES, Keystore, KeystoreError, LocalSigner, Signer
from chain.web3signer import Web3Signer

AUTOMATIC = "automatic"
"""The key that approves what a policy lets be issued without a reviewer (modes automatic and instant)."""
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def open_signers(settings: Settings, keystore: Keystore) -> dict[str, Signer]:
    """All keys by name. A remote signer is not asked yet, so a service starts while it is down.

    Raises:
        KeystoreError: a place that is none, a variable that is not set or holds no key, a key file that does not open.
    """
    return {name: found or keystore.signer(name) for name, found in _elsewhere(settings).items()}


def key_addresses(settings: Settings, keystore: Keystore) -> list[str]:
    """Addresses of all keys, those of the keystore as their files name them: none is decrypted, which takes long.

    Raises:
        KeystoreError: As `open_signers`.
    """
    return [found.address if found else keystore.address(name) for name, found in _elsewhere(settings).items()]


def _elsewhere(settings: Settings) -> dict[str, Signer | None]:
    """All names, with the key where it is not in the keystore."""
    remote = cache(partial(_remote, settings))
    places: Mapping[str, Callable[[str, str], Signer]] = {
        "env": _from_environment,
        "web3signer": lambda name, address: _from_remote(remote, name, address),
    }
    signers: dict[str, Signer | None] = {}
    for name in dict.fromkeys([*KEY_NAMES, *settings.signers]):
        kind, _, detail = settings.signers.get(name, "keystore").partition(":")
        if kind == "keystore" and not detail:
            signers[name] = None
        elif kind in places:
            signers[name] = places[kind](name, detail)
        else:
            raise KeystoreError(f"SUANQUAN_SIGNERS: the key {name} can be in env:NAME or web3signer:ADDRESS")
    return signers


def _from_environment(name: str, variable: str) -> Signer:
    try:
        return LocalSigner(bytes.fromhex(os.environ[variable].strip().removeprefix("0x")))
    except (KeyError, ValueError):
        # Not chained: the cause may show the key.
        text = f"SUANQUAN_SIGNERS: for the key {name} the variable {variable!r} must hold 32 bytes of hex"
        raise KeystoreError(text) from None


def _from_remote(remote: Callable[[], Web3Signer], name: str, address: str) -> Signer:
    if not _ADDRESS.fullmatch(address):
        raise KeystoreError(f"SUANQUAN_SIGNERS: {name} needs an address after web3signer:, not {address!r}")
    return remote().signer(address)


def _remote(settings: Settings) -> Web3Signer:
    try:
        return Web3Signer(settings.web3signer_url)
    except ValueError as error:
        raise KeystoreError(f"SUANQUAN_WEB3SIGNER_URL: {error}") from error
