"""Encoding calls and decoding what contracts answer, against web3's own codec where it has one."""

import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils import keccak
from web3 import Web3
from web3._utils.events import get_event_data

from chain import artifacts
from chain.abi import AbiError, checksum_address
from chain.contracts import (
    CONTRACT_NAMES,
    Contracts,
    decode_call,
    decode_error,
    decode_event,
    decode_result,
    encode_call,
    errors,
    event_topic,
    events,
    functions,
    refusal_of,
)
from chain.enums import Limit, TradeKind, VoucherStatus
from chain.rpc import RpcError

SOURCES = Path(__file__).resolve().parents[2] / "contracts" / "src"
ADDRESSES = [checksum_address(bytes([n]) * 20) for n in (1, 2, 3)]
CONTRACTS = Contracts(31337, *ADDRESSES)
TRADE = {
    "platform": b"\1" * 32,
    "tradeId": b"\2" * 32,
    "buyer": b"\3" * 32,
    "supplier": b"\4" * 32,
    "kind": 0,
    "computeType": 2,
    "attributes": 3,
    "region": 410100,
    "tradedAt": 1_720_000_000,
    "contractSignedAt": 1_719_000_000,
    "settledFen": 123_456,
    "contractFen": 234_567,
    "otherSupportFen": 0,
    "settlementKey": b"\5" * 32,
    "contractKey": b"\6" * 32,
    "details": b"\7" * 32,
}


def test_every_error_in_the_sources_is_known() -> None:
    declared = set(re.findall(r"^    error (\w+)", (SOURCES / "libraries" / "Errors.sol").read_text(), re.MULTILINE))
    known = {codec.name for codec in errors().values()}
    assert declared <= known
    assert {"Error", "Panic", "AccessControlBadConfirmation", "ERC721NonexistentToken"} <= known


def test_every_error_is_expected_by_a_test_in_solidity() -> None:
    declared = set(re.findall(r"^    error (\w+)", (SOURCES / "libraries" / "Errors.sol").read_text(), re.MULTILINE))
    tests = (SOURCES.parents[1] / "tests" / "contracts").rglob("*.t.sol")
    expected = set(re.findall(r"Errors\.(\w+)\.selector", "".join(file.read_text() for file in tests)))
    assert len(declared) >= 65
    assert declared <= expected, sorted(declared - expected)


def test_every_event_in_the_sources_is_known() -> None:
    for name in CONTRACT_NAMES:
        interface = (SOURCES / "interfaces" / f"I{name}.sol").read_text()
        assert set(re.findall(r"^    event (\w+)", interface, re.MULTILINE)) <= set(events(name))


@pytest.mark.parametrize("contract", CONTRACT_NAMES)
def test_selectors_are_the_compilers(contract: Any) -> None:
    listed = json.loads((artifacts.FOLDER / f"{contract}.json").read_text())["methodIdentifiers"]
    for signature, selector in listed.items():
        assert functions(contract)[signature].selector.hex() == selector


def test_call_round_trips_with_structs_by_name_or_in_order() -> None:
    named = encode_call("VoucherLedger", "quote", {"voucherId": 7, "trade": TRADE})
    assert named == encode_call("VoucherLedger", "quote", [7, tuple(TRADE.values())])
    name, args = decode_call("VoucherLedger", named)
    assert name == "quote"
    assert args == {"voucherId": 7, "trade": TRADE}
    assert args["trade"]["kind"] is TradeKind.COMPUTE


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("nothing", []),
        ("safeTransferFrom", ["0x" + "00" * 20, "0x" + "00" * 20, 1]),  # overloaded: needs its signature
        ("status", []),
        ("status", [-1]),
        ("status", ["7"]),
        ("quote", {"voucherId": 7}),
        ("writeOff", [[7], bytes(32)]),
        ("quote", {"voucherId": 7, "trade": {**TRADE, "more": 1}}),
        ("quote", {"voucherId": 7, "trade": {**TRADE, "settledFen": 2**64}}),
    ],
)
def test_arguments_that_do_not_fit_are_refused(function: str, args: Any) -> None:
    with pytest.raises(AbiError):
        encode_call("VoucherLedger", function, args)


def test_results_are_values_lists_and_dicts() -> None:
    assert decode_result("VoucherLedger", "status", encode(["uint8"], [3])) is VoucherStatus.FULLY_REDEEMED
    budget, available = decode_result("VoucherLedger", "budget", encode(["uint48"] * 6, [9, 1, 2, 3, 4, 5]))
    assert budget["amountFen"] == 9
    assert budget["recoveredFen"] == 4
    assert available == 5
    with pytest.raises(AbiError):
        decode_result("VoucherLedger", "status", "0x")


_TERMS = {"kind": 1, "computeType": 1, "attributes": 4, "region": 4, "tradedAt": 5, "contractSignedAt": 5}.items()
FACTS: dict[str, Any] = {
    name: TRADE[name]
    for name in ("platform", "supplier", "contractKey", *dict(_TERMS), "settledFen", "contractFen", "otherSupportFen")
}


