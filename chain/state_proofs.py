"""Contract storage proved from a block hash alone: header, state root, account, storage root, slot (EIP-1186).

Any node that offers `eth_getProof` will do; what it answers is checked here without one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak
from trie.exceptions import BadTrieProof, ValidationError
from trie.hexary import HexaryTrie

from .abi import to_bytes
from .rpc import RpcClient, RpcError

_EMPTY_ROOT = keccak(rlp.encode(b""))
_STATE_ROOT = 3


class StateProofError(ValueError):
    """Storage cannot be proved, or a proof does not hold; the text says why."""


class SlotProof(msgspec.Struct, frozen=True, kw_only=True):
    """One word of storage: RLP of the trie's nodes from the storage root to it. The value follows from them."""

    slot: bytes
    path: list[bytes]


class AccountProof(msgspec.Struct, frozen=True, kw_only=True):
    """A contract at some block.

    Attributes:
        address: 20 bytes.
        path: RLP of the trie's nodes from the state root to the account.
        slots: of its storage, in order of slot.
    """

    address: bytes
    path: list[bytes]
    slots: list[SlotProof]


class ProvenAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof proves.

    Attributes:
        code_hash: keccak256 of the contract's code.
        words: slot to its word, both as integers.
    """

    code_hash: bytes
    words: dict[int, int]


def fetch_account(rpc: RpcClient, address: str, slots: Sequence[int], block: str) -> AccountProof:
    """The proof of some slots.

    Args:
        address: 0x-hex.
        slots: as integers.
        block: 0x-number of the block.

    Raises:
        StateProofError: the node has no `eth_getProof`, or no state of that block any more.
        RpcUnavailable: it does not answer.
    """
    keys = [f"0x{slot:064x}" for slot in sorted(set(slots))]
    try:
        answer: Mapping[str, Any] = rpc.call("eth_getProof", address, keys, block)
    except RpcError as error:
        raise StateProofError(f"the node proves no state of block {int(block, 16)}: {error.message}") from error
    found = {int(one["key"], 16): one["proof"] for one in answer["storageProof"]}
    return AccountProof(
        address=to_bytes(address),
        path=[to_bytes(node) for node in answer["accountProof"]],
        slots=[SlotProof(slot=to_bytes(key), path=[to_bytes(node) for node in found[int(key, 16)]]) for key in keys],
    )


def verify_account(state_root: bytes, proof: AccountProof) -> ProvenAccount:
    """Check a proof without a node.

    Raises:
        StateProofError: it does not hold, or the account is not there.
    """
    encoded = _value(state_root, keccak(proof.address), proof.path)
    try:
        _, _, storage_root, code_hash = rlp.decode(encoded, strict=True)
    except (rlp.exceptions.RLPException, ValueError, TypeError) as error:
        raise StateProofError(f"the state has no account 0x{proof.address.hex()}") from error
    words: dict[int, int] = {}
    for slot in proof.slots:
        if len(slot.slot) != 32:
            raise StateProofError("a slot has 32 bytes")
        words[int.from_bytes(slot.slot, "big")] = _word(storage_root, slot)
    return ProvenAccount(code_hash=code_hash, words=words)


def state_root(header: bytes) -> bytes:
    """The state root in a block header's RLP, 32 bytes.

    Raises:
        StateProofError: it is no header.
    """
    try:
        root = rlp.decode(header, strict=True)[_STATE_ROOT]
    except (rlp.exceptions.RLPException, LookupError, TypeError) as error:
        raise StateProofError(f"the header is not one: {error}") from error
    if not isinstance(root, bytes) or len(root) != 32:
        raise StateProofError("the header's state root has not 32 bytes")
    return root


def _word(storage_root: bytes, proof: SlotProof) -> int:
    if storage_root == _EMPTY_ROOT and not proof.path:
        return 0
    encoded = _value(storage_root, keccak(proof.slot), proof.path)
    if not encoded:
        return 0
    try:
        word = rlp.decode(encoded, strict=True)
    except rlp.exceptions.RLPException as error:
        raise StateProofError(f"a slot does not decode: {error}") from error
    if not isinstance(word, bytes) or len(word) > 32:
        raise StateProofError("a slot holds at most 32 bytes")
    return int.from_bytes(word, "big")


def _value(root: bytes, key: bytes, path: Sequence[bytes]) -> bytes:
    """The value under a key; empty where the path shows that there is none."""
    try:
        nodes = [rlp.decode(node, strict=True) for node in path]
        value: bytes = HexaryTrie.get_from_proof(root, key, nodes)  # type: ignore[no-untyped-call]
    except (BadTrieProof, ValidationError, rlp.exceptions.RLPException, ValueError, TypeError, LookupError) as error:
        raise StateProofError(f"the path does not lead from the root to the slot: {error}") from error
    return value
