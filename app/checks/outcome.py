"""What a check answers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from app.policies.wording import percent, yuan
from chain.record import rfc3339

Number: TypeAlias = int | str | bool | list[str] | None


class Answer(StrEnum):
    """What becomes of a claim, from the mildest to the strictest."""

    PASS = "pass"  # noqa: S105 - an answer, no password
    REDUCE = "reduce"
    HOLD = "hold"
    REJECT = "reject"


ORDER = list(Answer)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one check on one claim.

    Attributes:
        code: Stable name of the finding within the check, `ok` where there is nothing to say.
        numbers: What the finding rests on. Names end in their unit.
        contract_error: The contract's name for the same refusal, where it would refuse too.
    """

    answer: Answer
    code: str
    text_zh: str
    text_en: str
    numbers: dict[str, Number] = {}
    contract_error: str | None = None


OK = Outcome(answer=Answer.PASS, code="ok", text_zh="未发现问题", text_en="Nothing was found")


def hold(code: str, text_zh: str, text_en: str, **numbers: Number) -> Outcome:
    """A finding that a person looks at. Texts name the numbers in braces."""
    return _outcome(Answer.HOLD, code, text_zh, text_en, numbers)


def reject(code: str, text_zh: str, text_en: str, *, error: str | None = None, **numbers: Number) -> Outcome:
    """A finding that ends the claim."""
    return _outcome(Answer.REJECT, code, text_zh, text_en, numbers, error=error)


def reduce(code: str, text_zh: str, text_en: str, **numbers: Number) -> Outcome:
    """A finding for which less is paid; the contract cuts the amount."""
    return _outcome(Answer.REDUCE, code, text_zh, text_en, numbers)


def _outcome(
    answer: Answer, code: str, zh: str, en: str, numbers: Mapping[str, Number], *, error: str | None = None
) -> Outcome:
    words = {name: _words(name, value) for name, value in numbers.items()}
    return Outcome(
        answer=answer,
        code=code,
        text_zh=zh.format_map(words),
        text_en=en.format_map(words),
        numbers=dict(numbers),
        contract_error=error,
    )


def _words(name: str, value: Any) -> str:
    """A number for people, by the unit in its name."""
    if isinstance(value, int) and not isinstance(value, bool):
        if name.endswith("_fen"):
            return yuan(value)
        if name.endswith("_bps"):
            return percent(value)
        if name.endswith("_at"):
            return rfc3339(value)
    return ", ".join(value) if isinstance(value, list) else str(value)
