"""Records: what is refused and why, and digests from which one field is proved without the others."""

import json
import re
from hashlib import sha256, shake_256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eth_abi.abi import encode
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from chain import identifiers
from chain.enums import ComputeType, TradeAttributes, TradeKind
from chain.record import (
    FIELD_NAMES,
    SCHEMA,
    Record,
    RecordError,
    field_values,
    from_dict,
    parse,
    rfc3339,
    to_dict,
    to_trade,
    unix_seconds,
    validate,
)
from chain.trade import SOLIDITY_NAMES, Trade

from .uscc_numbers import USCCS, numbered_uscc

BUYER, SUPPLIER, PLATFORM = numbered_uscc(1), numbered_uscc(2), numbered_uscc(3)
REQUIRED: dict[str, Any] = {
    "trade_id": "T-2024/07:0001",
    "buyer": BUYER,
    "supplier": SUPPLIER,
    "platform": PLATFORM,
    "kind": "compute",
    "compute_type": "intelligent",
    "domestic_chip": True,
    "region_id": "410100",
    "traded_at": "2024-07-01T08:00:00Z",
    "contract_signed_at": "2024-06-01T00:00:00Z",
    "contract_number": "HT-2024-001",
    "contract_fen": 100_000_000,
    "settled_fen": 1_234_567,
    "invoice_id": "24412000000012345678",
    "other_support_fen": 0,
    "buyer_paid": True,
}
OPTIONAL: dict[str, Any] = {
    "buyer_region_id": "410100",
    "supplier_region_id": "520100",
    "contract_version": "2",
    "contract_document_sha256": "ab" * 32,
    "contract_term_start": "2024-06-01T00:00:00Z",
    "contract_term_end": "2025-06-01T00:00:00Z",
    "order_id": "O-1",
    "chip_model": "昇腾 910B",
    "sku_id": "npu-8x",
    "contracted_unit_price_fen": 1_800,
    "list_cost_fen": 2_000_000,
    "task_type": "大模型训练",
    "model_filing_number": "Henan-ZhongYuan-20240101",
    "charge_period_start": "2024-06-01T00:00:00Z",
    "charge_period_end": "2024-07-01T00:00:00Z",
    "consumed_unit": "card_hour",
    "consumed_quantity": "685.87",
    "usage_log_sha256": "cd" * 32,
    "utilisation_bps": 8_123,
    "delivery_proof_sha256": "ef" * 32,
    "charge_class": "correction",
    "corrects": "T-2024/06:0009",
    "paid_fen": 900_000,
    "paid_at": "2024-07-01T07:00:00Z",
    "refunded_fen": 0,
    "unified_dispatch": True,
}
FULL = {**REQUIRED, **OPTIONAL}
SALT, KEY = b"s" * 32, b"k" * 32
LATER = unix_seconds("2024-08-01T00:00:00Z")


def _problems(content: Any, now: int | None = LATER) -> list[tuple[str, str]]:
    try:
        parse(json.dumps(content), now=now)
    except RecordError as error:
        return [(problem.pointer, problem.rule) for problem in error.problems]
    return []


