"""Keys come from where the settings say, and a wrong place is told without showing a key."""

from pathlib import Path

import pytest

from app.keyring import key_addresses, open_signers
from app.settings import Settings
from chain.keys import KEY_NAMES, Keystore, KeystoreError, LocalSigner

KEY = bytes(range(1, 33))
ADDRESS = LocalSigner(KEY).address


def test_each_key_comes_from_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINANCE_KEY", "0x" + KEY.hex())
    monkeypatch.setenv("SUANQUAN_SIGNERS", f'{{"finance": "env:FINANCE_KEY", "relayer-2": "web3signer:{ADDRESS}"}}')
    monkeypatch.setenv("SUANQUAN_WEB3SIGNER_URL", "http://127.0.0.1:9")
    store = Keystore(tmp_path)
    signers = open_signers(Settings(), store)
    assert set(signers) == {*KEY_NAMES, "relayer-2"}
    assert signers["finance"].address == signers["relayer-2"].address == ADDRESS
    assert signers["relayer"].address == store.signer("relayer").address
    assert "finance" not in store.names()
    assert key_addresses(Settings(), store) == [signer.address for signer in signers.values()]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("vault:x", "can be in env:NAME"),
        ("env:NOT_SET", "NOT_SET"),
        ("env:BAD_KEY", "32 bytes of hex"),
        ("web3signer:0x12", "needs an address"),
        (f"web3signer:{ADDRESS}", "SUANQUAN_WEB3SIGNER_URL"),
    ],
)
def test_a_place_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, said: str) -> None:
    monkeypatch.setenv("BAD_KEY", "secret-word")
    with pytest.raises(KeystoreError, match=said) as told:
        open_signers(Settings(signers={"relayer": place}), Keystore(tmp_path))
    assert "secret-word" not in f"{told.value!r}{told.value.__cause__!r}"
