"""Makes mutants of a Solidity source from its syntax tree: small faults of the kind that people make.

Each mutant changes one place: a comparison moved by one or turned round, a check or an effect dropped, operands or
arguments of one type swapped, a sum made a difference, a constant replaced by its neighbour, a branch exchanged.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Node = dict[str, Any]

COMPARISONS = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "&": "|", "|": "&", "<<": ">>", ">>": "<<"}
ASSIGNMENTS = {"+=": ("-=", "="), "-=": ("+=", "="), "|=": ("&=", "="), "&=": ("|=", "=")}
STEPS = {"++": "--", "--": "++"}


@dataclass(frozen=True)
class Mutant:
    """One changed place.

    Attributes:
        key: contract, function, change, and a number where the function has the same change twice; stays the same when
            lines move.
        start: first byte of the place.
        end: byte after it.
        replacement: what stands there instead.
    """

    key: str
    line: int
    start: int
    end: int
    replacement: bytes

    @property
    def drops(self) -> bool:
        """Whether it leaves something undone."""
        return self.replacement in (b"", b"0", b"{}")

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.replacement + source[self.end :]


def span(node: Node) -> tuple[int, int]:
    """First byte of a node, and the byte after it."""
    start, length, _ = (int(part) for part in node["src"].split(":"))
    return start, start + length


def children(node: Node) -> Iterator[Node]:
    for value in node.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and "nodeType" in item:
                yield item


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from walk(child)


def type_of(node: Node) -> str:
    return str(node.get("typeDescriptions", {}).get("typeIdentifier") or "")


class Neighbours:
    """The member of an enum, or constant of a library, that follows one: Live → Frozen, FINANCE → REGULATOR."""

    def __init__(self, trees: list[Node]) -> None:
        self._next: dict[int, str] = {}
        for tree in trees:
            for node in walk(tree):
                if node["nodeType"] == "EnumDefinition":
                    self._ring([(member["id"], member["name"]) for member in node["members"]])
                elif node["nodeType"] == "ContractDefinition" and node["contractKind"] == "library":
                    constants = [member for member in node["nodes"] if member.get("constant")]
                    for kind in {type_of(constant) for constant in constants}:
                        self._ring([(c["id"], c["name"]) for c in constants if type_of(c) == kind])

    def _ring(self, members: list[tuple[int, str]]) -> None:
        for (number, name), (_, following) in zip(members, [*members[1:], members[0]], strict=True):
            if name != following:
                self._next[number] = following

    def of(self, node: Node) -> str | None:
        return self._next.get(node.get("referencedDeclaration") or -1)


class _Mutation:
    """Collects the changes of one function."""

    def __init__(self, source: bytes, neighbours: Neighbours) -> None:
        self._source = source
        self._neighbours = neighbours
        self.changes: list[tuple[str, int, int, str]] = []

    def _text(self, node: Node) -> str:
        start, end = span(node)
        return self._source[start:end].decode()

    def _change(self, node: Node, replacement: str) -> None:
        start, end = span(node)
        text = f"if ({self._text(node['condition'])})" if node.get("nodeType") == "IfStatement" else self._text(node)
        before = " ".join(text.split())
        after = {"": "nothing", "0": "nothing", "{}": "nothing"}.get(replacement) or " ".join(replacement.split())
        self.changes.append((f"{before} → {after}", start, end, replacement))

    def _drop(self, statement: Node) -> None:
        # the semicolon is not part of the statement, and may not stand alone
        self._change(statement, "0")

    def _operator(self, node: Node, left: Node, right: Node, replacement: str) -> None:
        """Replaces what stands between two operands."""
        start, end = span(left)[1], span(right)[0]
        between = self._source[start:end].decode()
        operator = node["operator"]
        # parentheses of the operands lie between them too
        changed = between.replace(operator, replacement, 1)
        before = " ".join(self._text(node).split())
        whole_start, whole_end = span(node)
        after = (self._source[whole_start:start] + changed.encode() + self._source[end:whole_end]).decode()
        self.changes.append((f"{before} → {' '.join(after.split())}", start, end, changed))

    def visit(self, node: Node) -> None:
        handler = getattr(self, f"_{node['nodeType']}", None)
        if handler is not None:
            handler(node)
        for child in children(node):
            if child["nodeType"] != "ArrayTypeName":  # another length is another type
                self.visit(child)

    def _BinaryOperation(self, node: Node) -> None:  # noqa: N802 - the name of the node
        left, right, operator = node["leftExpression"], node["rightExpression"], node["operator"]
        for other in COMPARISONS.get(operator, ()):
            self._operator(node, left, right, other)
        if operator in ("&&", "||"):
            self._operator(node, left, right, "||" if operator == "&&" else "&&")
            self._change(node, f"({self._text(left)})")
            self._change(node, f"({self._text(right)})")
        if operator in ARITHMETIC:
            self._operator(node, left, right, ARITHMETIC[operator])
        if operator in ("-", "/") and self._text(left) != self._text(right):
            self._change(node, f"({self._text(right)}) {operator} ({self._text(left)})")

    def _UnaryOperation(self, node: Node) -> None:  # noqa: N802
        operand = self._text(node["subExpression"])
        if node["operator"] == "!":
            self._change(node, f"({operand})")
        elif node["operator"] in STEPS:
            step = STEPS[node["operator"]]
            self._change(node, step + operand if node["prefix"] else operand + step)

    def _Assignment(self, node: Node) -> None:  # noqa: N802
        for other in ASSIGNMENTS.get(node["operator"], ()):
            self._operator(node, node["leftHandSide"], node["rightHandSide"], other)

    def _Conditional(self, node: Node) -> None:  # noqa: N802
        condition, yes, no = (self._text(node[key]) for key in ("condition", "trueExpression", "falseExpression"))
        self._change(node, f"({condition}) ? ({no}) : ({yes})")

    def _Literal(self, node: Node) -> None:  # noqa: N802
        if node["kind"] == "bool":
            self._change(node, "false" if node["value"] == "true" else "true")
        elif node["kind"] == "number" and not node.get("subdenomination"):
            self._change(node, str(int(node["value"].replace("_", ""), 0) + 1))

    def _MemberAccess(self, node: Node) -> None:  # noqa: N802
        following = self._neighbours.of(node)
        if following is not None:
            self._change(node, f"{self._text(node['expression'])}.{following}")

    def _ModifierInvocation(self, node: Node) -> None:  # noqa: N802
        if node["kind"] == "modifierInvocation":  # the other kind is the constructor of a base
            self._change(node, "")

    def _ExpressionStatement(self, node: Node) -> None:  # noqa: N802
        self._drop(node)

    def _EmitStatement(self, node: Node) -> None:  # noqa: N802
        self._drop(node)

    def _IfStatement(self, node: Node) -> None:  # noqa: N802
        if node.get("falseBody") is None:
            # where a semicolon follows, it may not stand alone
            self._change(node, "{}" if self._text(node).endswith(("}", ";")) else "0")
        if node["condition"]["nodeType"] != "BinaryOperation":
            self._change(node["condition"], f"!({self._text(node['condition'])})")

    def _FunctionCall(self, node: Node) -> None:  # noqa: N802
        if node["names"] or node["kind"] != "functionCall":
            return
        for first, second in pairwise(node["arguments"]):
            if type_of(first) == type_of(second) and self._text(first) != self._text(second):
                (start, middle), (after, end) = span(first), span(second)
                between = self._source[middle:after].decode()
                place = {"src": f"{start}:{end - start}:0"}
                self._change(place, self._text(second) + between + self._text(first))


def mutants(source: bytes, tree: Node, neighbours: Neighbours) -> list[Mutant]:
    """All mutants of the functions that a file implements, in order of place."""
    made: list[Mutant] = []
    for contract in tree["nodes"]:
        if contract["nodeType"] != "ContractDefinition":
            continue
        for part in contract["nodes"]:
            if part["nodeType"] not in ("FunctionDefinition", "ModifierDefinition") or not part.get("body"):
                continue
            mutation = _Mutation(source, neighbours)
            for modifier in part.get("modifiers", []):
                mutation.visit(modifier)
            mutation.visit(part["body"])
            seen: Counter[str] = Counter()
            for change, start, end, replacement in mutation.changes:
                key = f"{contract['name']}.{part['name'] or part['kind']}: {change}"
                seen[key] += 1
                if seen[key] > 1:
                    key += f" #{seen[key]}"
                line = source.count(b"\n", 0, start) + 1
                made.append(Mutant(key, line, start, end, replacement.encode()))
    return sorted(made, key=lambda mutant: (mutant.start, mutant.end, mutant.key))