def test_least_and_fullest_records_are_good_and_round_trip() -> None:
    assert set(FIELD_NAMES) == set(FULL)
    for content in (REQUIRED, FULL):
        record = parse(json.dumps(content), now=LATER)
        assert to_dict(record) == content
        assert from_dict(content) == record
        assert json.loads(msgspec.json.encode(record)) == content
        assert validate(record) == []
    assert _problems({**REQUIRED, "buyer": "maker:410105199001010011"}) == []
    # null says no more than leaving out
    assert parse(json.dumps({**REQUIRED, "chip_model": None})) == parse(json.dumps(REQUIRED))


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_each_required_field_is_missed_by_name(name: str) -> None:
    assert _problems({field: value for field, value in REQUIRED.items() if field != name}) == [(f"/{name}", "required")]
    assert _problems({**REQUIRED, name: None}) == [(f"/{name}", "type")]


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("buyer", BUYER[:-1] + ("0" if BUYER[-1] != "0" else "1"), "uscc"),
        ("buyer", BUYER.lower(), "uscc"),
        ("buyer", f" {BUYER[1:]}", "uscc"),
        ("buyer", "maker:", "uscc"),
        ("buyer", "maker:a:b", "uscc"),
        ("platform", "maker:1", "uscc"),
        ("supplier", "", "length"),
        ("trade_id", "T 1", "identifier"),
        ("trade_id", "T\uff11", "identifier"),  # full-width digit
        ("invoice_id", "1\u200b2", "identifier"),  # zero-width space
        ("invoice_id", "А1", "identifier"),  # Cyrillic А
        ("invoice_id", "1\n", "identifier"),
        ("trade_id", "x" * 65, "length"),
        ("trade_id", 7, "type"),
        ("kind", "gpu", "choice"),
        ("compute_type", "none", "compute_type"),
        ("domestic_chip", 1, "type"),
        ("domestic_chip", "true", "type"),
        ("region_id", "41010", "length"),
        ("region_id", "041010", "region"),
        ("region_id", "41010a", "region"),
        ("region_id", "４１０１００", "region"),
        ("traded_at", "2024-07-01T08:00:00+08:00", "length"),
        ("traded_at", "2024-07-01 08:00:00Z", "time"),
        ("traded_at", "2024-W27-1T08:00:00Z", "time"),
        ("traded_at", "2024-02-30T08:00:00Z", "time"),
        ("traded_at", "2024-07-01T24:00:00Z", "time"),
        ("traded_at", "1999-12-31T23:59:59Z", "time"),
        ("traded_at", "2024-08-01T00:00:01Z", "future"),
        ("paid_at", "2199-08-01T00:00:01Z", "future"),
        ("settled_fen", -1, "range"),
        ("settled_fen", 2**48, "range"),
        ("settled_fen", 10**40, "range"),
        ("settled_fen", 1.5, "type"),
        ("settled_fen", 1.0, "type"),
        ("settled_fen", "1", "type"),
        ("utilisation_bps", 10_001, "range"),
        ("consumed_quantity", "1e5", "quantity"),
        ("consumed_quantity", "-1", "quantity"),
        ("consumed_quantity", "01", "quantity"),
        ("consumed_quantity", ".5", "quantity"),
        ("consumed_quantity", "1.", "quantity"),
        ("consumed_quantity", "NaN", "quantity"),
        ("usage_log_sha256", "AB" * 32, "sha256"),
        ("usage_log_sha256", "ab" * 31, "length"),
        ("chip_model", "A\u0301", "text"),  # not NFC
        ("chip_model", "a\u202eb", "text"),  # right-to-left override
        ("chip_model", " a", "text"),
        ("chip_model", "a\u0007", "text"),
        ("chip_model", "算" * 129, "length"),
        ("charge_class", "refund", "choice"),
        ("corrects", REQUIRED["trade_id"], "corrects"),
        ("contract_term_end", "2024-05-31T00:00:00Z", "order"),
        ("charge_period_end", "2024-05-31T00:00:00Z", "order"),
        ("buyer_uscc", "x", "unknown"),
    ],
)
def test_each_bad_value_is_refused_by_name_and_rule(field: str, value: Any, rule: str) -> None:
    assert _problems({**FULL, field: value}) == [(f"/{field}", rule)]


@pytest.mark.parametrize(
    ("left_out", "pointer"),
    [
        ("consumed_unit", "/consumed_unit"),
        ("consumed_quantity", "/consumed_quantity"),
        ("corrects", "/corrects"),
        ("charge_class", "/charge_class"),
        ("contract_term_end", "/contract_term_end"),
        ("paid_fen", "/paid_fen"),
    ],
)
def test_half_of_what_comes_together_is_refused(left_out: str, pointer: str) -> None:
    assert _problems({name: value for name, value in FULL.items() if name != left_out}) == [(pointer, "together")]


