"""The golden tables (tests/policies/golden), read into cases."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "golden"
UNKNOWN = "unknown."


@dataclass(frozen=True)
class GoldenCase:
    """A case worked out by hand.

    Attributes:
        programme: of the policy, by name.
        question: as a quotation is asked.
        tier: that counts; of a refused case the one that a voucher would be issued on.
        pays: rate, subsidy in fen and what cut it; None where nothing is paid by rule or nothing is known.
        refused: reason codes, all of them.
        unknown: fields without which there is no answer.
        eligible: what is known of it.
        chain: the contract's error for a refused case, or why it is not asked.
        by_hand: the arithmetic.
    """

    policy: str
    programme: str
    name: str
    question: dict[str, Any]
    tier: str
    pays: tuple[int, int, str | None] | None
    refused: tuple[str, ...]
    unknown: tuple[str, ...]
    eligible: bool | None
    chain: str
    by_hand: str

    def __str__(self) -> str:
        return f"{self.policy}: {self.name}"


def cases() -> list[GoldenCase]:
    """All cases of all tables."""
    return [case for path in sorted(FOLDER.glob("*.yaml")) for case in _table(yaml.safe_load(path.read_text()))]


def _table(table: dict[str, Any]) -> list[GoldenCase]:
    return [_case(table, one) for one in table["cases"]]


def _case(table: dict[str, Any], one: dict[str, Any]) -> GoldenCase:
    base = copy.deepcopy(table["base"])
    question: dict[str, Any] = {
        "claimant": base["claimant"] | one.get("claimant", {}),
        "trade": base["trade"] | one.get("trade", {}) | {"supplier": base["supplier"] | one.get("supplier", {})},
        "used": base["used"] | one.get("used", {}),
    }
    for path in one.get("missing", ()):
        *parents, member = path.split(".")
        place = question
        for parent in parents:
            place = place[parent]
        del place[member]
    pays = one.get("pays")
    return GoldenCase(
        policy=table["policy"],
        programme=one.get("programme", table["programme"]),
        name=one["name"],
        question=question,
        tier=pays[0] if pays else table["tier"],
        pays=tuple(pays[1:]) if pays else None,
        refused=tuple(one.get("refused", ())),
        unknown=tuple(one.get("unknown", ())),
        eligible=True if pays else False if "refused" in one else one.get("eligible"),
        chain=one.get("chain", ""),
        by_hand=one["by_hand"],
    )
