"""Gas of whole transactions, beside their floor and their peers.

    ./scripts/bench gas                                   the embedded node
    ./scripts/bench gas --rpc http://127.0.0.1:8545       anvil; the same gas

Aims are those of issue 3. Each row runs in a programme that is in use (`ledger.py`); how the floor is made up is in
`floor.py`. Contracts of ours come from contracts/artifacts, peers are compiled here, all with contracts/foundry.toml.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from chain.abi import Function, Parameters
from chain.artifacts import FOLDER
from chain.claims import batch_args
from chain.contracts import CONTRACT_NAMES, LEDGER_LIBRARIES
from chain.enums import Funding, Role
from chain.trade import Trade
from scripts._bench.floor import TRANSACTION_GAS, Storage, calldata_gas
from scripts._bench.ledger import HOLDERS, Ledger, digest
from scripts._bench.node import Node
from scripts._bench.peers import PeerUnavailable, eas, mintable_token
from scripts._compile import compiler_settings, compiler_version

_ZERO_ADDRESS = "0x" + "00" * 20


@dataclass(frozen=True)
class Row:
    """One measured transaction.

    Attributes:
        name: what it does.
        items: vouchers, claims or redemptions in it.
        gas: of the transaction as a whole.
        calldata: bytes of its call.
        calldata_gas: gas for these.
        storage: words that it must change.
        aim: most gas for one item, None where there is no aim.
    """

    name: str
    items: int
    gas: int
    calldata: int
    calldata_gas: int
    storage: Storage
    aim: int | None = None

    @property
    def gas_each(self) -> int:
        """Gas for one item, rounded up."""
        return -(-self.gas // self.items)

    @property
    def floor(self) -> int:
        """Least gas for the transaction."""
        return TRANSACTION_GAS + self.calldata_gas + self.storage.gas

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "name": self.name,
            "items": self.items,
            "gas": self.gas,
            "gas_each": self.gas_each,
            "aim_each": self.aim,
            "aim_met": None if self.aim is None else self.gas_each <= self.aim,
            "floor": {
                "gas_each": -(-self.floor // self.items),
                "transaction": TRANSACTION_GAS,
                "calldata": self.calldata_gas,
                "calldata_bytes": self.calldata,
                "storage": self.storage.gas,
                "new_words": self.storage.new,
                "changed_words": self.storage.changed,
                "words": self.storage.which,
            },
            "ratio_to_floor": round(self.gas / self.floor, 3),
            "ratio_to_aim": None if self.aim is None else round(self.gas_each / self.aim, 3),
        }


@dataclass(frozen=True)
class Report:
    """What was measured, on what."""

    node: str
    compiler: str
    settings: dict[str, Any]
    rows: list[Row]
    remarks: list[str]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "benchmark": "gas",
            "node": self.node,
            "compiler": self.compiler,
            "settings": self.settings,
            "rows": [row.to_dict() for row in self.rows],
            "remarks": self.remarks,
        }


def measure(node: Node, *, eas: bool = True) -> Report:
    """Deploy all, and measure.

    Args:
        eas: whether to fetch and measure EAS too.
    """
    remarks = _stale_artifacts()
    rows = [*_ours(Ledger(node)), *_token(node)]
    if eas:
        try:
            rows.append(_attestation(node))
        except PeerUnavailable as reason:
            remarks.append(f"EAS was not measured: {reason}")
    return Report(node.name, compiler_version(), compiler_settings(), rows, remarks)


def show(report: Report, screen: Console) -> None:
    """The table for people."""
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=f"Gas each, whole transactions, on {report.node}",
        title_justify="left",
    )
    table.add_column("transaction", no_wrap=True)
    for heading in ("gas", "floor", "× floor", "aim", "× aim"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report.rows:
        ratio = None if row.aim is None else row.gas_each / row.aim
        table.add_row(
            row.name,
            f"{row.gas_each:,}",
            f"{-(-row.floor // row.items):,}",
            f"{row.gas / row.floor:.2f}",
            "" if row.aim is None else f"{row.aim:,}",
            "" if ratio is None else f"[{'green' if ratio <= 1 else 'red'}]{ratio:.2f}[/]",
        )
    screen.print(table)
    screen.print(
        "Floor: 21,000, calldata at 4 or 16 a byte, 22,100 a new word, 5,000 a changed one; no reads, hashes, "
        "signatures, logs (which words: --json). Proofs are 20 deep; a batch's gas is that of one item.\n"
        f"solc {report.compiler.split('.Emscripten')[0]}, {json.dumps(report.settings)}",
        style="dim",
    )
    for remark in report.remarks:
        screen.print(remark, style="yellow")


def _stale_artifacts() -> list[str]:
    """Artifacts that were compiled otherwise than the peers will be."""
    wanted = {"version": compiler_version(), "settings": compiler_settings()}
    names = (*CONTRACT_NAMES, *LEDGER_LIBRARIES)
    stale = [one for one in names if json.loads((FOLDER / f"{one}.json").read_bytes())["compiler"] != wanted]
    return [f"{', '.join(stale)}: compiled with other settings than the peers; run ./scripts/compile"] if stale else []


def _ours(ledger: Ledger) -> list[Row]:
    """Issue, redeem, write off, append."""
    first_come, reserved = ledger.programme(Funding.FIRST_COME), ledger.programme(Funding.RESERVED_AT_ISSUE)
    everybody = range(HOLDERS)
    first, count = Storage(100, 0, "voucher, count"), "voucher; count"
    rows = [_batch_of_issues(ledger, "first of each holder", first_come, everybody, storage=first)]
    one = ledger.order(first_come, 0)
    sent = ledger.send(Role.OPERATOR, "VoucherLedger", "issue", one)
    rows.append(_row("issue", sent, Storage(1, 1, count), 115_000))
    held = ledger.order(reserved, 0, period=0)
    words = Storage(1, 2, "voucher; count, budget")
    ledger.send(Role.OPERATOR, "VoucherLedger", "issue", ledger.order(reserved, 0, period=0))
    sent = ledger.send(Role.OPERATOR, "VoucherLedger", "issue", held)
    spread, gathered = Storage(50, 50, count), Storage(50, 1, count)
    rows += [
        _row("issue, reserving budget", sent, words, 115_000),
        _batch_of_issues(ledger, "50 holders", first_come, everybody, storage=spread, aim=75_000),
        _batch_of_issues(ledger, "one holder", first_come, [0] * 50, storage=gathered, aim=75_000),
    ]
    rows += _redemptions(ledger, first_come, reserved, held["voucherId"])
    ledger.append(1)
    for records in (1, 10_000):
        sent = ledger.append(records)
        rows.append(
            _row(f"append, {records:,} record{'s' * (records > 1)}", sent, Storage(1, 1, "head; stream"), 60_000)
        )
    return rows


def _batch_of_issues(
    ledger: Ledger, name: str, programme: int, holders: Sequence[int], *, storage: Storage, aim: int | None = None
) -> Row:
    orders = [ledger.order(programme, holder) for holder in holders]
    sent = ledger.send(Role.OPERATOR, "VoucherLedger", "issueMany", orders)
    return _row(f"issue × {len(orders)}, {name}", sent, storage, aim, items=len(orders))


def _redemptions(ledger: Ledger, first_come: int, reserved: int, reserved_voucher: int) -> list[Row]:
    """Redeem and write off; all proofs 20 deep."""
    everybody = list(range(HOLDERS))
    # A voucher each that has been used, so that caps and vouchers are words that change.
    orders = [ledger.order(first_come, holder) for holder in everybody]
    ledger.send(Role.OPERATOR, "VoucherLedger", "issueMany", orders)
    vouchers = [int(order["voucherId"]) for order in orders]
    trades = ledger.trades([*everybody, *everybody, *[0] * 60])
    used = ledger.redeem_all(vouchers, trades[:50])
    ledger.redeem_all([reserved_voucher], trades[100:101])
    single = Storage(1, 4, "redemption; voucher, use, order, budget")

    def redeem(voucher: int, place: int) -> tuple[dict[str, Any], bytes]:
        (claim,) = ledger.claims([voucher], trades[place : place + 1])
        return ledger.send(Role.RELAYER, "VoucherLedger", "redeem", claim)

    def batch(
        name: str, chosen: Sequence[int], own: Sequence[Trade], storage: Storage
    ) -> tuple[Row, list[dict[str, Any]]]:
        claims = ledger.claims(chosen, own)
        receipt, data = ledger.send(Role.RELAYER, "VoucherLedger", "redeemMany", *batch_args(claims))
        row = _row(f"redeem × {len(claims)}, {name}", (receipt, data), storage, 95_000, len(claims))
        return row, ledger.redemptions(receipt)

    rows = [
        _row("redeem", redeem(vouchers[0], 101), single, 150_000),
        _row("redeem, reserved voucher", redeem(reserved_voucher, 102), single, 150_000),
    ]
    many = Storage(20, 42, "redemption; voucher, use, order, budget")
    row, _ = batch("20 holders", vouchers[:20], trades[50:70], many)
    rows.append(row)
    apart = ledger.trades(everybody[20:40], apart=True)
    row, _ = batch("20 holders, 20 submissions", vouchers[20:40], apart, many)
    rows.append(row)
    row, of_one = batch("one voucher", vouchers[:1] * 20, trades[103:123], _with_changed(many, 4))
    rows.append(row)
    of_one += ledger.redeem_all(vouchers[:1] * 30, trades[123:153])
    for name, redemptions, changed in (("a voucher each", used, 101), ("one voucher", of_one, 52)):
        sent = ledger.send(Role.FINANCE, "VoucherLedger", "writeOff", redemptions, digest("payment"))
        words = Storage(0, changed, "redemption, voucher, budget")
        rows.append(_row(f"write off × {len(redemptions)}, {name}", sent, words, 15_000, len(redemptions)))
    return rows


def _with_changed(storage: Storage, changed: int) -> Storage:
    """The same with another number of changed words."""
    return Storage(storage.new, changed, storage.which)


def _token(node: Node) -> list[Row]:
    """OpenZeppelin's ERC-721: a mint to somebody who has none, and to somebody who has."""
    signer = node.signer("peer")
    built = mintable_token()
    token = node.send(signer, data=bytes.fromhex(built["bytecode"]))["contractAddress"]
    mint = _function(built, "mint")
    holder = "0x" + digest("account of a token's holder").hex()[:40]
    rows = []
    for number, (name, words) in enumerate(
        (("first of the holder", Storage(2, 0, "owner, balance")), ("", Storage(1, 1, "owner; balance"))), 1
    ):
        data = mint.encode_call([holder, number])
        receipt = node.send(signer, to=token, data=data)
        rows.append(_row(f"ERC-721 mint{', ' * bool(name)}{name}", (receipt, data), words))
    return rows


