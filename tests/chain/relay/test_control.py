"""What is given up, stuck, too dear or not taken by any node: by no-op, by deadline, or before a person."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from chain.contracts import Contracts, encode_call
from chain.enums import Funding
from chain.keys import LocalSigner
from chain.relay import ChainTransaction, Operation, OperationStatus, Relay, SignerState, control, enqueue
from chain.rpc import RpcClient
from scripts._anvil import CHAIN_ID, Anvil
from tests.chain.ledger_world import World, digest
from tests.chain.relay.conftest import Desk

SOON = 120.0


@pytest.fixture(scope="module")
def anvil_world(anvil_url: str) -> Iterator[World]:
    """The contracts on the module's anvil."""
    with RpcClient(anvil_url) as rpc:
        yield World.deployed(rpc, "control")


@pytest.fixture
def held(anvil_world: World, make: sessionmaker[Session], request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk on a node that mines only when it is told to."""
    anvil_world.label = request.node.name
    desk = Desk(anvil_world, make)
    anvil_world.rpc.call("evm_setAutomine", False)
    yield desk
    anvil_world.rpc.call("evm_setAutomine", True)
    anvil_world.rpc.call("evm_mine")


def _until(relay: Relay, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not done():
        assert time.monotonic() < deadline
        relay.step()
        time.sleep(0.01)


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _transactions(make: sessionmaker[Session]) -> list[ChainTransaction]:
    with make() as session:
        return list(session.scalars(select(ChainTransaction).order_by(ChainTransaction.id)))


def _cancel(desk: Desk, operation_id: str) -> None:
    with desk.sessions.begin() as session:
        operation = control.lock(session, operation_id)
        assert operation is not None
        control.cancel(session, operation)


def _mine(desk: Desk, relay: Relay) -> None:
    # The node forgets what came behind a transaction that is dropped; the relay sends it again.
    desk.world.rpc.call("evm_setAutomine", True)
    desk.world.rpc.call("evm_mine")
    desk.finish(relay)


def test_what_was_not_broadcast_is_cancelled_at_once(held: Desk) -> None:
    first, second = held.put_many("registrar", held.registrations(["one", "two"]))
    _cancel(held, first)
    relay = held.relay()
    relay.step()
    _mine(held, relay)
    assert held.get(first).status == OperationStatus.CANCELLED
    assert (held.get(first).error or {})["code"] == "Cancelled"
    held.assert_once("registrar", [second])
    with pytest.raises(control.NotPossible, match="ended already"):
        _cancel(held, second)


@pytest.mark.parametrize("original_mined", [False, True], ids=["no-op mined", "original mined"])
def test_what_was_broadcast_is_cancelled_by_a_no_op_unless_the_original_is_mined(
    held: Desk, original_mined: bool
) -> None:
    ids = held.put_many("registrar", held.registrations(["one", "two"]))
    relay = held.relay()
    relay.step()
    _cancel(held, ids[0])
    _until(relay, lambda: len(held.transactions()) == 3)
    original, noop, _ = held.transactions()
    assert noop.noop
    assert noop.nonce == original.nonce
    assert noop.max_fee_wei * 100 >= original.max_fee_wei * 110
    if original_mined:
        held.world.rpc.call("anvil_dropTransaction", "0x" + noop.hash.hex())
        held.world.rpc.call("eth_sendRawTransaction", "0x" + original.raw.hex())
    _mine(held, relay)
    statuses = [held.get(one).status for one in ids]
    assert statuses == ["succeeded" if original_mined else "cancelled", "succeeded"]
    assert held.count("registrar") == held.before["registrar"] + 2


def test_a_deadline_ends_what_waits_and_undoes_what_is_on_its_way(held: Desk) -> None:
    calls = held.registrations(["sent", "queued"])
    with held.sessions.begin() as session:
        at = int(time.time()) + 3600
        to = held.world.to("EntityRegistry")
        ids = [
            enqueue(session, kind="register", signer="registrar", to=to, data=call, deadline_at=at).id for call in calls
        ]
    relay = held.relay(in_flight=1)
    relay.step()
    assert [held.get(one).status for one in ids] == ["sent", "queued"]
    with held.sessions.begin() as session:
        session.execute(update(Operation).values(deadline_at=int(time.time())))
    _until(relay, lambda: len(held.transactions()) == 2)
    _mine(held, relay)
    for one in ids:
        assert held.get(one).status == OperationStatus.CANCELLED
        assert (held.get(one).error or {})["code"] == "DeadlinePassed"
    assert held.count("registrar") == held.before["registrar"] + 1


def test_what_no_node_takes_is_replaced_by_a_no_op_and_a_person_puts_it_back(held: Desk) -> None:
    held.world.rpc.call("evm_setAutomine", True)
    registration = held.world.registration(f"{held.world.label}/greedy")
    greedy = held.put("registrar", "EntityRegistry", "register", [registration], gas_limit=2**40)
    others = held.put_many("registrar", held.registrations(["behind"]))
    relay = held.relay(stuck_after=1.0, resend_after=0.05, finality_depth=2)
    held.finish(relay)
    failed = held.get(greedy)
    assert failed.status == OperationStatus.FAILED
    assert (failed.error or {})["code"] == "NodeRefused"
    assert "gas" in (failed.error or {})["message"]
    assert held.get(others[0]).status == OperationStatus.SUCCEEDED
    assert [row.noop for row in held.transactions()] == [False, True, False]

    with held.sessions.begin() as session:
        operation = control.lock(session, greedy)
        assert operation is not None
        with pytest.raises(control.NotPossible, match="reorganisation"):
            control.requeue(session, operation)
    held.world.rpc.call("anvil_mine", "0x5")
    _until(relay, lambda: held.transactions()[1].status == "final" or relay.step())
    with held.sessions.begin() as session:
        operation = control.lock(session, greedy)
        assert operation is not None
        operation.gas_limit = None
        control.requeue(session, operation)
    held.finish(relay)
    again = held.get(greedy)
    assert again.status == OperationStatus.SUCCEEDED
    assert [attempt["error"]["code"] for attempt in again.attempts] == ["NodeRefused"]
    with held.sessions() as session, pytest.raises(control.NotPossible, match="Only what failed"):
        control.requeue(session, again)


def test_a_nonce_that_nothing_is_known_of_is_filled_by_a_no_op(held: Desk) -> None:
    held.world.rpc.call("evm_setAutomine", True)
    relay = held.relay(stuck_after=1.0)
    ids = held.put_many("registrar", held.registrations(["one"]))
    held.finish(relay)
    with held.sessions.begin() as session:
        state = session.scalars(select(SignerState).where(SignerState.name == "registrar")).one()
        state.next_nonce = (state.next_nonce or 0) + 2
    ids += held.put_many("registrar", held.registrations(["two"]))
    held.finish(relay)
    assert {held.get(one).status for one in ids} == {OperationStatus.SUCCEEDED}
    assert [row.noop for row in held.transactions()] == [False, True, True, False]
    assert held.count("registrar") == held.before["registrar"] + 4


def test_fees_never_rise_above_the_limit(held: Desk) -> None:
    held.put_many("registrar", held.registrations(["one"]))
    relay = held.relay(stuck_after=0.02, max_fee_wei=3_500_000_000)
    for _ in range(60):
        relay.step()
        time.sleep(0.005)
    fees = [row.max_fee_wei for row in held.transactions()]
    assert len(fees) > 1
    assert all(after * 100 >= before * 110 for before, after in pairwise(fees))
    assert max(fees) <= 3_500_000_000
    _mine(held, relay)


def test_on_a_chain_before_eip_1559_transactions_are_legacy_ones_and_their_price_rises(
    make: sessionmaker[Session],
) -> None:
    # Our contracts need later forks, so the call is one that any address takes.
    key, nobody = LocalSigner(digest("berlin")), bytes.fromhex("ee" * 20)
    with Anvil("--no-mining", hardfork="berlin") as anvil, RpcClient(anvil.url) as rpc:
        rpc.call("anvil_setBalance", key.address, hex(10**18))
        contracts = Contracts(CHAIN_ID, *(f"0x{number:040x}" for number in (1, 2, 3)))
        relay = Relay(make, rpc, {"relayer": key}, contracts, stuck_after=0.05)
        with make.begin() as session:
            enqueue(session, kind="call", signer="relayer", to=nobody, data=b"\x01")
        _until(relay, lambda: len(_transactions(make)) == 2)
        rpc.call("evm_mine")
        _until(relay, lambda: any(row.block_number for row in _transactions(make)))
        relay.close()
        first, second = _transactions(make)
        mined = rpc.call("eth_getTransactionByHash", "0x" + (second if second.block_number else first).hash.hex())
    assert (first.tip_wei, second.tip_wei) == (None, None)
    assert second.max_fee_wei * 100 >= first.max_fee_wei * 110
    assert int(mined["type"], 16) == 0


def test_a_restart_over_live_transactions_sends_nothing_a_second_time(held: Desk) -> None:
    ids = held.put_many("registrar", held.registrations(["one", "two", "three"]))
    held.relay().step()
    time.sleep(0.06)  # until its lease is over
    relay = held.relay()
    for _ in range(3):
        relay.step()
    assert len(held.transactions()) == 3
    _mine(held, relay)
    held.assert_once("registrar", ids)


def test_a_replaced_batch_keeps_its_members(held: Desk) -> None:
    world = held.world
    world.rpc.call("evm_setAutomine", True)
    holder = f"{world.label}/holder"
    world.register(world.registration(holder))
    programme = world.programme(Funding.FIRST_COME)
    world.rpc.call("evm_setAutomine", False)
    orders = [world.order((programme << 32) + number, holder, 1_000) for number in range(1, 6)]
    data = [encode_call("VoucherLedger", "issue", [order]) for order in orders]
    ids = held.put_many("relayer", data, "VoucherLedger")
    relay = held.relay(stuck_after=0.05)
    _until(relay, lambda: len(held.transactions()) == 2)
    _cancel(held, ids[1])
    _until(relay, lambda: held.transactions()[-1].noop)
    # A member that is given up takes the batch back; the others go on alone.
    world.rpc.call("evm_setAutomine", True)
    world.rpc.call("evm_mine")
    held.finish(relay)
    assert [held.get(one).status for one in ids] == ["succeeded", "cancelled", *["succeeded"] * 3]
    assert sorted(len(members) for members in held.carriers("relayer").values()) == [1, 1, 1, 1, 1]


class PausingClient(RpcClient):
    """A real client of a real node, whose first answer with receipts is slow to come."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked, self.let = threading.Event(), threading.Event()

    def batch(self, requests: Any, *, timeout: float | None = None) -> list[Any]:
        answers = super().batch(requests, timeout=timeout)
        if requests[0][0] == "eth_getTransactionReceipt" and not self.asked.is_set():
            self.asked.set()
            assert self.let.wait(SOON)
        return answers


def test_a_reorganisation_while_a_key_is_being_followed_is_not_missed(held: Desk) -> None:
    world = held.world
    world.rpc.call("evm_setAutomine", True)
    ids = held.put_many("registrar", held.registrations(["orphaned"]))
    with_first = held.relay()
    held.finish(with_first)
    with_first.close()
    with PausingClient(world.rpc._url) as rpc:
        relay = held.relay(rpc, lease_seconds=60)
        stop = threading.Event()
        ids += held.put_many("registrar", held.registrations(["behind"]))
        thread = threading.Thread(target=relay.run, args=(stop,))
        thread.start()
        # It looks up what its predecessor sent; meanwhile that loses its block, and the relay sees it by another key.
        assert rpc.asked.wait(SOON)
        world.rpc.call("anvil_reorg", 1, [])
        other = held.put("operator", "VoucherLedger", "createProgramme", world.terms(Funding.FIRST_COME))
        _wait(lambda: held.get(other).status == OperationStatus.SUCCEEDED)
        rpc.let.set()
        _wait(lambda: not held.unfinished() and held.count("registrar") == held.before["registrar"] + 2)
        stop.set()
        relay.poke()
        thread.join()
    held.assert_once("registrar", ids)


class WaitingSigner:
    """A real key whose signer answers only when it is let."""

    def __init__(self, signer: LocalSigner) -> None:
        self._signer = signer
        self.address = signer.address
        self.let = threading.Event()

    def __getattr__(self, name: str) -> Any:
        assert self.let.wait(SOON)
        return getattr(self._signer, name)


def test_a_key_that_is_slow_to_sign_holds_up_no_other(held: Desk) -> None:
    held.world.rpc.call("evm_setAutomine", True)
    slow = WaitingSigner(held.world.signers["regulator"])
    signers = {**held.world.signers, "regulator": slow}
    relay = Relay(held.sessions, held.world.rpc, signers, held.world.contracts, lease_seconds=5)
    world = held.world
    world.register(world.registration(f"{world.label}/frozen"))
    (fast,) = held.put_many("registrar", held.registrations(["one"]))
    slow_one = held.put("regulator", "EntityRegistry", "freeze", digest(f"{world.label}/frozen"), digest("reason"))
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    _wait(lambda: held.get(fast).status == OperationStatus.SUCCEEDED)
    assert held.get(slow_one).status == OperationStatus.QUEUED
    slow.let.set()
    stop.set()
    relay.poke()
    thread.join()
