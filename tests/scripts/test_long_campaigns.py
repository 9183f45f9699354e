"""What the long campaigns make of their tools' answers, and the faults that mutation testing puts in."""

import json
from pathlib import Path

import pytest

from scripts._long import coverage, fuzz, slither
from scripts._long.mutants import Mutant, Neighbours, mutants
from scripts._long.mutation import Compiler

SOURCE = """
enum State { Live, Frozen }

contract Purse {
    uint256 public left;
    State public state;

    modifier onlyLive() { require(state == State.Live); _; }

    function pay(uint256 amount, uint256 fee) external onlyLive {
        if (amount > left) revert();
        left -= amount;
        emitted(amount, fee);
    }

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
def faults() -> list[Mutant]:
    """Mutants of SOURCE, without repetitions."""
    with Compiler() as compiler:
        tree = compiler.trees({"src/Purse.sol": SOURCE})["src/Purse.sol"]
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
        "emitted(amount, fee) → nothing",
        "amount, fee → fee, amount",
        "revert() → nothing",
    }


def test_a_fault_changes_its_place_and_nothing_else(faults: list[Mutant]) -> None:
    source = SOURCE.encode()
    for fault in faults:
        changed = fault.applied(source)
        assert changed != source
        assert changed.startswith(source[: fault.start])
        assert changed.endswith(source[fault.end :])
