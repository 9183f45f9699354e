"""Conditions of policy files: CEL expressions over declared fields, with three answers.

CEL (the Common Expression Language) always ends and reaches nothing outside its input. An expression is checked for its
types when the file is read. Where a field is missing the answer is None, unless it does not matter: `false && unknown`
is false, `true || unknown` is true, as CEL itself has it.
"""

import re
from functools import cache, lru_cache
from typing import Any

from cel_expr_python import cel

MAX_LENGTH = 500
REMEMBERED = 1_024
"""Answers of one condition that are remembered."""

FIELDS: dict[str, cel.Type] = {
    "claimant.kind": cel.Type.STRING,
    "claimant.region": cel.Type.STRING,
    "claimant.in_zone": cel.Type.BOOL,
    "claimant.revenue_prior_year_fen": cel.Type.INT,
    "claimant.compute_spend_prior_year_fen": cel.Type.INT,
    "claimant.settled_in_zone_year": cel.Type.INT,
    "claimant.large_model_filed": cel.Type.BOOL,
    "claimant.double_first_class": cel.Type.BOOL,
    "claimant.leads_project": cel.Type.STRING,
    "claimant.has_agreement": cel.Type.BOOL,
    "trade.kind": cel.Type.STRING,
    "trade.compute_type": cel.Type.STRING,
    "trade.domestic_chip": cel.Type.BOOL,
    "trade.settled_fen": cel.Type.INT,
    "trade.contract_fen": cel.Type.INT,
    "trade.year": cel.Type.INT,
    "supplier.region": cel.Type.STRING,
    "supplier.listed": cel.Type.BOOL,
}
"""What a condition may speak of. Years are those of China Standard Time; `settled_in_zone_year` is 0 and
`leads_project` is "none" where there is none."""

# Constructs that could loop or cost more than a glance: CEL's comprehensions and regular expressions.
_REFUSED = re.compile(r"\.\s*(all|exists|exists_one|existsOne|map|filter|matches)\s*\(|\bmatches\s*\(")
_NAMES = re.compile(r"\b(?:claimant|trade|supplier)\.[a-z_]+")


class ConditionError(ValueError):
    """An expression that cannot be used; the text says where and why."""


class Facts(dict[str, Any]):
    """Known facts by name. What CEL reads them from is made once, for the first condition that needs it."""

    __slots__ = ("_bound",)

    def bound(self) -> cel.Activation:
        """The same for CEL."""
        try:
            return self._bound
        except AttributeError:
            self._bound: cel.Activation = _environment().Activation(self)
            return self._bound


class Condition:
    """A checked expression.

    What it says depends on the values of its fields alone, and a claimant's values come again with each of its trades;
    so answers are remembered, for a quarter of the time that CEL takes.

    Attributes:
        fields: that it speaks of.
    """

    __slots__ = ("_expression", "_remembered", "fields", "text")

    def __init__(self, text: str, fields: tuple[str, ...], expression: cel.Expression) -> None:
        self.text, self.fields = text, fields
        self._expression = expression
        self._remembered: dict[tuple[Any, ...], bool | None] = {}

    def holds(self, facts: Facts) -> bool | None:
        """Whether it holds of the facts; None where that hangs on a missing field."""
        values = tuple(map(facts.get, self.fields))
        remembered = self._remembered
        if values in remembered:
            return remembered[values]
        found = self._expression.eval(facts.bound()).value()
        answer = found if found is True or found is False else None
        if len(remembered) >= REMEMBERED:
            remembered.clear()
        remembered[values] = answer
        return answer


@cache
def _environment() -> cel.Env:
    return cel.NewEnv(variables=FIELDS)


@lru_cache(maxsize=4096)
def compile_condition(text: str) -> Condition:
    """An expression, checked.

    Raises:
        ConditionError: it is too long, loops, is not CEL, speaks of an unknown field, mixes types, or
            is not a yes-or-no question.
    """
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"an expression has at most {MAX_LENGTH} characters, not {len(text)}")
    if refused := _REFUSED.search(text):
        raise ConditionError(f"{refused.group(0).strip(' .(')} is not allowed here")
    try:
        expression = _environment().compile(text)
    except RuntimeError as error:
        # "INVALID_ARGUMENT: ERROR: <input>:1:6: found no matching overload ...\n | ..."
        raise ConditionError(str(error).splitlines()[0].removeprefix("INVALID_ARGUMENT: ERROR: <input>:")) from error
    if expression.return_type() != cel.Type.BOOL:
        raise ConditionError(f"is of type {expression.return_type().name()}, not bool")
    return Condition(text, tuple(sorted(set(_NAMES.findall(text)))), expression)