def test_all_problems_of_a_record_are_told_at_once() -> None:
    assert _problems({**FULL, "buyer": "x", "region_id": "0" * 6, "corrects": None}) == [
        ("/buyer", "uscc"),
        ("/region_id", "region"),
        ("/corrects", "together"),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"x"', "\ud800".encode("utf-8", "surrogatepass"), b"\xff", '{"trade_id": "\\ud800"}'],
)
def test_what_is_no_record_at_all_is_refused(text: Any) -> None:
    with pytest.raises(RecordError) as caught:
        parse(text)
    assert caught.value.problems[0].rule in ("json", "type")


def test_pointer_is_escaped() -> None:
    assert _problems({**FULL, "a/b~c": 1}) == [("/a~1b~0c", "unknown")]


def test_times_round_trip() -> None:
    assert rfc3339(unix_seconds("2024-02-29T23:59:59Z")) == "2024-02-29T23:59:59Z"
    assert unix_seconds("2024-07-01T08:00:00Z") == 1_719_820_800
    with pytest.raises(ValueError):
        unix_seconds("2024-07-01")


def _canonical(value: Any) -> bytes:
    """RFC 8785 for what a record may hold, by Python's own encoder."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)
VALUES = st.one_of(TEXTS, st.integers(0, 2**53 - 1), st.booleans(), st.none())


@given(
    values=st.lists(VALUES, min_size=len(FIELD_NAMES), max_size=len(FIELD_NAMES)),
    salt=st.binary(min_size=32, max_size=32),
)
@settings(max_examples=50)
def test_digests_are_as_documented(values: list[Any], salt: bytes) -> None:
    digests = SCHEMA.digests(values, salt)
    salts = shake_256(salt).digest(16 * len(FIELD_NAMES))
    for place, (name, value, digest) in enumerate(zip(FIELD_NAMES, values, digests, strict=True)):
        field_salt = salts[16 * place : 16 * place + 16]
        assert digest == sha256(field_salt + _canonical([name, value])).digest()
        assert SCHEMA.salt(salt, name) == field_salt
        assert SCHEMA.digest(name, value, field_salt) == digest
    assert SCHEMA.details(digests) == sha256(b"suanquan-record/1\0" + b"".join(digests)).digest()


@given(data=st.data())
def test_a_disclosed_field_proves_its_value_alone(data: st.DataObject) -> None:
    values = list(field_values(parse(json.dumps(FULL))))
    digests = SCHEMA.digests(values, SALT)
    index = data.draw(st.integers(0, len(values) - 1))
    name, salt = FIELD_NAMES[index], SCHEMA.salt(SALT, FIELD_NAMES[index])
    assert SCHEMA.digest(name, values[index], salt) == digests[index]
    other = data.draw(VALUES.filter(lambda value: _canonical(value) != _canonical(values[index])))
    assert SCHEMA.digest(name, other, salt) != digests[index]
    another = data.draw(st.sampled_from([field for field in FIELD_NAMES if field != name]))
    assert SCHEMA.digest(another, values[index], salt) not in digests


def test_salts_and_digests_of_wrong_size_are_refused() -> None:
    values = [None] * len(FIELD_NAMES)
    for call in (
        lambda: SCHEMA.digests(values, b"short"),
        lambda: SCHEMA.digests(values[1:], SALT),
        lambda: SCHEMA.salt(b"", "buyer"),
        lambda: SCHEMA.digest("buyer", None, SALT),
        lambda: SCHEMA.details([]),
        lambda: SCHEMA.details([bytes(31)] * len(FIELD_NAMES)),
    ):
        with pytest.raises(ValueError):
            call()


def test_trade_of_a_record_has_its_keyed_digests_and_flags() -> None:
    record = parse(json.dumps(FULL))
    trade = to_trade(record, SALT, KEY, custody=True)
    assert trade.platform == identifiers.entity_id(KEY, PLATFORM)
    assert trade.buyer == identifiers.entity_id(KEY, BUYER)
    assert trade.supplier == identifiers.entity_id(KEY, SUPPLIER)
    assert trade.trade_id == identifiers.trade_id(KEY, PLATFORM, FULL["trade_id"])
    assert trade.settlement_key == identifiers.settlement_key(KEY, FULL["invoice_id"])
    assert trade.contract_key == identifiers.contract_key(KEY, BUYER, SUPPLIER, FULL["contract_number"])
    assert trade.details == SCHEMA.details(SCHEMA.digests(field_values(record), SALT))
    assert (trade.kind, trade.compute_type) == (TradeKind.COMPUTE, ComputeType.INTELLIGENT)
    assert trade.attributes == sum(TradeAttributes)
    assert (trade.region, trade.traded_at) == (410_100, 1_719_820_800)
    assert (trade.settled_fen, trade.contract_fen, trade.other_support_fen) == (1_234_567, 100_000_000, 0)
    plain = from_dict({**REQUIRED, "domestic_chip": False, "buyer_paid": False})
    assert to_trade(plain, SALT, KEY).attributes == 0


def test_one_invoice_has_one_key_on_every_platform_and_in_every_case() -> None:
    one = to_trade(from_dict({**REQUIRED, "invoice_id": "Inv-7a"}), SALT, KEY)
    two = to_trade(from_dict({**REQUIRED, "invoice_id": "INV-7A", "platform": numbered_uscc(9)}), b"x" * 32, KEY)
    assert one.settlement_key == two.settlement_key
    assert one.trade_id != two.trade_id


@given(number=USCCS)
def test_made_up_numbers_of_organisations_are_accepted(number: str) -> None:
    assert _problems({**REQUIRED, "buyer": number}) == []


UINT64 = st.integers(0, 2**64 - 1)
UINT40 = st.integers(0, 2**40 - 1)
WORD = st.binary(min_size=32, max_size=32)
TRADES = st.builds(
    Trade,
    platform=WORD,
    trade_id=WORD,
    buyer=WORD,
    supplier=WORD,
    kind=st.sampled_from(list(map(int, TradeKind))),
    compute_type=st.sampled_from(list(map(int, ComputeType))),
    attributes=st.integers(0, 2**32 - 1),
    region=st.integers(0, 2**32 - 1),
    traded_at=UINT40,
    contract_signed_at=UINT40,
    settled_fen=UINT64,
    contract_fen=UINT64,
    other_support_fen=UINT64,
    settlement_key=WORD,
    contract_key=WORD,
    details=WORD,
)
TRADE_TYPE = (
    "(bytes32,bytes32,bytes32,bytes32,uint8,uint8,uint32,uint32,uint40,uint40,uint64,uint64,uint64,"
    "bytes32,bytes32,bytes32)"
)


@given(trade=TRADES)
def test_leaf_is_the_double_keccak_of_the_abi_encoding(trade: Trade) -> None:
    assert trade.encoded() == encode([TRADE_TYPE], [trade.to_abi()])
    assert trade.leaf() == keccak(keccak(trade.encoded()))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": 5},
        {"compute_type": 4},
        {"attributes": 2**32},
        {"region": -1},
        {"traded_at": 2**40},
        {"contract_signed_at": 2**40},
        {"settled_fen": 2**64},
        {"details": b"short"},
        {"buyer": b"x" * 33},
    ],
)
def test_a_trade_beyond_its_solidity_types_is_refused(change: dict[str, Any]) -> None:
    trade = to_trade(from_dict(REQUIRED), SALT, KEY)
    with pytest.raises(ValueError):
        msgspec.structs.replace(trade, **change).encoded()


def test_solidity_declares_the_same_trade() -> None:
    source = (Path(__file__).resolve().parents[2] / "contracts/src/types/Trade.sol").read_text()
    body = re.search(r"struct Trade \{(.*?)\}", source, re.DOTALL)
    assert body is not None
    assert tuple(re.findall(r"(\w+);", body[1])) == SOLIDITY_NAMES
    assert Record.__struct_config__.forbid_unknown_fields