def _attestation(node: Node) -> Row:
    """EAS: an attestation of 64 bytes to a recipient, no resolver."""
    signer = node.signer("peer")
    schemas, attester = eas()
    registry = node.send(signer, data=bytes.fromhex(schemas["bytecode"]))["contractAddress"]
    constructor = next(entry for entry in attester["abi"] if entry["type"] == "constructor")
    code = bytes.fromhex(attester["bytecode"]) + Parameters(constructor["inputs"]).encode([registry])
    service = node.send(signer, data=code)["contractAddress"]
    schema = "bytes32 leaf,bytes32 details"
    register = _function(schemas, "register").encode_call([schema, _ZERO_ADDRESS, True])
    logs = node.send(signer, to=registry, data=register)["logs"]
    statement = {
        "recipient": "0x" + digest("account of a recipient").hex()[:40],
        "expirationTime": 0,
        "revocable": True,
        "refUID": bytes(32),
        "data": digest("leaf") + digest("details"),
        "value": 0,
    }
    attest = _function(attester, "attest")
    request = {"schema": bytes.fromhex(logs[0]["topics"][1][2:]), "data": statement}
    # The first of a schema and of an attester costs nothing extra; EAS keeps no counts.
    data = attest.encode_call([request])
    words = Storage(8, 0, "uid, schema, times, recipient, attester, length, 2 of data")
    return _row("EAS attest, 64 bytes", (node.send(signer, to=service, data=data), data), words)


def _function(built: dict[str, Any], name: str) -> Function:
    return next(Function(entry) for entry in built["abi"] if entry["type"] == "function" and entry["name"] == name)


def _row(
    name: str, sent: tuple[dict[str, Any], bytes], storage: Storage, aim: int | None = None, items: int = 1
) -> Row:
    receipt, data = sent
    return Row(name, items, int(receipt["gasUsed"], 16), len(data), calldata_gas(data), storage, aim)
