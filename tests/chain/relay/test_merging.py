"""Long queues go out through the contract's batch forms, and each operation still ends for itself. On both nodes."""

from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from chain.contracts import encode_call
from chain.enums import Funding
from chain.relay import Operation, OperationStatus
from chain.relay.parcels import parcels
from tests.chain.ledger_world import World, digest, ref
from tests.chain.relay.conftest import Desk


@pytest.fixture
def desk(world: World, make: "sessionmaker[Session]") -> Desk:
    """A desk in one world, whose platform and its key stay."""
    world.label = "merging"
    return Desk(world, make)


@pytest.fixture(scope="module")
def programme(world: World) -> int:
    """A programme with a platform and a supplier."""
    world.label = "merging"
    world.register(world.registration("supplier", roles=2), world.registration("platform", roles=4))
    return world.programme(Funding.FIRST_COME)


def _put(desk: Desk, signer: str, function: str, calls: list[list[Any]]) -> list[str]:
    data = [encode_call("VoucherLedger", function, arguments) for arguments in calls]
    return desk.put_many(signer, data, "VoucherLedger")


def _ended(desk: Desk, ids: list[str]) -> list[Operation]:
    desk.finish(desk.relay())
    return [desk.get(one) for one in ids]


def _one_transaction(operations: list[Operation]) -> str:
    (tx_hash,) = {operation.result["tx_hash"] for operation in operations if operation.result}
    return str(tx_hash)


def _holder(world: World) -> str:
    """A new organisation."""
    name = f"holder {next(world.numbers)}"
    world.register(world.registration(name))
    return name


def _vouchers(desk: Desk, programme: int, holder: str, count: int) -> list[int]:
    """Vouchers that are issued past the relay."""
    serial = next(desk.world.numbers) * 100
    return [desk.world.issue(programme, serial + number, holder, 1_000) for number in range(count)]


def test_issues_in_a_row_share_a_transaction_and_a_refused_one_stops_no_other(desk: Desk, programme: int) -> None:
    world = desk.world
    holder = _holder(world)
    serial = (programme << 32) + next(world.numbers) * 100
    numbers = [serial, serial + 1, serial, serial + 2]
    done = _ended(desk, _put(desk, "relayer", "issue", [[world.order(one, holder, 1_000)] for one in numbers]))
    assert [one.status for one in done] == ["succeeded", "succeeded", "refused", "succeeded"]
    assert done[2].error == {
        "code": "VoucherLedger_VoucherIdTaken",
        "args": {"voucherId": serial},
        "message": f"VoucherLedger_VoucherIdTaken(voucherId={serial})",
    }
    receipt = world.rpc.call("eth_getTransactionReceipt", _one_transaction(done))
    assert sum(one.result["gas_used"] for one in done if one.result) == int(receipt["gasUsed"], 16)
    issued = [one.result["events"][0]["args"]["voucherId"] for one in done if one.result and not one.error]
    assert issued == [serial, serial + 1, serial + 2]
    assert [event["event"] for event in (done[3].result or {})["events"]] == ["VoucherIssued", "Transfer", "Locked"]


