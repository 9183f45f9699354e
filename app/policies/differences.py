"""What differs between two policy files, in terms of their rules."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.policies.model import Policy
from app.policies.wording import percent, yuan

_TEXTS = frozenset({"title", "summary", "text", "sources", "defaults", "conflicts", "examples"})


class Change(NamedTuple):
    """One member that differs.

    Attributes:
        path: place in the file; members of lists by their names, `programmes.vouchers.tiers.university.period_cap_fen`.
        old: before, None where it is new.
        new: after, None where it is gone.
        rule: whether it is a rule, and not a text about one.
    """

    path: str
    old: Any
    new: Any
    rule: bool

    def __str__(self) -> str:
        if self.old is None:
            return f"+ {self.path}: {_shown(self.path, self.new)}"
        if self.new is None:
            return f"- {self.path}: {_shown(self.path, self.old)}"
        return f"~ {self.path}: {_shown(self.path, self.old)} → {_shown(self.path, self.new)}"


def differences(old: Policy, new: Policy) -> list[Change]:
    """All changes from one file to another: rules first, then texts; each in order of the new file."""
    before = dict(_members("", old.model_dump(mode="json", by_alias=True)))
    after = dict(_members("", new.model_dump(mode="json", by_alias=True)))
    paths = [*after, *(path for path in before if path not in after)]
    found = [
        Change(path, before.get(path), after.get(path), rule=_TEXTS.isdisjoint(path.split(".")))
        for path in paths
        if before.get(path) != after.get(path)
    ]
    return sorted(found, key=lambda one: not one.rule)


def _members(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every leaf with its path. Null is a leaf only of an optional rule, so it is the word "none"."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _members(f"{path}.{name}" if path else str(name), inner)
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for index, inner in enumerate(value):
            yield from _members(f"{path}.{_name(inner, index)}", inner)
    elif isinstance(value, list):
        yield path, ", ".join(str(one) for one in value) or "none"
    else:
        yield path, "none" if value is None else value


def _name(item: Any, index: int) -> str:
    """What an item of a list is called: its name, its code, the product of a rate; else its place."""
    for key in ("name", "code", "field"):
        if key in item:
            return str(item[key])
    if "rate_bps" in item:
        chip = {None: "", True: "/domestic", False: "/not_domestic"}[item["domestic_chip"]]
        return f"{item['kind']}{chip}"
    return str(index)


def _shown(path: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    if path.endswith("_fen"):
        return yuan(value)
    return percent(value) if path.endswith("_bps") else str(value)
