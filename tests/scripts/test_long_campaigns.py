"""What the long campaigns make of their tools' answers, and the faults that mutation testing puts in."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts._long import coverage, fuzz, slither, verdicts
from scripts._long.compiler import Compiler
from scripts._long.mutants import Mutant, Neighbours, Node, mutants
from scripts._long.schemata import awake, with_mutants

SOURCE = """
enum State { Live, Frozen }

contract Purse {
    uint256 public left;
    State public state;

    modifier onlyLive() { require(state == State.Live); _; }

    function pay(uint256 amount, uint256 fee) external onlyLive {
        if (amount > left) revert();
        left -= amount;
        uint256 twice = double(fee);
        emitted(amount, twice);
    }

    function double(uint256 fee) internal pure returns (uint256) { if (fee == 0) return 0; return fee * 2; }

    function emitted(uint256, uint256) internal {}
}
"""


def test_table_of_an_invariant_campaign_is_read_and_idle_operations_are_told() -> None:
    rows = fuzz.calls(
        "| Contract | Selector           | Calls | Reverts | Discards |\n"
        "| Handler  | redeemOne          | 7416  | 0       | 5448     |\n"
        "|----------+--------------------+-------+---------+----------|\n"
        "| Handler  | recoverPart        | 12    | 2       | 10       |\n"
    )
    assert [(row.name, row.calls, row.idle) for row in rows] == [
        ("Handler.redeemOne", 7416, False),
        ("Handler.recoverPart", 12, True),
    ]


def test_code_that_forge_reports_twice_is_covered_when_one_copy_ran() -> None:
    report = (
        "SF:src/Rules.sol\nDA:7,0\nDA:8,0\nBRDA:8,0,0,-\nDA:7,3\nBRDA:8,0,0,2\nend_of_record\nSF:node_modules/A.sol\n"
    )
    files = coverage.parse(report)
    assert list(files) == ["src/Rules.sol"]
    assert dict(files["src/Rules.sol"].lines) == {7: 3, 8: 0}
    assert coverage.percent(list(files["src/Rules.sol"].lines.values())) == 50
    assert coverage.percent(list(files["src/Rules.sol"].branches.values())) == 100


def test_finding_of_slither_keeps_its_name_when_lines_move(tmp_path: Path) -> None:
    def found(lines: str) -> slither.Finding:
        description = (
            f"Ledger.pay(uint256) (src/Ledger.sol#{lines}) ignores return value by set.push(1) (src/Ledger.sol#9)"
        )
        report = tmp_path / "report.json"
        detectors = [{"check": "unused-return", "impact": "Medium", "description": description}]
        report.write_text(json.dumps({"success": True, "results": {"detectors": detectors}}))
        (finding,) = slither.findings(report)
        return finding

    assert (
        found("3-8").key
        == found("4-9").key
        == ("unused-return", "Ledger.pay(uint256) ignores return value by set.push(1)")
    )
    assert found("3-8").place == "src/Ledger.sol#3-8"


@pytest.fixture(scope="module")
def compiler() -> Iterator[Compiler]:
    with Compiler() as compiler:
        yield compiler


@pytest.fixture(scope="module")
def tree(compiler: Compiler) -> Node:
    """Syntax tree of SOURCE."""
    return compiler.trees({"src/Purse.sol": SOURCE})["src/Purse.sol"]


@pytest.fixture(scope="module")
def faults(tree: Node) -> list[Mutant]:
    """Mutants of SOURCE, without repetitions."""
    return mutants(SOURCE.encode(), tree, Neighbours([tree]))


def test_each_fault_is_put_in(faults: list[Mutant]) -> None:
    assert {fault.key.partition(": ")[2] for fault in faults} == {
        "require(state == State.Live) → nothing",
        "state == State.Live → state != State.Live",
        "State.Live → State.Frozen",
        "onlyLive → nothing",
        "if (amount > left) → nothing",
        "amount > left → amount >= left",
        "amount > left → amount <= left",
        "left -= amount → nothing",
        "left -= amount → left += amount",
        "left -= amount → left = amount",
        "emitted(amount, twice) → nothing",
        "amount, twice → twice, amount",
        "revert() → nothing",
        "if (fee == 0) → nothing",
        "fee == 0 → fee != 0",
        "0 → 1",
        "0 → 1 #2",
        "fee * 2 → fee / 2",
        "2 → 3",
    }


def test_a_fault_changes_its_place_and_nothing_else(faults: list[Mutant]) -> None:
    source = SOURCE.encode()
    for fault in faults:
        changed = fault.applied(source)
        assert changed != source
        assert changed.startswith(source[: fault.start])
        assert changed.endswith(source[fault.end :])


def test_all_faults_sleep_in_one_source_that_compiles(compiler: Compiler, tree: Node, faults: list[Mutant]) -> None:
    asleep = with_mutants(SOURCE.encode(), tree, list(enumerate(faults, 1)))
    assert compiler.objections({"src/Purse.sol": asleep}) == []
    for number, fault in enumerate(faults, 1):
        # The modifier stands there a second time, for the mutant that takes it away.
        assert asleep.count(awake(number)) == (2 if fault.key.startswith("Purse.onlyLive:") else 1)
    for line in ("left -= amount;", "modifier onlyLive()", "double(fee)"):
        assert line in asleep


def test_a_fault_that_is_no_solidity_is_told_with_its_place(compiler: Compiler) -> None:
    ((place, message),) = compiler.objections({"src/A.sol": "contract A { function f() public { uint8 a = 256; } }"})
    assert place == ("src/A.sol", 35)
    assert "not implicitly convertible" in message


def test_a_verdict_is_kept_until_what_it_rests_on_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, other = tmp_path / "Pay.t.sol", tmp_path / "Other.t.sol"
    suite.write_text("pays")
    other.write_text("other")
    monkeypatch.setattr(verdicts, "TESTS", tmp_path)
    monkeypatch.setattr(verdicts, "KEPT", tmp_path / "mutation.json")
    killed = verdicts.Change("src/Purse.sol", Mutant("Purse.pay: a → b", 3, 0, 1, b"b"))
    lives = verdicts.Change("src/Purse.sol", Mutant("Purse.pay: b → c", 3, 0, 1, b"c"))
    kept = verdicts.Kept()
    kept.keep(verdicts.Verdict(killed, "killed", "test_Pay", "Pay.t.sol"))
    kept.keep(verdicts.Verdict(lives, "survived"))

    found = verdicts.Kept().find(killed)
    assert found is not None
    assert (found.outcome, found.by) == ("killed", "test_Pay")
    other.write_text("sharper")
    assert verdicts.Kept().find(killed) is not None
    assert verdicts.Kept().find(lives) is None
    suite.write_text("pays otherwise")
    assert verdicts.Kept().find(killed) is None
