"""A chain on paper: blocks and logs as the contracts would have made them, without an EVM, which takes an hour for a
million events.

A tenth of the events are vouchers, six tenths redemptions, three tenths write-offs, in blocks of forty to a hundred, as
`events.py` makes them on a node. Views of the contracts are answered by arithmetic; code and wiring come from a real
deployment. Whoever reads it cannot tell, as long as every figure follows from the rules.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from eth_hash.auto import keccak

from chain.contracts import CONTRACT_NAMES, Contracts, events, functions
from chain.enums import ProgrammeStatus, RedemptionState, Role, Standing, VoucherState
from chain.evidence import NO_HEAD, BatchHeader, link_to
from chain.rpc import RpcClient, RpcError

HOLDERS, FACE_FEN, SETTLED_FEN, RATE_BPS = 50, 10**8, 10**6, 3_000
AMOUNT_FEN = SETTLED_FEN * RATE_BPS // 10_000
_VOUCHERS, _REDEMPTIONS, _PAYMENTS, _TRADES = 40, 50, 100, 1_024
_BEGAN, _VALID_UNTIL, _FOREVER = 2_000_000_000, 2**32 - 1, 2**40 - 1
_EMPTY_AT_THE_END = 70
_NO_BLOOM = "0x" + "00" * 256
_PROGRAMME = 1 << 32


def digest(text: str) -> bytes:
    """Some 32 bytes that belong to a text."""
    return keccak(text.encode())


@dataclass(frozen=True)
class Plan:
    """How much happens, and under which terms."""

    contracts: Contracts
    terms: Mapping[str, Any]
    vouchers: int

    @property
    def redemptions(self) -> int:
        """Six of each voucher."""
        return self.vouchers * 6

    @property
    def paid(self) -> int:
        """The first half of them."""
        return self.redemptions // 2

    @property
    def batches(self) -> int:
        """Of evidence, a submission of a thousand trades in each."""
        return -(-self.redemptions // _TRADES)

    def voucher_block(self, index: int) -> int:
        """Block in which a voucher is issued, by its place."""
        return 3 + index // _VOUCHERS

    def redemption_block(self, index: int) -> int:
        """The same of a redemption."""
        return self.voucher_block(self.vouchers - 1) + 1 + self.batches + index // _REDEMPTIONS

    def payment_block(self, index: int) -> int:
        """The same of a write-off."""
        return self.redemption_block(self.redemptions - 1) + 1 + index // _PAYMENTS


def at(block: int) -> int:
    """Unix seconds of a block."""
    return _BEGAN + block


def holder(index: int) -> bytes:
    """Who holds a voucher, by its place."""
    return digest(f"holder {index % HOLDERS}")


def settlement_key(index: int) -> bytes:
    """Of a redemption, by its place."""
    return (index + 1).to_bytes(32, "big")


class Paper:
    """The blocks: their headers and logs as JSON."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.head = NO_HEAD
        self._events = {name: codec for contract in CONTRACT_NAMES for name, codec in events(contract).items()}
        self._address = {
            name: plan.contracts.addresses[contract].lower() for contract in CONTRACT_NAMES for name in events(contract)
        }
        self._hashes = [digest("block 0")]
        self.logs: list[bytes] = [b""]
        for block in self._blocks():
            number = len(self.logs)
            self._hashes.append(digest(f"block {number}"))
            self.logs.append(b",".join(self._log(number, place, *said) for place, said in enumerate(block)))

    def header(self, number: int) -> dict[str, Any] | None:
        """As a node sends it; None beyond the newest."""
        if number >= len(self.logs):
            return None
        parent = self._hashes[number - 1] if number else bytes(32)
        return {
            "number": hex(number),
            "hash": "0x" + self._hashes[number].hex(),
            "parentHash": "0x" + parent.hex(),
            "timestamp": hex(at(number)),
            "logsBloom": _NO_BLOOM,
        }

    def _blocks(self) -> Iterator[list[tuple[str, list[bytes], bytes]]]:
        """What is said in each block from the first on: event, topics, data."""
        plan = self.plan
        yield [*self._roles(), *self._registrations()]
        created = {"programmeId": 1, "policyHash": plan.terms["policyHash"], "group": plan.terms["group"]}
        yield [
            self._said("ProgrammeCreated", created | {"terms": plan.terms}),
            self._said("ProgrammePublished", {"programmeId": 1}),
        ]
        for start in range(0, plan.vouchers, _VOUCHERS):
            yield [said for one in range(start, min(start + _VOUCHERS, plan.vouchers)) for said in self._issue(one)]
        for index in range(plan.batches):
            yield [self._batch(index)]
        for start in range(0, plan.redemptions, _REDEMPTIONS):
            yield [self._redeem(one) for one in range(start, min(start + _REDEMPTIONS, plan.redemptions))]
        for start in range(0, plan.paid, _PAYMENTS):
            yield [self._pay(one) for one in range(start, min(start + _PAYMENTS, plan.paid))]
        for _ in range(_EMPTY_AT_THE_END):
            yield []

    def _roles(self) -> Iterator[tuple[str, list[bytes], bytes]]:
        (reviewer,) = self.plan.terms["stages"][0]["approvers"]
        yield self._said("RoleGranted", {"role": Role.REVIEWER.value, "account": reviewer, "sender": reviewer})

    def _registrations(self) -> Iterator[tuple[str, list[bytes], bytes]]:
        for number, (name, roles) in enumerate(parties(), 1):
            one = registration(name, roles)
            said = {"id": one["id"], "number": number, "account": one["account"], "registration": one}
            yield self._said("EntityRegistered", said)
            if roles == 4:
                key = {"id": one["id"], "purpose": 1, "key": one["evidenceKey"], "custodial": False}
                yield self._said("KeyChanged", key)

    def _issue(self, index: int) -> Iterator[tuple[str, list[bytes], bytes]]:
        number = _word(_PROGRAMME + index + 1)
        words = (0, 0, FACE_FEN, _VALID_UNTIL, 1)
        yield "VoucherIssued", [number, _word(1), holder(index)], b"".join(map(_word, words))
        account = bytes.fromhex(registration(f"holder {index % HOLDERS}", 1)["account"][2:]).rjust(32, b"\0")
        yield "Transfer", [bytes(32), account, number], b""
        yield "Locked", [], number

    def _batch(self, index: int) -> tuple[str, list[bytes], bytes]:
        args = {"platform": digest("platform"), "index": index, "fromSequence": index + 1, "toSequence": index + 1}
        args |= {"root": _word(index + 1), "count": _TRADES, "firstTradeAt": _BEGAN, "lastTradeAt": _BEGAN}
        block = self.plan.voucher_block(self.plan.vouchers - 1) + 1 + index
        self.head = BatchHeader.of_event(args, self.head, at(block)).head()
        packed = index << 192 | (index + 1) << 152 | (index + 1) << 112 | _TRADES << 80 | _BEGAN << 40 | _BEGAN
        return "BatchAppended", [digest("platform"), _word(index + 1)], self.head + _word(packed)

    def _redeem(self, index: int) -> tuple[str, list[bytes], bytes]:
        key, place = settlement_key(index), index % self.plan.vouchers
        # Compute, intelligent, no attributes; settled and contract the same.
        terms = 2 << 144 | 410100 << 80 | _BEGAN << 40 | _BEGAN
        amounts = SETTLED_FEN << 128 | SETTLED_FEN << 64
        quote = b"".join(map(_word, (AMOUNT_FEN, RATE_BPS, 0, 0)))
        facts = digest("platform") + digest("supplier") + key + _word(terms) + _word(amounts)
        topics = [_word(_PROGRAMME + index + 1), _word(_PROGRAMME + place + 1), key]
        return "Redeemed", topics, key + quote + facts

    def _pay(self, index: int) -> tuple[str, list[bytes], bytes]:
        return "WrittenOff", [_word(_PROGRAMME + index + 1), _word(1)], _word(AMOUNT_FEN)

    def _said(self, name: str, args: Mapping[str, Any]) -> tuple[str, list[bytes], bytes]:
        """An event of which there are few, by the encoder."""
        codec = self._events[name]
        indexed = codec._indexed
        encoded = indexed.encode({one: args[one] for one in indexed.names})
        data = codec._data
        topics = [encoded[start : start + 32] for start in range(0, len(encoded), 32)]
        return name, topics, data.encode({one: args[one] for one in data.names})

    def _log(self, block: int, place: int, name: str, topics: Sequence[bytes], data: bytes) -> bytes:
        joined = '","0x'.join(topic.hex() for topic in (self._events[name].topic, *topics))
        return (
            f'{{"address":"{self._address[name]}","topics":["0x{joined}"],"data":"0x{data.hex()}",'
            f'"blockNumber":"{block:#x}","blockHash":"0x{self._hashes[block].hex()}","transactionHash":"0x{block:064x}",'
            f'"transactionIndex":"0x0","logIndex":"{place:#x}"}}'
        ).encode()


