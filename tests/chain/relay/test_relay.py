"""Operations reach the chain once, in order, and end with what the contract said. On both nodes and both databases."""

import threading
import time
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select, update

from chain.contracts import encode_call
from chain.enums import Funding
from chain.relay import ChainTransaction, OperationStatus, Relay, SignerState, enqueue
from chain.relay.lease import LeaseLost, Leases, locked, new_owner
from chain.rpc import RpcClient, RpcError, RpcUnavailable
from tests.chain.ledger_world import digest
from tests.chain.relay.conftest import Desk


class Killed(BaseException):
    """The process ended here."""


class MortalClient(RpcClient):
    """A real client of a real node, whose process dies at an exchange: before it is sent, or with its answer."""

    def __init__(self, url: str, exchanges: int, *, answer_lost: bool) -> None:
        super().__init__(url)
        self.left = exchanges
        self._answer_lost = answer_lost

    def _post(self, body: bytes, timeout: float | None) -> Any:
        self.left -= 1
        if self.left < 0 and not self._answer_lost:
            raise Killed
        answer = super()._post(body, timeout)
        if self.left < 0:
            raise Killed
        return answer


class DeafClient(RpcClient):
    """A real client that loses the first answers to `eth_sendRawTransaction`."""

    losses = 3

    def batch(self, requests: Any, *, timeout: float | None = None) -> list[Any]:
        answers = super().batch(requests, timeout=timeout)
        if requests[0][0] == "eth_sendRawTransaction" and self.losses:
            self.losses -= 1
            raise RpcUnavailable("the answer was lost")
        return answers


class ForgetfulClient(RpcClient):
    """A real client of a node that does not say how many transactions a key has sent."""

    def call(self, method: str, *params: object, timeout: float | None = None) -> Any:
        if method == "eth_getTransactionCount":
            raise RpcError(-32000, "missing trie node")
        return super().call(method, *params, timeout=timeout)


class StumblingClient(RpcClient):
    """A real client with a defect that shows once."""

    stumbles = 1

    def call(self, method: str, *params: object, timeout: float | None = None) -> Any:
        if self.stumbles:
            self.stumbles -= 1
            raise ArithmeticError
        return super().call(method, *params, timeout=timeout)


class LaggingClient(RpcClient):
    """A real client of a node that shows receipts before it shows their block as the newest."""

    lagging = True

    def batch(self, requests: Any, *, timeout: float | None = None) -> list[Any]:
        if self.lagging and requests[0] == ("eth_getBlockByNumber", ("latest", False)):
            before = hex(int(self.call("eth_blockNumber"), 16) - 1)
            requests = [("eth_getBlockByNumber", (before, False)), *requests[1:]]
        return super().batch(requests, timeout=timeout)


