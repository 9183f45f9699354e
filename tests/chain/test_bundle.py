"""Proof bundles of a settled trade: verified offline and against a node, refused after any change."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.bundle import BundleBuildError, build, find_sources, further_anchor
from chain.bundle_format import FurtherAnchor, digest_of
from chain.contract_error import ContractError
from chain.node.embedded import EmbeddedNode
from chain.record import FIELD_NAMES
from chain.rpc import RpcClient
from chain.verify import Report, verify, verify_file

from .faucet import FAUCET, FUNDED, send
from .ledger_world import digest, ref
from .settled_trade import BUYER, KEY, SettledTrade, settle

EVIDENCE_STEPS = ["file", "record", "leaf", "submission", "batch", "receipts", "anchor", "signature"]
REDEMPTION_STEPS = ["voucher", "redemption", "outcome"]
STATE_STEPS = ["state", "anchored state", "key state"]
ONLINE_STEPS = ["chain", "code", "blocks", "transactions", "head", "key history", "contract's verdict"]
OTHER_CHAIN = 7
SHOWN = ("buyer", "platform", "trade_id", "settled_fen", "chip_model", "corrects", "domestic_chip")


@dataclass(repr=False)  # Hypothesis would print it
class Files:
    """Bundles of one trade, each made when it had come so far."""

    settled: SettledTrade
    redemption_id: int
    evidence: bytes
    provisional: bytes
    written_off: bytes
    recovered: bytes


@pytest.fixture(scope="module")
def files(node_rpc: RpcClient) -> Files:
    settled = settle(node_rpc, "bundle")
    evidence = _bundle(node_rpc, settled)
    redemption_id = settled.redeem()
    provisional = _bundle(node_rpc, settled, redemption_id)
    settled.world.act("finance", "VoucherLedger", "writeOff", [ref(redemption_id, settled.trade)], digest("payment"))
    written_off = _bundle(node_rpc, settled, redemption_id)
    settled.world.act("finance", "VoucherLedger", "recover", ref(redemption_id, settled.trade), 7, digest("recovery"))
    recovered = _bundle(node_rpc, settled, redemption_id, further=[_elsewhere(node_rpc, settled)])
    return Files(settled, redemption_id, evidence, provisional, written_off, recovered)


def _elsewhere(rpc: RpcClient, settled: SettledTrade) -> FurtherAnchor:
    """An anchor in the log of another chain, which looks like this one."""
    contracts = dataclasses.replace(settled.contracts, chain_id=OTHER_CHAIN)
    append = find_sources(rpc, settled.contracts, settled.proof, from_block=settled.world.start_block).append
    batch, path = settled.proof.batch, settled.proof.submission_path
    return further_anchor(rpc, contracts, append, batch=batch, submission_path=path)


def _bundle(rpc: RpcClient, settled: SettledTrade, redemption_id: int | None = None, **changes: Any) -> bytes:
    sources = find_sources(
        rpc,
        settled.contracts,
        settled.proof,
        redemption_id=redemption_id,
        from_block=settled.world.start_block,
    )
    given: dict[str, Any] = {"record": settled.record, "salt": settled.salt, "disclose": SHOWN, **changes}
    return build(
        rpc,
        settled.contracts,
        sources,
        trade=settled.trade,
        proof=settled.proof,
        redemption_id=redemption_id,
        **given,
    )


def _names(report: Report) -> list[str]:
    return [step.name for step in report.steps]


def _reasons(report: Report) -> str:
    return "\n".join(f"{step.name}: {step.detail}" for step in report.failed)


def _resealed(content: dict[str, Any]) -> bytes:
    """The file of someone who changed the content and knows how the digest is made."""
    content = {**content, "digest": "0x" + digest_of(content).hex()}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def test_offline_all_steps_hold_and_one_block_hash_is_named(files: Files, node_rpc: RpcClient) -> None:
    report = verify(files.written_off)
    assert report.ok, _reasons(report)
    assert _names(report) == EVIDENCE_STEPS + REDEMPTION_STEPS + STATE_STEPS + ["redemption state"]
    assert not report.online
    (block,) = report.trust
    assert node_rpc.call("eth_getBlockByNumber", hex(block.number), False)["hash"] == block.hash
    # registered, key rotated, appended, issued, redeemed, written off
    receipts = next(step.detail for step in report.steps if step.name == "receipts")
    assert receipts == f"6 receipts proved from 6 block headers, all bound to block {block.number}"
    facts = report.facts
    assert facts["amount_fen"] == files.settled.record.settled_fen * 3_000 // 10_000
    assert facts["disclosed"]["buyer"] == BUYER
    assert facts["disclosed"]["corrects"] is None
    assert facts["disclosed"].keys() == set(SHOWN)
    assert facts["state"] == "written_off"


def test_online_all_steps_hold_and_nothing_is_left_to_trust(files: Files, node_rpc: RpcClient) -> None:
    report = verify(files.recovered, node_rpc, jurisdiction_key=KEY)
    assert report.ok, _reasons(report)
    state = [*STATE_STEPS, "redemption state"]
    further = f"further anchor {OTHER_CHAIN}"
    expected = [*EVIDENCE_STEPS, *REDEMPTION_STEPS, *state, further, *ONLINE_STEPS, "redemption now", "rule"]
    assert _names(report) == expected
    assert report.trust == []
    assert [block.chain_id for block in report.further] == [OTHER_CHAIN]
    assert report.facts["recovered_fen"] == 7


def test_a_bundle_stays_true_when_the_redemption_goes_on(files: Files, node_rpc: RpcClient) -> None:
    for early, state in ((files.provisional, "provisional"), (files.written_off, "written_off")):
        report = verify(early, node_rpc)
        assert report.ok, _reasons(report)
        assert report.facts["state"] == state
        assert "later than the bundle" in next(s.detail for s in report.steps if s.name == "redemption now")


def test_a_rejected_redemption_stays_proved_when_its_trade_is_claimed_anew(node_rpc: RpcClient) -> None:
    settled = settle(node_rpc, "bundle, claimed anew")
    first = settled.redeem()
    provisional = _bundle(node_rpc, settled, first)
    keys = (ref(first, settled.trade), settled.trade.contract_key)
    settled.world.act("finance", "VoucherLedger", "reject", *keys, digest("wrong tier"), False)
    rejected = _bundle(node_rpc, settled, first)
    again = settled.redeem()
    assert again != first
    for file in (provisional, rejected):
        report = verify(file, node_rpc)
        assert report.ok, _reasons(report)
        (now,) = [step.detail for step in report.steps if step.name == "redemption now"]
        assert now == f"rejected, and its trade was claimed anew as redemption {again}"
    assert verify(_bundle(node_rpc, settled, again), node_rpc).ok


def test_evidence_alone_is_proved_too(files: Files, node_rpc: RpcClient) -> None:
    report = verify(files.evidence)
    assert report.ok, _reasons(report)
    assert _names(report) == EVIDENCE_STEPS + STATE_STEPS
    assert _names(verify(files.evidence, node_rpc)) == EVIDENCE_STEPS + STATE_STEPS + ONLINE_STEPS
    assert verify(files.evidence, node_rpc).ok


def test_nothing_or_everything_of_the_record_may_be_shown(files: Files, node_rpc: RpcClient) -> None:
    settled = files.settled
    nothing = verify(_bundle(node_rpc, settled, record=None, salt=None))
    assert nothing.ok
    assert "record" not in _names(nothing)
    everything = verify(_bundle(node_rpc, settled, disclose=FIELD_NAMES), jurisdiction_key=KEY)
    assert everything.ok, _reasons(everything)
    assert len(everything.facts["disclosed"]) == len(FIELD_NAMES)
    # What is not disclosed is not in the file in any form.
    hidden = _bundle(node_rpc, settled, disclose=["settled_fen"])
    assert settled.record.invoice_id.encode() not in hidden
    assert BUYER.encode() not in hidden


def test_an_auditor_sees_that_an_identifier_is_another(files: Files) -> None:
    report = verify(files.evidence, jurisdiction_key=bytes(32))
    assert [step.name for step in report.failed] == ["record"]
    assert "buyer" in report.failed[0].detail


def test_file_and_url_give_the_same(files: Files, node_url: str, tmp_path: Path) -> None:
    path = tmp_path / "redemption.json"
    path.write_bytes(files.written_off)
    assert verify_file(path) == verify(files.written_off)
    assert verify_file(str(path), [node_url]).ok
    with pytest.raises(FileNotFoundError):
        verify_file(tmp_path / "none")
    with pytest.raises(ValueError):
        verify_file(path, ["not a url"])


@given(data=st.data())
@settings(max_examples=400)
def test_any_changed_bit_is_refused(files: Files, data: st.DataObject) -> None:
    original = files.recovered
    at = data.draw(st.integers(0, len(original) - 1))
    changed = bytearray(original)
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    report = verify(bytes(changed))
    assert [step.name for step in report.failed] == ["file"]


@given(data=st.data())
@settings(max_examples=100)
def test_any_lost_or_added_byte_is_refused(files: Files, data: st.DataObject) -> None:
    original = files.evidence
    at = data.draw(st.integers(0, len(original)))
    added = data.draw(st.binary(min_size=1, max_size=3))
    assert not verify(original[:at] + added + original[at:]).ok
    if at < len(original):
        assert not verify(original[:at] + original[at + 1 :]).ok
        assert not verify(original[:at]).ok


def _scalars(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in items:
            yield from _scalars(member, (*path, name))
    elif path != ("digest",):
        yield path


def _changed(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return data.draw(st.integers(0, 2**40).filter(lambda other: other != value))
    if value is None:
        return data.draw(st.sampled_from(["", "x", 0, False]))
    if value.startswith("0x") and len(value) > 2:
        at = data.draw(st.integers(2, len(value) - 1))
        digit = data.draw(st.sampled_from("0123456789abcdef").filter(lambda other: other != value[at]))
        return value[:at] + digit + value[at + 1 :]
    return data.draw(st.text("abc算", max_size=8).filter(lambda other: other != value))


@given(data=st.data())
@settings(max_examples=300)
def test_any_changed_value_is_refused_though_the_digest_is_made_anew(
    files: Files, node_rpc: RpcClient, data: st.DataObject
) -> None:
    content = json.loads(files.recovered)
    path = data.draw(st.sampled_from(list(_scalars(content))))
    holder = content
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = _changed(holder[path[-1]], data)
    forged = _resealed(content)
    offline = verify(forged)
    if offline.ok:
        if path[0] == "further":
            # Then it is another block, or that of another chain, that vouches besides.
            assert path[-1] in ("header", "chain_id")
            assert offline.further != verify(files.recovered).further
            return
        # A receipt's header may be changed, but then it is not bound to the block any more; a transaction's hash, and
        # a member of the block's header that no fact depends on, are looked up by a node.
        assert (path[0], path[-1]) in (("receipts", "header"), ("receipts", "tx_hash"), ("state", "header"))
        if path[-1] == "header":
            assert _outcome(offline) != _outcome(verify(files.recovered))
        assert not verify(forged, node_rpc).ok


def _outcome(report: Report) -> tuple[Any, str]:
    return report.trust, next(step.detail for step in report.steps if step.name == "receipts")


def _part(bundle: bytes, *path: str | int) -> Any:
    content = json.loads(bundle)
    for name in path:
        content = content[name]
    return content


def test_parts_of_another_bundle_do_not_fit(files: Files, node_rpc: RpcClient) -> None:
    """Everything in these forgeries was once true, of something else."""
    other = settle(node_rpc, "another deployment")
    theirs = json.loads(_bundle(node_rpc, other, other.redeem()))
    ours = json.loads(files.written_off)
    for part in ("trade", "proof", "contracts", "redemption", "receipts", "append"):
        if ours[part] != theirs[part]:
            report = verify(_resealed({**ours, part: theirs[part]}))
            assert not report.ok, part
    assert not verify(_resealed({**ours, "chain_id": 1})).ok


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda b: b["evidence_keys"].reverse(), "not in order"),
        (lambda b: b["evidence_keys"].clear(), "no event stands in"),
        (lambda b: b["redemption"]["outcomes"].append(b["redemption"]["outcomes"][0]), "not in order"),
        (lambda b: b["redemption"].update(issued=b["redemption"]["redeemed"]), "no event stands in"),
        (lambda b: b["append"].update(log=9), "no log 9"),
        (lambda b: b["append"].update(receipt=99), "no event stands in"),
        (lambda b: b["record"]["disclosed"].reverse(), "not in order of name"),
        (lambda b: b["record"]["digests"].pop(), "32 bytes"),
        (lambda b: b["record"].update(schema="suanquan-record/2"), "suanquan-record/1"),
        (lambda b: b["proof"]["trade_path"].pop(), "path does not lead"),
        (lambda b: b.update(more=1), "/more is not a member"),
        (lambda b: b.pop("record"), "/record is missing"),
        (lambda b: b.update(format="suanquan-bundle/1"), "/format"),
        (lambda b: b["trade"].update(settled_fen=1.0), "/trade/settled_fen must be an integer"),
        (lambda b: b["trade"].update(settled_fen=True), "/trade/settled_fen must be an integer"),
        (lambda b: b["trade"].update(buyer=b["trade"]["buyer"].upper()), "/trade/buyer must be 0x"),
        (lambda b: b["contracts"].update(ledger="0x00"), "20 bytes"),
        (lambda b: b["receipts"][0].update(path=[]), "path does not lead"),
        (lambda b: b["receipts"][0].update(header="0xc0"), "lacks members"),
        (lambda b: b["receipts"][0].update(index=2**255), "no transaction"),
        (lambda b: b["trade"].update(traded_at=2**255), "uint40"),
    ],
)
def test_each_forgery_is_told_with_its_reason(files: Files, change: Any, reason: str) -> None:
    content = json.loads(files.recovered)
    change(content)
    report = verify(_resealed(content))
    assert not report.ok
    assert reason in _reasons(report)


@pytest.mark.parametrize("data", [b"", b"{}", b"{}\n", b"[]\n", b"null\n", b"\xff", b"[" * 100_000, b"1" * 10_000])
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    report = verify(data)
    assert [step.ok for step in report.steps] == [False]


def test_other_spellings_of_the_same_content_are_refused(files: Files) -> None:
    content = json.loads(files.evidence)
    for text in (
        json.dumps(content, sort_keys=True, ensure_ascii=False),
        json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
        json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n",
        json.dumps(dict(reversed(content.items())), ensure_ascii=False, separators=(",", ":")) + "\n",
    ):
        assert "canonical" in _reasons(verify(text.encode()))
    for name in (b'"chain_id":', b'"leaf":', b'"timestamp":'):  # a member twice: readers differ in which one counts
        if name in files.evidence:
            assert not verify(files.evidence.replace(name, name + b"1," + name, 1)).ok


def test_a_node_of_another_chain_or_history_is_noticed(files: Files, tmp_path: Path) -> None:
    chain_id = _part(files.evidence, "chain_id")
    for other_id, failing in ((1, "chain"), (chain_id, "blocks")):
        with (
            EmbeddedNode(tmp_path / str(other_id), chain_id=other_id, funded=FUNDED) as node,
            RpcClient(node.url, timeout=60) as rpc,
        ):
            report = verify(files.evidence, rpc)
            assert failing in [step.name for step in report.failed]
            assert "code" in [step.name for step in report.failed]
    with (
        EmbeddedNode(tmp_path / "other", chain_id=OTHER_CHAIN, funded=FUNDED) as node,
        RpcClient(node.url, timeout=60) as rpc,
    ):
        assert [step.name for step in verify(files.recovered, rpc).failed] == [f"further block {OTHER_CHAIN}"]


def test_a_node_that_does_not_answer_fails_the_online_steps_only(files: Files) -> None:
    with RpcClient("http://127.0.0.1:1") as rpc:
        report = verify(files.evidence, rpc)
    assert {step.name for step in report.failed} == set(ONLINE_STEPS)
    assert "does not answer" in _reasons(report)


def test_a_key_change_that_the_history_leaves_out_is_seen_online(files: Files, node_rpc: RpcClient) -> None:
    content = json.loads(files.evidence)
    # Without the rotation the first key would have been in force, and its owner might sign something of its own.
    dropped = content["evidence_keys"].pop()["receipt"]
    content["receipts"].pop(dropped)
    for event in (*content["evidence_keys"], content["append"]):
        event["receipt"] -= event["receipt"] > dropped
    report = verify(_resealed(content), node_rpc)
    assert [step.name for step in report.failed] == ["signature", "key state", "key history"]


def test_without_the_headers_between_the_facts_still_hold_and_the_history_is_told_apart(files: Files) -> None:
    content = json.loads(files.recovered)
    content["state"]["ancestors"].clear()
    report = verify(_resealed(content))
    assert report.ok, _reasons(report)
    assert len(report.trust) == 1
    assert "only say which transaction it was" in _outcome(report)[1]


def test_what_the_state_does_not_say_is_refused(files: Files, node_rpc: RpcClient) -> None:
    """Proofs of another trade's or a later block's state, each genuine, and proofs that are left out."""
    other = json.loads(_bundle(node_rpc, settle(node_rpc, "other")))
    content = json.loads(files.recovered)
    early = json.loads(files.provisional)
    for part, failing in (
        (other["state"], {"receipts", *STATE_STEPS, "redemption state"}),
        ({**content["state"], "header": early["state"]["header"]}, {"receipts", *STATE_STEPS, "redemption state"}),
        ({**content["state"], "accounts": content["state"]["accounts"][:1]}, {"redemption state"}),
        (early["state"], {"redemption state"}),
    ):
        report = verify(_resealed({**content, "state": part}))
        assert failing & {step.name for step in report.failed}, report.steps


def test_a_contract_as_the_platforms_key_is_checked_on_chain_and_not_refused_offline(node_rpc: RpcClient) -> None:
    """ERC-1271: a wallet that answers every call with the magic value."""
    answers_yes = bytes.fromhex("631626ba7e60e01b60005260206000f3")
    initcode = bytes([0x60, len(answers_yes), 0x80, 0x60, 0x0B, 0x60, 0x00, 0x39, 0x60, 0x00, 0xF3]) + answers_yes
    wallet = str(send(node_rpc, FAUCET, data="0x" + initcode.hex())["contractAddress"])
    bundle = _bundle(node_rpc, settle(node_rpc, "by wallet", wallet=wallet))
    offline = verify(bundle)
    assert offline.ok, _reasons(offline)
    signature = next(step for step in offline.steps if step.name == "signature")
    assert "can be checked on chain only" in signature.detail
    assert verify(bundle, node_rpc).ok
    # A key that is no contract is not excused, and the contract's word is asked for.
    content = json.loads(bundle)
    wanted = wallet.lower()
    content["state"]["accounts"] = [one for one in content["state"]["accounts"] if one["address"] != wanted]
    assert "signature" in [step.name for step in verify(_resealed(content)).failed]


def test_a_bundle_of_what_is_not_there_is_not_built(files: Files, node_rpc: RpcClient) -> None:
    settled = files.settled
    with pytest.raises(BundleBuildError, match="no Redeemed"):
        _bundle(node_rpc, settled, 2**40)
    with pytest.raises(BundleBuildError, match="no field"):
        _bundle(node_rpc, settled, disclose=["nothing"])
    with pytest.raises(BundleBuildError, match="salt"):
        _bundle(node_rpc, settled, salt=None)
    sources = find_sources(node_rpc, settled.contracts, settled.proof)
    wrong = msgspec.structs.replace(sources, append=sources.evidence_keys[0])
    with pytest.raises(BundleBuildError, match="no BatchAppended"):
        build(node_rpc, settled.contracts, wrong, trade=settled.trade, proof=settled.proof)
    with pytest.raises(BundleBuildError, match="no transactions of the redemption"):
        build(node_rpc, settled.contracts, sources, trade=settled.trade, proof=settled.proof, redemption_id=1)


def test_the_contracts_accept_the_evidence_and_refuse_a_tampered_path(files: Files, node_rpc: RpcClient) -> None:
    settled = files.settled
    args = [settled.trade.platform, settled.trade.leaf(), settled.proof.to_abi()]
    settled.contracts.read(node_rpc, "EvidenceLog", "verify", args)
    broken = msgspec.structs.replace(settled.proof, trade_path=[bytes(32)])
    with pytest.raises(ContractError, match="EvidenceLog_TradeNotInSubmission"):
        settled.contracts.read(node_rpc, "EvidenceLog", "verify", [*args[:2], broken.to_abi()])