def parties() -> list[tuple[str, int]]:
    """Organisations in order of their numbers, with their roles."""
    return [*((f"holder {index}", 1) for index in range(HOLDERS)), ("supplier", 2), ("platform", 4)]


def registration(name: str, roles: int) -> dict[str, Any]:
    """An organisation as it was registered."""
    return {
        "id": digest(name),
        "account": "0x" + digest(f"account of {name}").hex()[:40],
        "kind": 5 if roles == 4 else 0,
        "roles": roles,
        "region": 410100,
        "standing": Standing.GOOD,
        "standingUntil": _FOREVER,
        "controller": digest(f"controller of {name}")[:16],
        "evidenceKey": "0x" + ("11" if roles == 4 else "00") * 20,
        "custodial": False,
    }


class Views:
    """What the contracts would answer at the newest block."""

    def __init__(self, paper: Paper) -> None:
        self._paper, self._plan = paper, paper.plan
        self._numbers = {digest(name): (number, name, roles) for number, (name, roles) in enumerate(parties(), 1)}
        self._functions = {
            (paper.plan.contracts.addresses[contract].lower(), function.selector): function
            for contract in CONTRACT_NAMES
            for function in functions(contract).values()
        }

    def answer(self, to: str, data: bytes) -> bytes | None:
        """An encoded answer; None for a view that is not answered here."""
        function = self._functions.get((to.lower(), data[:4]))
        view = None if function is None else getattr(self, f"_{function.name.lower()}", None)
        if function is None or view is None:
            return None
        found = view(*function.inputs.decode(data[4:]))
        return function.outputs.encode(found if isinstance(found, tuple) else (found,))

    def _programme(self, number: int) -> dict[str, Any]:
        entry = functions("VoucherLedger")["programme"].outputs
        nothing: dict[str, Any] = entry.decode(bytes(32 * 64))[0]
        if number != 1:
            return nothing
        stand = {"status": ProgrammeStatus.PUBLISHED, "redemptions": self._plan.redemptions}
        return nothing | stand | {"tiers": len(self._plan.terms["tiers"]), "group": self._plan.terms["group"]}

    def _budget(self, _: int, __: int) -> tuple[dict[str, int], int]:
        plan = self._plan
        paid, open_ = plan.paid * AMOUNT_FEN, (plan.redemptions - plan.paid) * AMOUNT_FEN
        reserved = plan.vouchers * FACE_FEN - plan.redemptions * AMOUNT_FEN
        amount = plan.terms["budgetsFen"][0]
        budget = {"amountFen": amount, "reservedFen": reserved, "redeemedFen": open_, "writtenOffFen": paid}
        return budget | {"recoveredFen": 0}, amount - reserved - open_ - paid

    def _stream(self, _: bytes) -> dict[str, Any]:
        batches = self._plan.batches
        return {"batches": batches, "nextSequence": batches + 1, "head": link_to(self._paper.head)[:23]}

    def _idof(self, _: int) -> bytes:
        return bytes(32)

    def _entity(self, one: bytes) -> dict[str, Any]:
        number, name, roles = self._numbers[one]
        known = registration(name, roles)
        names = ("kind", "roles", "region", "standing", "standingUntil", "controller", "account")
        return {"number": number, "frozen": False} | {member: known[member] for member in names}

    def _voucher(self, number: int) -> dict[str, Any]:
        index = number - _PROGRAMME - 1
        return {
            "programmeId": 1,
            "entity": index % HOLDERS + 1,
            "tier": 0,
            "period": 0,
            "state": VoucherState.LIVE,
            "issuedAt": at(self._plan.voucher_block(index)),
            "validUntil": _VALID_UNTIL,
            "faceFen": FACE_FEN,
            "redeemedFen": 6 * AMOUNT_FEN,
            "writtenOffFen": 3 * AMOUNT_FEN,
        }

    def _used(self, _: int, one: bytes, __: int) -> tuple[int, int]:
        place = self._numbers[one][0] - 1
        held = len(range(place, self._plan.vouchers, HOLDERS))
        return held * 6 * AMOUNT_FEN, held * 6 * AMOUNT_FEN

    def _redemption(self, number: int, _: bytes) -> dict[str, Any]:
        index = number - _PROGRAMME - 1
        paid = index < self._plan.paid
        return {
            "voucherId": _PROGRAMME + index % self._plan.vouchers + 1,
            "serial": index + 1,
            "period": 0,
            "state": RedemptionState.WRITTEN_OFF if paid else RedemptionState.PROVISIONAL,
            "tradeBarred": False,
            "redeemedAt": at(self._plan.redemption_block(index)),
            "writtenOffAt": at(self._plan.payment_block(index)) if paid else 0,
            "amountFen": AMOUNT_FEN,
            "recoveredFen": 0,
        }


