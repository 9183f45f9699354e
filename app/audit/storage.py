"""What the contracts themselves say at the last block, beside what their events came to.

Budgets, programmes, streams and counters are compared all; of vouchers, redemptions and organisations a sample, drawn
by the hash of the block, so that nobody can know it before the block is there.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from app.audit.book import Book
from app.audit.findings import Findings
from app.indexer.projector import programme_of
from app.indexer.values import account
from chain.abi import AbiError
from chain.contracts import ContractName, Contracts, decode_result, encode_call
from chain.enums import NO_PERIOD, RedemptionState
from chain.headers import Header
from chain.rpc import Request, RpcClient, RpcError

_CALLS_AT_ONCE = 200
_LINK_BYTES = 23
_BUDGET = ("amountFen", "reservedFen", "redeemedFen", "writtenOffFen", "recoveredFen")
_ENTITY = ("number", "kind", "roles", "region", "standing", "standingUntil", "frozen", "controller")
_VOUCHER = "programme, holder, tier, period, state, issued, valid until, face, redeemed, written off"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Question:
    """One view, and what its answer must be; `pick` takes the members of the answer that are compared."""

    subject: str
    contract: ContractName
    function: str
    args: Sequence[Any]
    expected: Any
    pick: Callable[[Any], Any]


def check_storage(
    rpc: RpcClient, contracts: Contracts, block: Header, book: Book, findings: Findings, *, sample: int
) -> int:
    """Ask the contracts at a block.

    Args:
        sample: how many of vouchers, of redemptions and of organisations at most; 0 for all.

    Returns:
        How many questions were asked.

    Raises:
        RpcUnavailable: the node does not answer.
    """
    chance = random.Random(block.hash)  # noqa: S311 - public and repeatable on purpose
    questions = _questions(book, lambda many: _drawn(chance, many, sample))
    asked = 0
    while part := list(islice(questions, _CALLS_AT_ONCE)):
        asked += len(part)
        requests: list[Request] = [_call(contracts, one, block) for one in part]
        for one, answer in zip(part, rpc.batch(requests), strict=True):
            _compare(one, answer, findings)
    return asked


def _compare(one: _Question, answer: Any, findings: Findings) -> None:
    if isinstance(answer, RpcError):
        found: Any = f"the node or the contract refused: {answer}"
    else:
        try:
            found = one.pick(decode_result(one.contract, one.function, answer))
        except AbiError as error:
            found = str(error)
    if found != one.expected:
        findings.add("storage-is-what-events-say", one.subject, expected=one.expected, found=found)


def _call(contracts: Contracts, one: _Question, block: Header) -> Request:
    data = "0x" + encode_call(one.contract, one.function, one.args).hex()
    return "eth_call", ({"to": contracts.addresses[one.contract], "data": data}, hex(block.number))


def _drawn(chance: random.Random, many: Sequence[T], sample: int) -> Sequence[T]:
    return many if sample == 0 or len(many) <= sample else chance.sample(many, sample)


def _questions(book: Book, drawn: Callable[[Sequence[Any]], Sequence[Any]]) -> Iterator[_Question]:
    yield from _of_programmes(book)
    yield from _of_streams(book)
    yield from _of_organisations(book, drawn(list(book.registered)))
    vouchers = drawn(list(book.vouchers))
    yield from _of_vouchers(book, vouchers)
    yield from _of_redemptions(book, drawn(list(book.redemptions)))


def _of_programmes(book: Book) -> Iterator[_Question]:
    following = len(book.programmes) + 1
    yield _Question("number of programmes", "VoucherLedger", "programme", [following], 0, lambda p: p["status"])
    for one in book.programmes.values():
        moving = (one.status, one.last_traded_at, one.redemptions, len(one.tiers), one.group)
        yield _Question(
            f"programme {one.number}: status, last trade, redemptions, tiers, group",
            "VoucherLedger",
            "programme",
            [one.number],
            moving,
            lambda p: (p["status"], p["lastTradedAt"], p["redemptions"], p["tiers"], p["group"]),
        )
        for index, budget in enumerate(one.budgets):
            figures = (
                budget.amount_fen,
                budget.reserved_fen,
                budget.redeemed_fen,
                budget.written_off_fen,
                budget.recovered_fen,
                budget.available_fen,
            )
            yield _Question(
                f"budget {index} of programme {one.number}: {', '.join(_BUDGET)}, available",
                "VoucherLedger",
                "budget",
                [one.number, index],
                figures,
                _budget,
            )


def _budget(answer: Any) -> tuple[int, ...]:
    budget, available_fen = answer
    return (*(budget[name] for name in _BUDGET), available_fen)


def _of_streams(book: Book) -> Iterator[_Question]:
    # Also of platforms that anchored nothing: their batches could all be withheld.
    platforms = {one for one, registered in book.registered.items() if registered.evidence_key is not None}
    for platform in sorted(platforms | book.streams.keys()):
        stream = book.streams[platform]
        yield _Question(
            f"stream of platform 0x{platform.hex()}: batches, next sequence, head",
            "EvidenceLog",
            "stream",
            [platform],
            (stream.batches, stream.next_sequence, stream.head[:_LINK_BYTES]),
            lambda s: (s["batches"], s["nextSequence"], s["head"]),
        )


def _of_organisations(book: Book, chosen: Sequence[bytes]) -> Iterator[_Question]:
    following = len(book.registered) + 1
    yield _Question("number of organisations", "EntityRegistry", "idOf", [following], bytes(32), lambda one: one)
    for one in chosen:
        organisation, registered = book.organisations[one], book.registered[one]
        expected = (
            registered.number,
            registered.kind,
            int(organisation.roles),
            registered.region,
            organisation.standing,
            organisation.standing_until,
            organisation.frozen,
            organisation.controller,
            registered.account,
        )
        yield _Question(
            f"organisation 0x{one.hex()}: {', '.join(_ENTITY)}, account",
            "EntityRegistry",
            "entity",
            [one],
            expected,
            _entity,
        )


def _entity(answer: Any) -> tuple[Any, ...]:
    return (*(answer[name] for name in _ENTITY), account(answer["account"]))


def _of_vouchers(book: Book, chosen: Sequence[int]) -> Iterator[_Question]:
    for number in chosen:
        voucher = book.vouchers[number]
        expected = (
            programme_of(number),
            book.registered[voucher.holder].number if voucher.holder in book.registered else None,
            voucher.tier,
            NO_PERIOD if voucher.period is None else voucher.period,
            voucher.state,
            voucher.issued_at,
            voucher.valid_until,
            voucher.face_fen,
            voucher.redeemed_fen,
            book.written_off_fen.get(number, 0),
        )
        yield _Question(
            f"voucher {number}: {_VOUCHER}",
            "VoucherLedger",
            "voucher",
            [number],
            expected,
            lambda v: tuple(v.values()),
        )
    places = {(programme_of(number), book.vouchers[number].holder) for number in chosen}
    for programme, holder in sorted(places):
        by_period = book.used.get((programme, holder), {})
        for period in sorted(by_period) or [0]:
            yield _Question(
                f"use of programme {programme} by 0x{holder.hex()}: period {period}, total",
                "VoucherLedger",
                "used",
                [programme, holder, period],
                [by_period.get(period, 0), sum(by_period.values())],
                list,
            )


def _of_redemptions(book: Book, chosen: Sequence[int]) -> Iterator[_Question]:
    for number in chosen:
        r = book.redemptions[number]
        # A rejected record gives way to the next claim of its trade.
        group = book.programmes[programme_of(number)].group
        if r.state == RedemptionState.REJECTED and book.settlements.get((group, r.settlement_key)) != number:
            continue
        expected = (r.voucher, r.period, r.state, r.barred, r.redeemed_at, r.written_off_at, r.amount_fen)
        yield _Question(
            f"redemption {number}: voucher, period, state, barred, redeemed, written off, amount, recovered",
            "VoucherLedger",
            "redemption",
            [number, r.settlement_key],
            (*expected, r.recovered_fen),
            _redemption,
        )


def _redemption(answer: Any) -> tuple[Any, ...]:
    return tuple(value for name, value in answer.items() if name != "serial")