class CountingClient(RpcClient):
    """Counts requests by method."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.methods: Counter[str] = Counter()

    def batch(self, requests: Any, **options: Any) -> list[Any]:
        self.methods.update(method for method, _ in requests)
        return super().batch(requests, **options)


def test_operation_ends_with_its_events(desk: Desk) -> None:
    (operation_id,) = desk.put_many("registrar", desk.registrations(["one"]))
    desk.finish(desk.relay())
    operation = desk.get(operation_id)
    assert operation.status == OperationStatus.SUCCEEDED
    assert operation.error is None
    assert operation.result is not None
    (event,) = operation.result["events"]
    assert (event["contract"], event["event"]) == ("EntityRegistry", "EntityRegistered")
    assert event["args"]["id"] == "0x" + digest(f"{desk.world.label}/one").hex()
    receipt = desk.world.rpc.call("eth_getTransactionReceipt", operation.result["tx_hash"])
    assert int(receipt["gasUsed"], 16) == operation.result["gas_used"]
    assert int(receipt["blockNumber"], 16) == operation.result["block_number"]


def test_refused_operation_ends_with_the_contracts_error_and_its_numbers_and_costs_nothing(desk: Desk) -> None:
    operation_id = desk.put("operator", "VoucherLedger", "publishProgramme", 4711)
    desk.finish(desk.relay())
    operation = desk.get(operation_id)
    assert operation.status == OperationStatus.REFUSED
    assert operation.error == {
        "code": "VoucherLedger_ProgrammeStatus",
        "args": {"programmeId": 4711, "status": 0},
        "message": "VoucherLedger_ProgrammeStatus(programmeId=4711, status=NONE)",
    }
    assert operation.result is None
    assert desk.count("operator") == desk.before["operator"]


def test_gas_is_estimated_once_for_calls_that_are_alike_and_again_where_one_is_refused(
    desk: Desk, node_url: str
) -> None:
    calls = desk.registrations([f"{number:02}" for number in range(10)])
    with CountingClient(node_url) as rpc:
        relay = desk.relay(rpc, resend_after=600.0)
        ids = desk.put_many("registrar", calls)
        desk.finish(relay)
        assert (rpc.methods["eth_estimateGas"], rpc.methods["eth_call"]) == (1, 9)
        (again,) = desk.put_many("registrar", calls[3:4])
        desk.finish(relay)
    refused = desk.get(again)
    assert refused.status == OperationStatus.REFUSED
    assert (refused.error or {})["code"] == "EntityRegistry_AlreadyRegistered"
    assert refused.result is None
    desk.assert_once("registrar", ids)


def test_a_rolled_back_request_leaves_nothing(desk: Desk) -> None:
    with desk.sessions() as session:
        enqueue(session, kind="x", signer="registrar", to=bytes(20), data=b"")
        session.flush()
        session.rollback()
    assert desk.unfinished() == []
    assert not desk.relay().step()


def test_an_operation_of_an_unknown_key_fails_and_holds_up_nobody(desk: Desk) -> None:
    stranger = desk.put("stranger", "EntityRegistry", "register", [])
    others = desk.put_many("registrar", desk.registrations(["one"]))
    desk.finish(desk.relay())
    operation = desk.get(stranger)
    assert operation.status == OperationStatus.FAILED
    assert operation.error is not None
    assert operation.error["code"] == "UnknownSigner"
    desk.assert_once("registrar", others)


def test_fifty_operations_go_out_together_without_a_gap(desk: Desk) -> None:
    ids = desk.put_many("registrar", desk.registrations([str(number) for number in range(50)]))
    relay = desk.relay()
    relay.step()
    with desk.sessions() as session:
        assert len(session.scalars(select(ChainTransaction.id)).all()) == 50
    desk.finish(relay)
    desk.assert_once("registrar", ids)
    assert list(desk.carriers("registrar").values()) == [[one] for one in ids]


def test_operations_that_need_each_other_wait_and_all_succeed(desk: Desk) -> None:
    world = desk.world
    created = int(world.read("VoucherLedger", "programme", 1)["status"] != 0)
    while world.read("VoucherLedger", "programme", created + 1)["status"]:
        created += 1
    programme_id = created + 1
    terms = world.terms(Funding.FIRST_COME)
    name = f"{world.label}/holder"
    voucher_id = (programme_id << 32) + 1
    # The approver signs before the programme exists: the digest does not depend on it.
    order = world.order(voucher_id, name, 1_000)
    ids = [
        desk.put("operator", "VoucherLedger", "createProgramme", terms),
        desk.put("operator", "VoucherLedger", "publishProgramme", programme_id),
        desk.put("registrar", "EntityRegistry", "register", [world.registration(name)]),
        desk.put("relayer", "VoucherLedger", "issue", order),
        desk.put("regulator", "VoucherLedger", "freeze", voucher_id, digest("reason")),
        desk.put("regulator", "VoucherLedger", "unfreeze", voucher_id),
    ]
    desk.finish(desk.relay())
    assert [desk.get(one).error for one in ids] == [None] * len(ids)
    assert {desk.get(one).status for one in ids} == {OperationStatus.SUCCEEDED}


def test_a_refusal_on_chain_after_a_good_simulation_is_decoded_too(desk: Desk) -> None:
    world = desk.world
    world.register(world.registration(f"{world.label}/one"))
    call = encode_call("EntityRegistry", "freeze", [digest(f"{world.label}/one"), digest("reason")])
    first, second = desk.put_many("regulator", [call, call])
    desk.finish(desk.relay())
    assert desk.get(first).status == OperationStatus.SUCCEEDED
    refused = desk.get(second)
    assert refused.status == OperationStatus.REFUSED
    assert refused.error is not None
    assert refused.error["code"] == "EntityRegistry_Frozen"
    assert refused.error["args"] == {"id": "0x" + digest(f"{world.label}/one").hex()}


def test_a_gas_limit_is_taken_as_given(desk: Desk) -> None:
    world = desk.world
    registration = world.registration(f"{world.label}/one")
    operation_id = desk.put("registrar", "EntityRegistry", "register", [registration], gas_limit=876_543)
    desk.finish(desk.relay())
    result = desk.get(operation_id).result
    assert result is not None
    assert int(world.rpc.call("eth_getTransactionByHash", result["tx_hash"])["gas"], 16) == 876_543


@pytest.mark.parametrize("answer_lost", [False, True], ids=["before", "after"])
def test_killed_at_any_exchange_with_the_node_each_operation_is_mined_once(
    desk: Desk, node_url: str, answer_lost: bool
) -> None:
    ids = desk.put_many("registrar", desk.registrations([str(number) for number in range(4)]))
    for exchanges in range(9):
        with MortalClient(node_url, exchanges, answer_lost=answer_lost) as rpc:
            relay = desk.relay(rpc, in_flight=2)
            try:
                desk.finish(relay)
                break
            except Killed:
                time.sleep(0.06)  # until its lease is over
    desk.finish(desk.relay())
    desk.assert_once("registrar", ids)


def test_a_broadcast_whose_answer_is_lost_is_repeated_with_the_same_bytes(desk: Desk, node_url: str) -> None:
    ids = desk.put_many("registrar", desk.registrations(["one", "two", "three"]))
    with DeafClient(node_url) as rpc:
        desk.finish(desk.relay(rpc))
        assert rpc.losses < 3
    desk.assert_once("registrar", ids)


def test_a_nonce_is_never_guessed_when_the_node_does_not_say(desk: Desk, node_url: str) -> None:
    ids = desk.put_many("registrar", desk.registrations(["one"]))
    with ForgetfulClient(node_url) as rpc:
        relay = desk.relay(rpc)
        for _ in range(2):
            with pytest.raises(RpcError, match="missing trie node"):
                relay.step()
    with desk.sessions() as session:
        assert session.scalars(select(ChainTransaction)).all() == []
    desk.finish(desk.relay())
    desk.assert_once("registrar", ids)


def test_an_operation_does_not_end_before_the_state_that_later_ones_are_simulated_on(desk: Desk, node_url: str) -> None:
    (operation_id,) = desk.put_many("registrar", desk.registrations(["one"]))
    with LaggingClient(node_url) as rpc:
        relay = desk.relay(rpc)
        deadline = time.monotonic() + 120
        while desk.count("registrar") == desk.before["registrar"]:
            assert time.monotonic() < deadline
            relay.step()
        for _ in range(3):
            relay.step()
        assert desk.get(operation_id).status == OperationStatus.SENT
        rpc.lagging = False
        desk.finish(relay)
    desk.assert_once("registrar", [operation_id])


def test_a_nonce_that_was_used_without_us_costs_a_wait_and_nothing_else(desk: Desk) -> None:
    world = desk.world
    (one,) = desk.put_many("registrar", desk.registrations(["one"]))
    relay = desk.relay(lost_after=0.1)
    desk.finish(relay)
    # Between two operations: the chain is simply ahead.
    world.register(world.registration(f"{world.label}/outside 1"))
    (two,) = desk.put_many("registrar", desk.registrations(["two"]))
    desk.finish(relay)
    # Between signing and sending: what was signed can never be mined.
    with MortalClient(relay_url(world.rpc), 5, answer_lost=False) as rpc:
        (three,) = desk.put_many("registrar", desk.registrations(["three"]))
        mortal = desk.relay(rpc)
        time.sleep(0.06)
        with pytest.raises(Killed):
            desk.finish(mortal)
    assert desk.get(three).status == OperationStatus.SENT
    assert desk.transactions()[-1].status == "signed"
    world.register(world.registration(f"{world.label}/outside 2"))
    time.sleep(0.06)
    desk.finish(desk.relay(lost_after=0.1))
    assert {desk.get(operation_id).status for operation_id in (one, two, three)} == {OperationStatus.SUCCEEDED}
    assert desk.count("registrar") == desk.before["registrar"] + 5


def relay_url(rpc: RpcClient) -> str:
    """Where a client's node is."""
    return rpc._url


