"""All mutants in one source, each asleep until a block names its number in its coinbase.

To compile a contract for each mutant takes ten times as long as to test it. So a statement with mutants is a choice,

    if (block.coinbase == address(uint160(17))) { a -= b; } else { a += b; }

and forge, told a coinbase, wakes one. A function that was pure reads the block now, so it becomes a view.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .mutants import Mutant, Node, children, span, walk

PURE = re.compile(rb"\bpure\b")
Awake = tuple[int, Mutant]
"""A mutant and its number."""


@dataclass(frozen=True)
class _Patch:
    """Text in place of a stretch of the source."""

    start: int
    end: int
    text: str


def awake(number: int) -> str:
    """The condition under which a mutant is awake."""
    return f"block.coinbase == address(uint160({number}))"


def address(number: int) -> str:
    """The coinbase that wakes a mutant; zero wakes none."""
    return f"0x{number:040x}"


def _statements(node: Node) -> Iterator[Node]:
    """The statements right inside one."""
    parts: list[Node | None]
    match node["nodeType"]:
        case "Block" | "UncheckedBlock":
            parts = list(node["statements"])
        case "IfStatement":
            parts = [node["trueBody"], node.get("falseBody")]
        case "ForStatement" | "WhileStatement" | "DoWhileStatement":
            parts = [node["body"]]
        case "TryStatement":
            parts = [clause["block"] for clause in node["clauses"]]
        case _:
            parts = []
    yield from (part for part in parts if part is not None)


class _File:
    """One source, and the mutants to put into it."""

    def __init__(self, source: bytes, mutants: list[Awake]) -> None:
        self._source = source
        self._mutants = mutants

    def text(self, patches: list[_Patch]) -> str:
        """The whole file, patched."""
        return self._text(0, len(self._source), patches)

    def _text(self, start: int, end: int, patches: list[_Patch]) -> str:
        parts, at = [], start
        for patch in sorted(patches, key=lambda patch: patch.start):
            parts += [self._source[at : patch.start].decode(), patch.text]
            at = patch.end
        return "".join([*parts, self._source[at:end].decode()])

    def _within(self, start: int, end: int) -> list[Awake]:
        return [one for one in self._mutants if start <= one[1].start and one[1].end <= end]

    def _changed(self, mutant: Mutant, start: int, end: int) -> str:
        return self._text(start, end, [_Patch(mutant.start, mutant.end, mutant.replacement.decode())])

    def _whole(self, node: Node) -> tuple[int, int]:
        """Of a statement, with its semicolon."""
        start, end = span(node)
        after = end + len(self._source[end:]) - len(self._source[end:].lstrip())
        return (start, after + 1) if self._source[after : after + 1] == b";" else (start, end)

    def statement(self, node: Node) -> _Patch:
        """A statement as a choice between itself and its mutants."""
        start, end = self._whole(node)
        inner = [self.statement(part) for part in _statements(node)]
        own = [
            one
            for one in self._within(start, end)
            if not any(patch.start <= one[1].start and one[1].end <= patch.end for patch in inner)
        ]
        if not own:
            return _Patch(start, end, self._text(start, end, inner))
        if node["nodeType"] != "VariableDeclarationStatement":
            choices = [(number, self._changed(mutant, start, end)) for number, mutant in own]
            return _Patch(start, end, "{ " + self._choice(choices, self._text(start, end, inner)) + " }")
        value = span(node["initialValue"])
        if node["declarations"][0] and node["declarations"][0]["typeName"]["nodeType"] == "Mapping":
            return _Patch(start, end, self._text(start, end, [_Patch(*value, self._expression(*value))]))
        # What it declares must stay visible, so it is declared first and assigned then; a mapping may not be.
        declared = [None if part is None else span(part) for part in node["declarations"]]
        left = ", ".join("" if part is None else str(part["name"]) for part in node["declarations"])
        before = "; ".join(self._text(*place, []) for place in declared if place is not None)
        choices = [(number, f"({left}) = {self._changed(mutant, *value)};") for number, mutant in own]
        return _Patch(start, end, f"{before}; {self._choice(choices, f'({left}) = {self._text(*value, [])};')}")

    def _expression(self, start: int, end: int) -> str:
        chain = "".join(f"{awake(n)} ? ({self._changed(m, start, end)}) : " for n, m in self._within(start, end))
        return f"({chain}({self._text(start, end, [])}))"

    def _choice(self, choices: list[tuple[int, str]], otherwise: str) -> str:
        branches = "".join(f"if ({awake(number)}) {{ {text} }} else " for number, text in choices)
        return f"{branches}{{ {otherwise} }}"

    def invocation(self, node: Node) -> tuple[list[_Patch], list[tuple[int, str]]]:
        """A modifier of a function: its arguments as choices; and the number that takes it away, with its name."""
        patches = []
        for argument in node.get("arguments") or []:
            start, end = span(argument)
            if self._within(start, end):
                patches.append(_Patch(start, end, self._expression(start, end)))
        gone = [(n, node["modifierName"]["name"]) for n, m in self._mutants if (m.start, m.end) == span(node)]
        return patches, gone

    def modifier_that_may_go(self, node: Node, number: int) -> str:
        """A copy of a modifier that does nothing while a mutant is awake."""
        head = self._text(span(node)[0], span(node["body"])[0], []).replace(node["name"], f"{node['name']}_{number}", 1)
        body = self.statement(node["body"]).text  # with the mutants of its own
        return f"{head}{{ if ({awake(number)}) {{ _; }} else {body} }}\n"


def with_mutants(source: bytes, tree: Node, mutants: list[Awake]) -> str:
    """A source with mutants asleep in it.

    Args:
        tree: its syntax tree.
        mutants: of this source, each with the number that wakes it, from 1.
    """
    file, patches = _File(source, mutants), []
    modifiers = {node["name"]: node for node in walk(tree) if node["nodeType"] == "ModifierDefinition"}
    copies: list[tuple[Node, str]] = []
    for node in walk(tree):
        if node["nodeType"] not in ("FunctionDefinition", "ModifierDefinition"):
            continue
        if node.get("body"):
            patches.append(file.statement(node["body"]))
        for part in children(node):
            if part["nodeType"] != "ModifierInvocation":
                continue
            arguments, gone = file.invocation(part)
            patches += arguments
            for number, name in gone:
                copies.append((modifiers[name], file.modifier_that_may_go(modifiers[name], number)))
                start, _ = span(part)
                patches.append(_Patch(start, start + len(name), f"{name}_{number}"))
        if node.get("stateMutability") == "pure":
            found = PURE.search(source, span(node)[0])
            if found:
                patches.append(_Patch(found.start(), found.end(), "view"))
    text = file.text(patches)
    for definition, copy in copies:
        before, keyword, after = text.partition(f"modifier {definition['name']}(")
        text = before + copy + keyword + after
    return text
