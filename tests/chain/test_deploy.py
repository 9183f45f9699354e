"""A deployment interrupted anywhere goes on where it was, and nothing is deployed twice."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chain import artifacts
from chain.abi import to_bytes
from chain.contracts import Contracts, encode_call
from chain.deploy import DeployError, Journal, created_address, deploy
from chain.deployed_code import CodeMismatch, check_code
from chain.enums import Role
from chain.keys import LocalSigner, derive
from chain.rpc import RpcClient, RpcUnavailable

from .faucet import FAUCET, funded_signer, send

ROLES = {role: [derive(bytes(32), role.name).address] for role in (Role.OPERATOR, Role.REVIEWER)}
CONTRACT_STEPS = 6


class Killed(Exception):
    """The process ended here."""


class MortalClient(RpcClient):
    """A real client of a real node, whose process dies after some calls: before a call is sent, or before its answer
    is read."""

    def __init__(self, url: str, calls: int, *, answer_lost: bool) -> None:
        super().__init__(url)
        self.left = calls
        self._answer_lost = answer_lost

    def call(self, method: str, *params: object, timeout: float | None = None) -> Any:
        self.left -= 1
        if self.left < 0 and not self._answer_lost:
            raise Killed
        answer = super().call(method, *params, timeout=timeout)
        if self.left < 0:
            raise Killed
        return answer


class Shelf:
    """Where the journal is kept: as JSON, so that nothing but what was saved survives."""

    def __init__(self) -> None:
        self.text = "{}"

    def save(self, journal: Journal) -> None:
        self.text = json.dumps(journal)

    def load(self) -> Journal:
        found: Journal = json.loads(self.text)
        return found


def _assert_whole(rpc: RpcClient, contracts: Contracts, deployer: LocalSigner, block: int) -> None:
    check_code(rpc, contracts)
    for role, accounts in ROLES.items():
        for account in accounts:
            assert contracts.read(rpc, "EntityRegistry", "hasRole", [role.value, account])
    # Not one transaction more than there are steps.
    sent = int(rpc.call("eth_getTransactionCount", deployer.address, "latest"), 16)
    assert sent == CONTRACT_STEPS + sum(map(len, ROLES.values()))
    assert rpc.call("eth_getCode", contracts.registry, hex(block)) != "0x"
    assert rpc.call("eth_getCode", contracts.registry, hex(block - 1)) == "0x"


def test_deploys_with_roles_and_again_changes_nothing(node_rpc: RpcClient) -> None:
    deployer = funded_signer(node_rpc, "whole")
    shelf = Shelf()
    contracts, block = deploy(node_rpc, deployer, roles=ROLES, save=shelf.save, admin_delay_seconds=77)
    _assert_whole(node_rpc, contracts, deployer, block)
    assert contracts.read(node_rpc, "EntityRegistry", "defaultAdmin") == deployer.address
    assert contracts.read(node_rpc, "EntityRegistry", "defaultAdminDelay") == 77
    assert deploy(node_rpc, deployer, roles=ROLES, journal=shelf.load(), save=shelf.save) == (contracts, block)
    _assert_whole(node_rpc, contracts, deployer, block)


@pytest.fixture
def anvil_rpc(anvil_url: str) -> Iterator[RpcClient]:
    """What is killed is the deployer, some thirty times; the faster node will do."""
    with RpcClient(anvil_url) as rpc:
        yield rpc


@pytest.mark.parametrize("answer_lost", [False, True], ids=["before_the_call", "before_the_answer"])
def test_goes_on_after_being_killed_at_any_call(anvil_url: str, anvil_rpc: RpcClient, answer_lost: bool) -> None:
    kills, calls = 0, 1
    deployer = funded_signer(anvil_rpc, f"killed at call {answer_lost}")
    shelf = Shelf()
    # Each attempt lives a little longer than the last that made no progress: so it dies at every call of every step.
    while True:
        before = shelf.text
        try:
            with MortalClient(anvil_url, calls, answer_lost=answer_lost) as rpc:
                contracts, block = deploy(rpc, deployer, roles=ROLES, journal=shelf.load(), save=shelf.save)
            break
        except Killed:
            kills += 1
        calls = calls + 1 if shelf.text == before else max(1, calls - 3)
    assert kills > 40
    _assert_whole(anvil_rpc, contracts, deployer, block)


def _saves() -> Iterator[tuple[int, bool]]:
    return ((count, kept) for count in range(2 * CONTRACT_STEPS + 4) for kept in (False, True))


def test_goes_on_after_being_killed_at_any_save(anvil_rpc: RpcClient) -> None:
    for count, kept in _saves():
        deployer = funded_signer(anvil_rpc, f"killed at save {count} {kept}")
        shelf = Shelf()
        left = [count]

        def save(journal: Journal, shelf: Shelf = shelf, left: list[int] = left, kept: bool = kept) -> None:
            left[0] -= 1
            if left[0] >= 0 or kept:
                shelf.save(journal)
            if left[0] < 0:
                raise Killed

        with pytest.raises(Killed):
            deploy(anvil_rpc, deployer, roles=ROLES, save=save)
        contracts, block = deploy(anvil_rpc, deployer, roles=ROLES, journal=shelf.load(), save=shelf.save)
        _assert_whole(anvil_rpc, contracts, deployer, block)


def test_a_noted_nonce_that_something_else_took_is_given_up(node_rpc: RpcClient) -> None:
    deployer = funded_signer(node_rpc, "taken nonce")
    shelf = Shelf()

    def save_and_die(journal: Journal) -> None:
        shelf.save(journal)
        raise Killed

    with pytest.raises(Killed):
        deploy(node_rpc, deployer, roles=ROLES, save=save_and_die)
    assert shelf.load()["steps"]["Programmes"]["nonce"] == 0
    send(node_rpc, deployer, to=FAUCET.address, value=1, gas=21_000)
    contracts, _ = deploy(node_rpc, deployer, roles=ROLES, journal=shelf.load(), save=shelf.save)
    check_code(node_rpc, contracts)
    assert shelf.load()["steps"]["Programmes"]["nonce"] == 1


def test_a_role_that_was_revoked_is_not_granted_again(node_rpc: RpcClient) -> None:
    deployer = funded_signer(node_rpc, "revoked")
    shelf = Shelf()
    contracts, _ = deploy(node_rpc, deployer, roles=ROLES, save=shelf.save)
    role, account = Role.OPERATOR.value, ROLES[Role.OPERATOR][0]
    data = "0x" + encode_call("EntityRegistry", "revokeRole", [role, account]).hex()
    assert send(node_rpc, deployer, to=contracts.registry, data=data)["status"] == "0x1"
    deploy(node_rpc, deployer, roles=ROLES, journal=shelf.load(), save=shelf.save)
    assert not contracts.read(node_rpc, "EntityRegistry", "hasRole", [role, account])


def test_what_cannot_go_on_says_why(node_rpc: RpcClient) -> None:
    deployer = funded_signer(node_rpc, "refusals")
    shelf = Shelf()
    deploy(node_rpc, deployer, roles={}, save=shelf.save)
    with pytest.raises(DeployError, match="deployer is"):
        deploy(node_rpc, funded_signer(node_rpc, "someone else"), roles={}, journal=shelf.load())
    with pytest.raises(DeployError, match="genesis is"):
        deploy(node_rpc, deployer, roles={}, journal={**shelf.load(), "genesis": "0x" + "00" * 32})
    both = {Role.REVIEWER: [FAUCET.address], Role.FINANCE: [FAUCET.address]}
    with pytest.raises(DeployError, match=r"FINANCE .* fail.*: RoleConflict"):
        deploy(node_rpc, deployer, roles=both, journal=shelf.load())
    with pytest.raises(DeployError, match="not the admin"):
        deploy(node_rpc, deployer, roles=ROLES, admin=FAUCET.address)
    with pytest.raises(DeployError, match="Programmes"):
        deploy(node_rpc, derive(bytes(32), "penniless"), roles={})
    journal = shelf.load()
    journal["steps"]["EvidenceLog"]["address"] = journal["steps"]["Programmes"]["address"]
    with pytest.raises(CodeMismatch, match="not the EvidenceLog"):
        deploy(node_rpc, deployer, roles={}, journal=journal)
    with pytest.raises(RpcUnavailable), RpcClient("http://127.0.0.1:1") as nobody:
        deploy(nobody, deployer, roles={}, journal=shelf.load())


def test_another_admin_is_named_and_grants_the_roles_itself(node_rpc: RpcClient) -> None:
    contracts, _ = deploy(node_rpc, funded_signer(node_rpc, "for others"), roles={}, admin=FAUCET.address)
    assert contracts.read(node_rpc, "EntityRegistry", "defaultAdmin") == FAUCET.address


def test_code_differs_where_one_byte_does_or_the_wires_are_crossed(node_rpc: RpcClient) -> None:
    deployer = funded_signer(node_rpc, "one byte")
    contracts, _ = deploy(node_rpc, deployer, roles={})
    other, _ = deploy(node_rpc, deployer, roles={})
    check_code(node_rpc, contracts)
    code = to_bytes(node_rpc.call("eth_getCode", contracts.ledger, "latest"))
    artifact = artifacts.load("VoucherLedger")
    assert artifact.is_code(code)
    assert not artifact.is_code(code[:-1])
    assert not artifact.is_code(code + b"\0")
    masked = {at for hole in artifact.holes for at in range(hole.start, hole.start + hole.length)}
    for at in range(0, len(code), 97):
        changed = code[:at] + bytes([code[at] ^ 1]) + code[at + 1 :]
        assert artifact.is_code(changed) == (at in masked)
    with pytest.raises(CodeMismatch, match="uses"):
        check_code(node_rpc, Contracts(contracts.chain_id, contracts.registry, other.evidence, contracts.ledger))
    with pytest.raises(CodeMismatch, match="no contract"):
        check_code(node_rpc, Contracts(contracts.chain_id, FAUCET.address, other.evidence, contracts.ledger))


def test_created_address_is_the_chains() -> None:
    # The first three contracts of the well-known test account, as every anvil gives them.
    assert created_address(FAUCET.address, 0) == "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    assert created_address(FAUCET.address, 128) == created_address(FAUCET.address.lower(), 128)
