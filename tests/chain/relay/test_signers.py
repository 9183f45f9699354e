"""The relay with keys of a remote signer: what it refuses or forges costs a wait, never a nonce."""

import time
from collections.abc import Iterator

import pytest

from chain.enums import Role
from chain.keys import Signer
from chain.relay import ChainTransaction, OperationStatus
from chain.web3signer import Web3Signer
from tests.chain.faucet import funded_signer
from tests.chain.ledger_world import World
from tests.chain.relay.conftest import Desk
from tests.chain.test_web3signer import behave, remote_signer


@pytest.fixture(scope="module")
def signer_url(world: World) -> Iterator[str]:
    with remote_signer(world.signers["registrar"]._key.secret) as url:
        yield url


def test_every_fault_of_a_remote_signer_is_waited_out_without_a_gap(desk: Desk, signer_url: str) -> None:
    local = desk.world.signers["registrar"]
    remote: Signer = Web3Signer(signer_url, timeout=0.3).signer(local.address)
    relay = desk.relay(signers={**desk.world.signers, "registrar": remote})
    ids = desk.put_many("registrar", desk.registrations([f"firm {number}" for number in range(4)]))
    for mode in ("refuse", "lie", "hang"):
        behave(signer_url, mode)
        relay._resting.clear()
        assert relay.step() is False
        with desk.sessions() as session:
            assert session.query(ChainTransaction).count() == 0
        assert {desk.get(one).status for one in ids} == {OperationStatus.QUEUED}
    behave(signer_url, "well")
    desk.finish(relay)
    desk.assert_once("registrar", ids)


def test_a_key_that_rests_holds_up_no_other(desk: Desk) -> None:
    away = Web3Signer("http://127.0.0.1:9").signer(desk.world.signers["operator"].address)
    relay = desk.relay(signers={**desk.world.signers, "operator": away})
    waiting = desk.put("operator", "VoucherLedger", "freeze", 7, bytes(32), gas_limit=100_000)
    done = desk.put_many("registrar", desk.registrations(["other"]))
    deadline = time.monotonic() + 120
    while desk.get(done[0]).status != OperationStatus.SUCCEEDED:
        assert time.monotonic() < deadline
        relay.step()
    assert desk.get(waiting).status == OperationStatus.QUEUED


def test_a_relayers_key_is_rotated_without_losing_what_was_accepted(desk: Desk) -> None:
    world = desk.world
    old, new = world.signers["registrar"], funded_signer(world.rpc, f"{world.label}/new")
    ids = desk.put_many("registrar", desk.registrations(["before"]))
    desk.finish(desk.relay())
    # The new key has money and gets the role; what was accepted meanwhile waits under the name, not under a key.
    ids += desk.put_many("registrar", desk.registrations(["during"]))
    world.act("admin", "EntityRegistry", "grantRole", Role.REGISTRAR.value, new.address)
    rotated = desk.relay(signers={**world.signers, "registrar": new})
    desk.finish(rotated)
    # The old one holds nothing any more; it is retired.
    world.act("admin", "EntityRegistry", "revokeRole", Role.REGISTRAR.value, old.address)
    ids += desk.put_many("registrar", desk.registrations(["after"]))
    desk.finish(rotated)
    world.act("admin", "EntityRegistry", "grantRole", Role.REGISTRAR.value, old.address)
    assert {desk.get(one).status for one in ids} == {OperationStatus.SUCCEEDED}
    with desk.sessions() as session:
        senders = [row.signer for row in session.query(ChainTransaction).order_by(ChainTransaction.id)]
    assert senders == [bytes.fromhex(signer.address[2:]) for signer in (old, new, new)]
