"""Storage is proved from a block hash, alike on every node; nothing else is."""

import msgspec
import pytest
import rlp
from eth_hash.auto import keccak

from chain.receipts import header_rlp
from chain.rpc import RpcClient
from chain.state_proofs import AccountProof, StateProofError, fetch_account, state_root, verify_account
from tests.chain.ledger_world import World, digest


@pytest.fixture(scope="module")
def world(node_rpc: RpcClient) -> World:
    world = World.deployed(node_rpc, "proofs")
    world.register(world.registration("buyer"))
    return world


def test_words_are_those_that_the_node_reads_and_a_later_state_has_others(world: World, node_rpc: RpcClient) -> None:
    registry = world.contracts.registry
    slots = [*range(8), int.from_bytes(keccak(b"nothing here"), "big")]
    proofs = []
    for _ in range(2):
        block = node_rpc.call("eth_getBlockByNumber", "latest", False)
        proof = fetch_account(node_rpc, registry, slots, block["number"])
        found = verify_account(state_root(header_rlp(block)), proof)
        for slot in slots:
            read = node_rpc.call("eth_getStorageAt", registry, hex(slot), block["number"])
            assert found.words[slot] == int(read, 16)
        assert found.code_hash == keccak(bytes.fromhex(node_rpc.call("eth_getCode", registry, block["number"])[2:]))
        proofs.append((header_rlp(block), proof))
        world.register(world.registration(f"other {len(proofs)}"))
    assert proofs[0] != proofs[1]
    with pytest.raises(StateProofError):
        verify_account(state_root(proofs[1][0]), proofs[0][1])


def test_an_account_that_is_not_there_and_one_without_storage(world: World, node_rpc: RpcClient) -> None:
    block = node_rpc.call("eth_getBlockByNumber", "latest", False)
    root = state_root(header_rlp(block))
    person = world.signers["relayer"].address
    assert verify_account(root, fetch_account(node_rpc, person, [1], block["number"])).words == {1: 0}
    nobody = "0x" + digest("nobody")[:20].hex()
    with pytest.raises(StateProofError, match="has no account"):
        verify_account(root, fetch_account(node_rpc, nobody, [], block["number"]))


def test_no_bit_of_a_proof_can_change(world: World, node_rpc: RpcClient) -> None:
    block = node_rpc.call("eth_getBlockByNumber", "latest", False)
    root = state_root(header_rlp(block))
    proof = fetch_account(node_rpc, world.contracts.registry, [0, 1, 2, 3, 4, 5], block["number"])
    good = verify_account(root, proof)
    for place, node in enumerate(proof.path):
        for at in range(0, len(node), 7):
            forged = bytearray(node)
            forged[at] ^= 1 << at % 8
            path = [*proof.path[:place], bytes(forged), *proof.path[place + 1 :]]
            with pytest.raises(StateProofError):
                verify_account(root, msgspec.structs.replace(proof, path=path))
    for place, slot in enumerate(proof.slots):
        for nodes in ([], slot.path[:-1]):
            slots = [*proof.slots[:place], msgspec.structs.replace(slot, path=nodes), *proof.slots[place + 1 :]]
            with pytest.raises(StateProofError):
                verify_account(root, msgspec.structs.replace(proof, slots=slots))
    with pytest.raises(StateProofError):
        verify_account(root, AccountProof(address=bytes(20), path=proof.path, slots=proof.slots))
    with pytest.raises(StateProofError):
        state_root(rlp.encode([b"", b""]))
    assert good.words.keys() == {0, 1, 2, 3, 4, 5}


def test_the_node_refuses_a_request_that_is_none(node_rpc: RpcClient, world: World) -> None:
    block = node_rpc.call("eth_blockNumber")
    later = hex(int(block, 16) + 100)
    with pytest.raises(StateProofError, match="proves no state"):
        fetch_account(node_rpc, world.contracts.registry, [0], later)
