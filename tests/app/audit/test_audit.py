"""The audit of a deployment: what agrees, and what each kind of lie is called."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from app.audit.audit import Outcome, audit
from app.audit.bundles import trades_of
from app.audit.findings import Finding, Findings
from app.audit.policy_texts import PolicyTexts
from app.audit.reading import contracts_of, first_block, header_at
from app.commands.audit import cli
from chain.contracts import events
from chain.headers import head_number
from chain.rpc import RpcClient

from .conftest import Audited, policy_text
from .lies import lying, of_event, withholding


def _audit(audited: Audited, *, rpc: RpcClient | None = None, texts: Path | None = None) -> Outcome:
    client = rpc or audited.world.rpc
    last = header_at(client, head_number(client))
    contracts = contracts_of(client, audited.world.contracts.ledger)
    assert contracts == audited.world.contracts
    first = first_block(client, contracts, last.number)
    return audit(client, contracts, first, last, PolicyTexts(texts or audited.texts), sample=0)


def _told(outcome: Outcome) -> list[Finding]:
    """All but that the story's programmes name a text that nobody has."""
    story = ("programme 1, https://example.org/policy", "programme 2, evil\N{REPLACEMENT CHARACTER}uri")
    return [finding for finding in outcome.findings.kept if finding.subject not in story]


def test_what_the_contracts_did_agrees_with_every_rule(audited: Audited) -> None:
    outcome = _audit(audited)
    assert _told(outcome) == []
    assert outcome.findings.by_rule == {"policy-text": 2}
    assert (len(outcome.book.programmes), len(outcome.book.vouchers)) == (3, 6)
    assert outcome.compared > 30


def _batch_blocks(rpc: RpcClient) -> list[int]:
    logs = rpc.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
    return [int(log["blockNumber"], 16) for log in logs if of_event(log, "EvidenceLog", "BatchAppended")]


def test_a_withheld_batch_is_named(audited: Audited, node_url: str) -> None:
    with withholding(node_url, _batch_blocks(audited.world.rpc)[2]) as rpc:
        told = _told(_audit(audited, rpc=rpc))
    # The head after it commits to the one that is missing.
    assert [(finding.rule, finding.expected, finding.found) for finding in told[:2]] == [
        ("evidence-gap", "batch 2", "missing batches: 2"),
        ("evidence-gap", "from sequence 3", "sequences 3 to 3 are missing"),
    ]
    assert [finding.rule for finding in told[2:]] == ["evidence-heads-link"]
    assert all("batch 3 of platform 0x" in finding.subject and finding.tx_hash for finding in told)


def test_the_last_batch_is_missed_in_the_contracts_own_storage(audited: Audited, node_url: str) -> None:
    with withholding(node_url, _batch_blocks(audited.world.rpc)[-1]) as rpc:
        told = _told(_audit(audited, rpc=rpc))
    assert [finding.rule for finding in told] == ["storage-is-what-events-say"]
    assert told[0].subject.startswith("stream of platform 0x")


def test_a_subsidy_that_the_rules_do_not_give_is_named(audited: Audited, node_url: str) -> None:
    """One fen more in one event: the rules, the sums of write-off and the contracts' storage all disagree."""

    def raise_amount(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for log in logs:
            if of_event(log, "VoucherLedger", "Redeemed") and int(log["topics"][1], 16) == (3 << 32) + 1:
                # The leaf comes first, then the amount.
                fen = int(log["data"][66:130], 16) + 1
                log["data"] = f"{log['data'][:66]}{fen:064x}{log['data'][130:]}"
        return logs

    codec = events("VoucherLedger")["Redeemed"]
    assert codec.signature.startswith("Redeemed(uint256,uint256,bytes32,bytes32,(uint40,")
    with lying(node_url, raise_amount) as rpc:
        told = _told(_audit(audited, rpc=rpc))
    subsidies = [finding for finding in told if finding.subject == f"subsidy of redemption {(3 << 32) + 1}"]
    assert [(finding.expected, finding.found) for finding in subsidies] == [(300_000, 300_001)]
    assert {"subsidy", "settles-what-was-redeemed", "storage-is-what-events-say"} <= {one.rule for one in told}


def test_rubbish_among_the_evidence_is_named(audited: Audited, tmp_path: Path) -> None:
    (tmp_path / "rubbish.json").write_bytes(b"{}")
    findings = Findings()
    assert trades_of(tmp_path, audited.world.rpc, findings) == {}
    assert [(finding.rule, finding.subject) for finding in findings.kept] == [("evidence-bundle", "rubbish.json")]


def test_a_policy_file_with_one_digit_changed_is_named(audited: Audited, node_url: str, tmp_path: Path) -> None:
    changed = policy_text().replace(b"rate_bps: 4000", b"rate_bps: 4001")
    assert changed != policy_text()
    (tmp_path / "etown.yaml").write_bytes(changed)
    arguments = ["--rpc", node_url, "--ledger", audited.world.contracts.ledger, "--policies", str(tmp_path), "--json"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["findings"]["by_rule"] == {"policy-text": 3}
    told = answer["told"][2]
    assert told["subject"] == "programme 3, file#vouchers"
    assert "nearest is etown.yaml" in told["found"]
    assert "tiers.0.rateBps.3 is 4001, on chain 4000" in told["found"]
