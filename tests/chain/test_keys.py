"""Keys sign what eth-account can recover, and the folder that keeps them gives nothing away."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keys.datatypes import Signature
from hypothesis import given
from hypothesis import strategies as st

from chain.identifiers import contract_key, controller_id, entity_id, settlement_key, trade_id
from chain.keys import KEY_NAMES, Keystore, KeystoreError, LocalSigner, derive

KEY = bytes(range(1, 33))
TYPED: dict[str, Any] = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
        "Note": [{"name": "text", "type": "string"}],
    },
    "primaryType": "Note",
    "domain": {"name": "test", "chainId": 1},
    "message": {"text": "算券"},
}


@given(digest=st.binary(min_size=32, max_size=32))
def test_digest_signature_is_recovered_and_low(digest: bytes) -> None:
    signer = LocalSigner(KEY)
    signature = signer.sign_digest(digest)
    assert len(signature) == 65
    assert signature[64] in (27, 28)
    assert int.from_bytes(signature[32:64], "big") <= 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
    canonical = Signature(signature[:64] + bytes([signature[64] - 27]))
    assert canonical.recover_public_key_from_msg_hash(digest).to_checksum_address() == signer.address


def test_typed_data_and_transactions_are_recovered() -> None:
    signer = LocalSigner(KEY)
    signature = signer.sign_typed_data(TYPED)
    assert Account.recover_message(encode_typed_data(full_message=TYPED), signature=signature) == signer.address
    fields = {"to": signer.address.lower(), "nonce": 0, "gas": 21_000, "value": 1, "chainId": 1}
    raw = signer.sign_transaction({**fields, "maxFeePerGas": 2, "maxPriorityFeePerGas": 1})
    assert Account.recover_transaction(raw) == signer.address


def test_nothing_that_can_be_printed_shows_a_key(tmp_path: Path) -> None:
    store = Keystore(tmp_path / "keys", password="correct horse")
    shown = repr(store) + repr(store.signer("relayer")) + repr(derive(KEY, "x"))
    assert "correct horse" not in shown
    assert store.secret("relayer").hex() not in shown
    with pytest.raises(AttributeError):
        _ = store.signer("relayer").__dict__


def test_derived_keys_are_stable_and_apart() -> None:
    assert derive(KEY, "account:a").address == derive(KEY, "account:a").address
    assert derive(KEY, "account:a").address != derive(KEY, "evidence:a").address
    assert derive(KEY, "account:a").address != derive(bytes(32), "account:a").address
    with pytest.raises(ValueError):
        derive(b"short", "x")


def test_keys_outlive_the_process_and_open_elsewhere(tmp_path: Path) -> None:
    addresses = [Keystore(tmp_path).signer(name).address for name in KEY_NAMES]
    again = Keystore(tmp_path)
    assert [again.signer(name).address for name in KEY_NAMES] == addresses
    assert again.names() == sorted(KEY_NAMES)
    # the format that geth, cast and MetaMask read
    password = (tmp_path / "password").read_text()
    content = json.loads((tmp_path / "finance.json").read_text())
    assert bytes(Account.decrypt(content, password)) == again.secret("finance")
    assert content["version"] == 3


def test_an_address_is_read_without_the_password_and_found_where_the_file_leaves_it_out(tmp_path: Path) -> None:
    own = Keystore(tmp_path).signer("relayer").address
    assert Keystore(tmp_path, password="another").address("relayer") == own
    file = tmp_path / "relayer.json"
    for stated in ({}, {"address": None}, {"address": "0x12"}):
        content = {name: value for name, value in json.loads(file.read_text()).items() if name != "address"}
        file.write_text(json.dumps({**content, **stated}))
        assert Keystore(tmp_path).address("relayer") == own
    with pytest.raises(KeystoreError, match="does not open"):
        Keystore(tmp_path, password="another").address("relayer")


def test_a_text_nested_without_end_is_refused_where_keys_are_used_and_ends_no_process() -> None:
    code = """
import json, threading
import chain.keys

def parse():
    try:
        json.loads("[" * 1_000_000)
    except RecursionError:
        print("refused")

thread = threading.Thread(target=parse)
thread.start()
thread.join()
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "refused\n"), run.stderr


def test_processes_that_start_together_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: Keystore(tmp_path).signer("relayer").address, range(8)))
    assert len(found) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["password", "relayer.json"]


def test_a_password_and_keys_that_another_process_makes_meanwhile_are_its_own(tmp_path: Path) -> None:
    class Beside(Keystore):
        def names(self) -> list[str]:
            Keystore(self.folder).signer("relayer")
            return super().names()

    assert Beside(tmp_path).signer("relayer").address == Keystore(tmp_path).signer("relayer").address


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    Keystore(folder).signer("relayer")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("name", ["password", "relayer.json"])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, name: str) -> None:
    Keystore(tmp_path).signer("relayer")
    (tmp_path / name).chmod(0o644)
    with pytest.raises(KeystoreError, match="chmod 600"):
        Keystore(tmp_path).signer("relayer")


def test_a_wrong_or_lost_password_is_told(tmp_path: Path) -> None:
    Keystore(tmp_path).signer("relayer")
    with pytest.raises(KeystoreError, match="password does not open"):
        Keystore(tmp_path, password="another").signer("relayer")
    with pytest.raises(KeystoreError, match="empty"):
        Keystore(tmp_path, password="")
    (tmp_path / "password").unlink()
    with pytest.raises(KeystoreError, match="no file 'password'"):
        Keystore(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"no json", b'{"version": 3, "crypto": {}}'])
def test_a_broken_file_is_told_and_kept(tmp_path: Path, content: bytes) -> None:
    Keystore(tmp_path).signer("relayer")
    (tmp_path / "relayer.json").write_bytes(content)
    with pytest.raises(KeystoreError, match="no keystore v3"):
        Keystore(tmp_path).signer("relayer")
    assert (tmp_path / "relayer.json").read_bytes() == content


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", "x" * 65, "-a"])
def test_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeystoreError, match="name"):
        Keystore(tmp_path).signer(name)


def test_a_key_of_ones_own_is_kept_and_never_replaced(tmp_path: Path) -> None:
    Keystore(tmp_path).store("admin", KEY)
    assert Keystore(tmp_path).secret("admin") == KEY
    Keystore(tmp_path).store("admin", KEY)
    with pytest.raises(KeystoreError, match="another key"):
        Keystore(tmp_path).store("admin", KEY[::-1])


def test_identifiers_of_different_kinds_and_keys_never_meet() -> None:
    other = bytes(32)
    digests = {
        entity_id(KEY, "a"),
        settlement_key(KEY, "a"),
        contract_key(KEY, "a", "b", "c"),
        contract_key(KEY, "b", "a", "c"),
        trade_id(KEY, "a", "b"),
        entity_id(other, "a"),
    }
    assert len(digests) == 6
    assert len(controller_id(KEY, "group")) == 16
    assert controller_id(KEY, None) == bytes(16)
    with pytest.raises(ValueError):
        entity_id(b"short", "a")