def test_redemptions_in_a_row_share_a_transaction_and_write_offs_split_at_a_refusal(desk: Desk, programme: int) -> None:
    world = desk.world
    holder = _holder(world)
    vouchers = _vouchers(desk, programme, holder, 2)
    trades = [world.trade(holder, settled) for settled in (1_000, 2_000, 100_000)]
    claims = [world.claim(vouchers[0], trade) for trade in trades[:2]]
    # The same trade a second time, and one that the voucher's face cuts.
    claims += [claims[0], world.claim(vouchers[1], trades[2])]
    done = _ended(desk, _put(desk, "relayer", "redeem", [[claim] for claim in claims]))
    _one_transaction(done)
    assert [one.status for one in done] == ["succeeded", "succeeded", "refused", "succeeded"]
    assert (done[2].error or {})["code"] == "VoucherLedger_SettlementUsed"
    paid = [one.result["events"][0]["args"] for one in done if one.result and not one.error]
    assert [args["quote"]["amountFen"] for args in paid] == [300, 600, 1_000]

    # The relay learns before it pays gas that one cannot be written off, and sends the others one by one.
    first, second, third = (ref(args["redemptionId"], trade) for args, trade in zip(paid, trades, strict=True))
    unknown = {**third, "redemptionId": third["redemptionId"] + 9}
    reference = digest("payment")
    calls = [[[first], reference], [[third], reference], [[unknown], reference], [[second], reference]]
    written = _ended(desk, _put(desk, "finance", "writeOff", calls))
    assert [one.status for one in written] == ["succeeded", "succeeded", "refused", "succeeded"]
    assert (written[2].error or {})["code"] == "VoucherLedger_UnknownRedemption"
    assert desk.count("finance") == desk.before["finance"] + 3


def test_write_offs_against_one_payment_share_a_transaction(desk: Desk, programme: int) -> None:
    world = desk.world
    holder = _holder(world)
    (voucher,) = _vouchers(desk, programme, holder, 1)
    trades = [world.trade(holder, 100) for _ in range(5)]
    numbers = world.redeem(*(world.claim(voucher, trade) for trade in trades))
    refs = [ref(number, trade) for number, trade in zip(numbers, trades, strict=True)]
    calls = [[refs[:2], digest("payment")], *([[one], digest("payment")] for one in refs[2:])]
    done = _ended(desk, _put(desk, "finance", "writeOff", calls))
    _one_transaction(done)
    assert {one.status for one in done} == {OperationStatus.SUCCEEDED}
    written = [[event["args"]["redemptionId"] for event in one.result["events"]] for one in done if one.result]
    assert written == [numbers[:2], *([one] for one in numbers[2:])]


def test_a_short_queue_is_sent_one_by_one_and_a_batch_stays_below_its_size(desk: Desk, programme: int) -> None:
    world = desk.world
    holder = _holder(world)
    serial = (programme << 32) + next(world.numbers) * 100
    calls = [[world.order(serial + number, holder, 1_000)] for number in range(8)]
    short = _ended(desk, _put(desk, "relayer", "issue", calls[:3]))
    assert len({(one.result or {})["tx_hash"] for one in short}) == 3
    ids = _put(desk, "relayer", "issue", calls[3:])
    desk.finish(desk.relay(merged_at_most=3))
    assert sorted(len(members) for members in desk.carriers("relayer").values()) == [1, 1, 1, 2, 3]
    assert {desk.get(one).status for one in ids} == {OperationStatus.SUCCEEDED}


def test_an_item_without_gas_is_sent_again_alone(desk: Desk, programme: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an approver's own contract needs for its signature nobody knows beforehand."""
    world = desk.world
    holder = _holder(world)
    serial = (programme << 32) + next(world.numbers) * 100
    ids = _put(desk, "relayer", "issue", [[world.order(serial + number, holder, 1_000)] for number in range(4)])
    # A limit as if issues were cheap: the last of them run short.
    monkeypatch.setattr("chain.relay.parcels._BATCH_GAS", -1_750_000)
    desk.finish(desk.relay())
    done = [desk.get(one) for one in ids]
    assert {one.status for one in done} == {OperationStatus.SUCCEEDED}
    assert any(one.attempts for one in done)


def test_a_batch_stays_below_the_size_that_pools_take(desk: Desk, programme: int) -> None:
    claim = desk.world.claim(1, desk.world.trade("anybody", 1_000))
    claim["proof"]["tradePath"] = [bytes(32)] * 200
    ids = _put(desk, "relayer", "redeem", [[claim]] * 40)
    operations = [desk.get(one) for one in ids]
    found = list(parcels(operations, most=50, gas_most=10**9, room=64))
    assert [one for parcel in found for one in parcel.operations] == operations
    assert 1 < len(found) < 10
    assert max(len(parcel.data) for parcel in found) < 128 * 1024