def _redeemed_log() -> dict[str, Any]:
    quote = (4_000, 3_000, 1, 3)
    terms = b"".join(FACTS[name].to_bytes(size, "big") for name, size in _TERMS)
    amounts = b"".join(FACTS[name].to_bytes(8, "big") for name in ("settledFen", "contractFen", "otherSupportFen"))
    parties = [FACTS[name] for name in ("platform", "supplier", "contractKey")]
    words = [int.from_bytes(word, "big") for word in (terms, amounts)]
    data = encode(
        ["bytes32", "(uint40,uint16,uint8,uint8)", "(bytes32,bytes32,bytes32,uint256,uint256)"],
        [b"\x09" * 32, quote, (*parties, *words)],
    )
    topics = [event_topic("VoucherLedger", "Redeemed")]
    topics += ["0x" + n.to_bytes(32, "big").hex() for n in (2**32 + 1, 2**32 + 5)]
    return {
        "address": CONTRACTS.ledger.lower(),
        "topics": [*topics, "0x" + TRADE["settlementKey"].hex()],
        "data": "0x" + data.hex(),
        "blockNumber": "0x10",
        "blockHash": "0x" + "aa" * 32,
        "transactionHash": "0x" + "bb" * 32,
        "transactionIndex": "0x2",
        "logIndex": "0x3",
        "removed": False,
    }


def test_event_decodes_as_web3_does() -> None:
    log = _redeemed_log()
    event = CONTRACTS.decode_event(log)
    assert event is not None
    assert (event.contract, event.name) == ("VoucherLedger", "Redeemed")
    assert (event.block_number, event.tx_index, event.log_index) == (16, 2, 3)
    assert event.args["quote"] == {"amountFen": 4_000, "rateBps": 3_000, "period": 1, "limit": Limit.PERIOD_CAP}
    assert event.args["trade"] == FACTS
    assert event.args["trade"]["kind"] is TradeKind.COMPUTE

    abi = next(e for e in artifacts.load("VoucherLedger").abi if e["type"] == "event" and e["name"] == "Redeemed")
    as_web3: Any = {
        **log,
        "topics": [bytes.fromhex(t[2:]) for t in log["topics"]],
        "data": bytes.fromhex(log["data"][2:]),
    }
    theirs = get_event_data(Web3().codec, abi, as_web3)["args"]
    # web3 leaves words as they are; what is not packed is the same.
    same = {name: value for name, value in event.args.items() if name != "trade"}
    assert {name: dict(theirs[name]) if name == "quote" else theirs[name] for name in same} == same
    assert theirs["trade"]["terms"] & (2**40 - 1) == FACTS["contractSignedAt"]


@pytest.mark.parametrize(("word", "value"), [(-2, b"\x09" + bytes(19)), (-1, b"\x01" + bytes(24))])
def test_a_packed_word_that_does_not_come_apart_is_refused(word: int, value: bytes) -> None:
    log = _redeemed_log()
    data = bytearray.fromhex(log["data"][2:])
    start = len(data) + 32 * word
    data[start : start + 32] = value.rjust(32, b"\0")
    with pytest.raises(AbiError):
        CONTRACTS.decode_event({**log, "data": "0x" + data.hex()})


def test_logs_of_others_are_none_and_unknown_logs_of_ours_an_error() -> None:
    log = _redeemed_log()
    assert CONTRACTS.decode_event({**log, "address": "0x" + "99" * 20}) is None
    with pytest.raises(AbiError):
        CONTRACTS.decode_event({**log, "topics": ["0x" + "77" * 32]})
    with pytest.raises(AbiError):
        CONTRACTS.decode_event({**log, "data": log["data"][:-64]})
    with pytest.raises(AbiError):
        decode_event("VoucherLedger", {**log, "topics": log["topics"][:2]})


def test_error_carries_name_numbers_and_enum_names() -> None:
    data = keccak(text="VoucherLedger_NothingToPay(uint256,uint8,uint64,uint16)")[:4]
    data += encode(["uint256", "uint8", "uint64", "uint16"], [5, 5, 1_000, 3_000])
    error = decode_error("0x" + data.hex())
    assert error.name == "VoucherLedger_NothingToPay"
    assert error.arguments == {"voucherId": 5, "limit": Limit.BUDGET, "basisFen": 1_000, "rateBps": 3_000}
    assert str(error) == "VoucherLedger_NothingToPay(voucherId=5, limit=BUDGET, basisFen=1000, rateBps=3000)"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("data", "name", "shown"),
    [
        ("0x", "Reverted", "Reverted()"),
        (keccak(text="Error(string)")[:4] + encode(["string"], ["no"]), "Error", "Error(message='no')"),
        (keccak(text="Panic(uint256)")[:4] + encode(["uint256"], [0x11]), "Panic", "overflow"),
        ("0xdeadbeef", "Unknown", "0xdeadbeef"),
        (keccak(text="Error(string)")[:4] + b"\xff" * 40, "Unknown", "0x08c379a0"),
        ("not hex", "Unknown", "not hex"),
    ],
)
def test_any_revert_data_is_reported(data: Any, name: str, shown: str) -> None:
    error = decode_error(data)
    assert error.name == name
    assert shown in str(error)


def test_refusal_is_found_in_each_dialect_of_nodes() -> None:
    data = "0x" + (keccak(text="VoucherLedger_NonTransferable()")[:4]).hex()
    for sent in (data, f"Reverted {data}", {"data": data}):
        refusal = refusal_of(RpcError(3, "execution reverted", sent))
        assert refusal is not None
        assert refusal.name == "VoucherLedger_NonTransferable"
    bare = refusal_of(RpcError(-32000, "execution reverted"))
    assert bare is not None
    assert bare.name == "Reverted"
    assert refusal_of(RpcError(-32000, "nonce too low")) is None


def test_contracts_survive_json_and_have_checksummed_addresses() -> None:
    again = Contracts.from_dict({**CONTRACTS.to_dict(), "ledger": CONTRACTS.ledger.lower()})
    assert again == CONTRACTS
    assert again.ledger == Web3.to_checksum_address(CONTRACTS.ledger)
