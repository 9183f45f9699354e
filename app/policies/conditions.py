"""Conditions of policy files: CEL expressions over declared fields, with three answers.

CEL (the Common Expression Language) always ends and reaches nothing outside its input. An expression is checked for its
types when the file is read. Where a field is missing the answer is None, unless it does not matter: `false && unknown`
is false, `true || unknown` is true, as CEL itself has it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeAlias

from cel_expr_python import cel

MAX_LENGTH = 500

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

Facts: TypeAlias = Mapping[str, Any]


class ConditionError(ValueError):
    """An expression that cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked expression.

    Attributes:
        fields: that it speaks of.
    """

    text: str
    fields: tuple[str, ...]
    _expression: cel.Expression

    def holds(self, bound: cel.Activation) -> bool | None:
        """Whether it holds of the facts; None where that hangs on a missing field.

        Args:
            bound: what `bind` made of the facts.
        """
        answer = self._expression.eval(bound).value()
        return answer if answer is True or answer is False else None


@cache
def _environment() -> cel.Env:
    return cel.NewEnv(variables=FIELDS)


def bind(facts: Facts) -> cel.Activation:
    """Facts to ask many conditions of; missing fields are left out."""
    return _environment().Activation(facts)


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
