"""`eth_getProof` (EIP-1186): an account and slots of its storage, proved from a block's state root."""

from collections.abc import Sequence
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth.constants import BLANK_ROOT_HASH
from eth.rlp.accounts import Account
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from .codec import rlp_encode
from .header import Header
from .store import ChainStore, StagedNodes


def state_proof(store: ChainStore, header: Header, address: bytes, slots: Sequence[int]) -> dict[str, Any]:
    """The members of the answer. An account or slot that is not there is proved to be absent.

    Args:
        slots: Positions in the account's storage.
    """
    nodes = StagedNodes(store)
    accounts = HexaryTrie(nodes, header.state_root)
    key = keccak(address)
    encoded = accounts.get(key)
    account = rlp.decode(encoded, Account) if encoded else Account()
    storage = HexaryTrie(nodes, account.storage_root)
    return {
        "address": f"0x{address.hex()}",
        "accountProof": _path(accounts, key),
        "balance": hex(account.balance),
        "nonce": hex(account.nonce),
        "codeHash": f"0x{account.code_hash.hex()}",
        "storageHash": f"0x{account.storage_root.hex()}",
        "storageProof": [_slot(storage, slot) for slot in slots],
    }


def _slot(storage: HexaryTrie, slot: int) -> dict[str, Any]:
    key = keccak(slot.to_bytes(32, "big"))
    encoded = storage.get(key)
    value = int.from_bytes(rlp.decode(encoded), "big") if encoded else 0
    # An empty trie has no node to show.
    path = [] if storage.root_hash == BLANK_ROOT_HASH else _path(storage, key)
    return {"key": f"0x{slot:064x}", "value": hex(value), "proof": path}


def _path(trie: HexaryTrie, key: bytes) -> list[str]:
    return [f"0x{rlp_encode(node).hex()}" for node in trie.get_proof(key)]  # type: ignore[no-untyped-call]