def serve(paper: Paper, real_url: str) -> ThreadingHTTPServer:
    """A node that has this chain, on a free port; code and wiring are asked of a real one."""
    views, real = Views(paper), RpcClient(real_url)

    def result(method: str, params: Sequence[Any]) -> bytes:
        if method == "eth_getLogs":
            first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            return b"[" + b",".join(one for one in paper.logs[first : last + 1] if one) + b"]"
        if method == "eth_getBlockByNumber":
            return json.dumps(paper.header(int(params[0], 16))).encode()
        if method == "eth_blockNumber":
            return json.dumps(hex(len(paper.logs) - 1)).encode()
        if method == "eth_call":
            answer = views.answer(params[0]["to"], bytes.fromhex(params[0]["data"][2:]))
            if answer is not None:
                return json.dumps("0x" + answer.hex()).encode()
        # The real chain is shorter.
        rest = params if method == "eth_chainId" else [params[0], "latest"]
        return json.dumps(real.call(method, *rest)).encode()

    def reply(asked: Mapping[str, Any]) -> bytes:
        try:
            outcome = b'"result":' + result(asked["method"], asked["params"])
        except RpcError as error:
            outcome = b'"error":' + json.dumps({"code": error.code, "message": error.message}).encode()
        return b'{"jsonrpc":"2.0","id":%d,%b}' % (asked["id"], outcome)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """JSON-RPC, alone or in a batch."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = b"[" + b",".join(map(reply, asked)) + b"]" if isinstance(asked, list) else reply(asked)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: a million lines."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
