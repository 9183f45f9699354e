"""Keys of a remote signer: a real HTTP server in a process of its own that speaks Web3Signer's `eth1` API."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from eth_account import Account

from chain.keys import LocalSigner, Signer, SignerUnavailable
from chain.transactions import unsigned_bytes
from chain.web3signer import Web3Signer
from tests.chain.test_keys import TYPED

KEY = bytes(range(1, 33))
LOCAL = LocalSigner(KEY)
DYNAMIC = {"maxFeePerGas": 7, "maxPriorityFeePerGas": 0}
LEGACY = {"gasPrice": 0}


@contextmanager
def remote_signer(*keys: bytes) -> Iterator[str]:
    """Address of a running server that holds these keys."""
    command = [sys.executable, "-m", "tests.chain.web3signer_server", *(key.hex() for key in keys)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with remote_signer(KEY) as address:
        yield address


def behave(url: str, mode: str) -> None:
    httpx.post(f"{url}/behave", json={"mode": mode}, timeout=60, trust_env=False).raise_for_status()


def transaction(fees: dict[str, int], **changes: Any) -> dict[str, Any]:
    call = {"to": "0x" + "ab" * 20, "value": 0, "data": b"\x01\x02"}
    return {"chainId": 86371, "nonce": 3, "gas": 90_000, **call, **fees, **changes}


@pytest.mark.parametrize("fees", [DYNAMIC, LEGACY])
@pytest.mark.parametrize("changes", [{}, {"to": None, "data": b"\x60\x00"}, {"nonce": 0, "value": 10**20}])
def test_raw_transactions_are_those_of_eth_account(fees: dict[str, int], changes: dict[str, Any]) -> None:
    fields = transaction(fees, **changes)
    raw = LOCAL.sign_transaction(fields)
    theirs = {**fields, "to": bytes.fromhex((fields["to"] or "0x")[2:])}
    assert raw == bytes(Account.sign_transaction(theirs, KEY).raw_transaction)
    assert Account.recover_transaction(raw) == LOCAL.address


def test_a_transaction_with_a_member_that_nobody_would_sign_is_refused() -> None:
    with pytest.raises(ValueError, match="accessList"):
        unsigned_bytes(transaction(DYNAMIC, accessList=[]))
    with pytest.raises(ValueError, match="nonce"):
        unsigned_bytes({"chainId": 1, "gas": 1, **DYNAMIC})


@pytest.mark.parametrize("mode", ["well", "unlike"])
def test_a_remote_key_signs_the_same_bytes_as_the_key_itself(url: str, mode: str) -> None:
    behave(url, mode)
    remote = Web3Signer(url).signer(LOCAL.address.lower())
    assert remote.address == LOCAL.address
    for fees in (DYNAMIC, LEGACY):
        assert remote.sign_transaction(transaction(fees)) == LOCAL.sign_transaction(transaction(fees))
    assert remote.sign_typed_data(TYPED) == LOCAL.sign_typed_data(TYPED)


@pytest.mark.parametrize(
    ("mode", "said"), [("refuse", "HTTP 500"), ("hang", "ReadTimeout"), ("lie", "no signature of 0x")]
)
def test_what_is_no_signature_of_the_key_is_told_and_the_next_try_works(url: str, mode: str, said: str) -> None:
    remote = Web3Signer(url, timeout=0.3 if mode == "hang" else 60.0).signer(LOCAL.address)
    behave(url, mode)
    with pytest.raises(SignerUnavailable, match=said):
        remote.sign_payload(b"x")
    behave(url, "well")
    assert signed_in_time(remote) == LOCAL.sign_payload(b"x")


def signed_in_time(remote: Signer) -> bytes:
    """A signature, as soon as the machine is quick enough for the signer's patience."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return remote.sign_payload(b"x")
        except SignerUnavailable:
            assert time.monotonic() < deadline


def test_a_key_that_the_signer_does_not_hold_and_a_signer_that_is_not_there(url: str) -> None:
    behave(url, "well")
    with pytest.raises(SignerUnavailable, match="has no key"):
        Web3Signer(url).signer("0x" + "11" * 20).sign_payload(b"x")
    with remote_signer(KEY) as other:
        gone = Web3Signer(other.replace("http://", "http://user:secret-word@")).signer(LOCAL.address)
        gone.sign_payload(b"x")
    started = time.monotonic()
    with pytest.raises(SignerUnavailable) as told:
        gone.sign_payload(b"x")
    assert time.monotonic() - started < 5
    assert "secret-word" not in f"{told.value!r}{gone!r}{told.value.__cause__!r}"
    with pytest.raises(ValueError, match="http"):
        Web3Signer("ftp://signer")
