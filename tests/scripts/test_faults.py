"""Each fault of the engineering notes has a test that is named for it; tests/README.md says which."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FAULT = re.compile(r"^\| (?:relay|events|vouchers): .* \| (.*) \|$", re.MULTILINE)
NAMED = re.compile(r"`([\w/.]+)::(\w+)`")


def test_the_test_that_is_named_for_a_fault_is_there() -> None:
    faults = FAULT.findall((TESTS / "README.md").read_text(encoding="utf-8"))
    assert len(faults) >= 18
    for cell in faults:
        named = NAMED.findall(cell)
        assert named, cell
        for path, name in named:
            assert re.search(rf"(def|function) {name}\(", (TESTS / path).read_text(encoding="utf-8")), f"{path}::{name}"