def test_a_relay_that_failed_as_nobody_foresaw_works_when_it_is_run_again(desk: Desk, node_url: str) -> None:
    ids = desk.put_many("registrar", desk.registrations(["one", "two"]))
    with StumblingClient(node_url) as rpc:
        relay = desk.relay(rpc)
        with pytest.raises(ArithmeticError):
            relay.run(threading.Event())
        desk.finish(relay)
    desk.assert_once("registrar", ids)


def test_two_relays_on_one_database_send_each_operation_once(desk: Desk, node_url: str) -> None:
    ids = desk.put_many("registrar", desk.registrations([str(number) for number in range(20)]))
    stop = threading.Event()
    with RpcClient(node_url) as rpc:
        relays = [desk.relay(rpc, in_flight=4, lease_seconds=0.2) for _ in range(2)]
        threads = [threading.Thread(target=relay.run, args=(stop,)) for relay in relays]
        for thread in threads:
            thread.start()
        ids += desk.put_many("registrar", desk.registrations([str(number) for number in range(20, 30)]))
        deadline = time.monotonic() + 120
        while desk.unfinished() and time.monotonic() < deadline:
            time.sleep(0.02)
        stop.set()
        for thread in threads:
            thread.join()
    desk.assert_once("registrar", ids)


def test_a_relay_that_slept_past_its_lease_cannot_write(desk: Desk) -> None:
    address = bytes.fromhex(desk.world.signers["registrar"].address.removeprefix("0x"))
    sleeper, successor = (Leases(desk.sessions, new_owner(), seconds=60.0) for _ in range(2))
    old = sleeper.hold("registrar", address)
    assert old is not None
    assert successor.hold("registrar", address) is None
    with desk.sessions.begin() as session:
        session.execute(update(SignerState).values(lease_until=time.time()))  # it slept so long
    new = successor.hold("registrar", address)
    assert new is not None
    with desk.sessions.begin() as session:
        assert locked(session, new).token == new.token
        with pytest.raises(LeaseLost):
            locked(session, old)
    sleeper.release(sleeper.held)
    assert successor.hold("registrar", address) == new
    successor.release(successor.held)
    assert sleeper.hold("registrar", address) is not None


def test_a_commit_wakes_the_relay_and_the_end_wakes_whoever_asked(desk: Desk) -> None:
    ended = threading.Event()
    stop = threading.Event()
    relay: Relay = desk.relay(on_progress=ended.set)
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    ids = desk.put_many("registrar", desk.registrations(["one"]))
    assert ended.wait(120)
    while desk.unfinished():
        time.sleep(0.01)
    stop.set()
    relay.poke()
    thread.join()
    desk.assert_once("registrar", ids)
