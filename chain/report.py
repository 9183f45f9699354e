"""What a verification found, step by step."""

from collections.abc import Callable
from typing import Any

import msgspec

from .contract_error import ContractError
from .deployed_code import CodeMismatch
from .rpc import RpcError, RpcUnavailable


class Refused(Exception):
    """A step does not hold; the text says why."""


class Step(msgspec.Struct, frozen=True):
    """One thing that was checked.

    Attributes:
        name: stable name of the step.
        ok: whether it holds.
        detail: what was found, or why it does not hold.
    """

    name: str
    ok: bool
    detail: str


class TrustedBlock(msgspec.Struct, frozen=True):
    """A block whose hash an offline verification takes as given; compare it with any source you trust."""

    chain_id: int
    number: int
    hash: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a verification.

    Attributes:
        steps: in the order in which they were taken.
        trust: the one block whose hash is left to trust; empty after a verification against a node that one trusts.
        further: blocks of other chains, each of which alone vouches that the evidence was there at its time.
        facts: what was proved, by name; amounts in fen, times in Unix seconds, bytes as 0x-hex.
        online: whether a node was asked.
    """

    steps: list[Step]
    trust: list[TrustedBlock]
    further: list[TrustedBlock]
    facts: dict[str, Any]
    online: bool

    @property
    def ok(self) -> bool:
        """Whether every step holds."""
        return bool(self.steps) and all(step.ok for step in self.steps)

    @property
    def failed(self) -> list[Step]:
        """The steps that do not hold."""
        return [step for step in self.steps if not step.ok]


class Checklist:
    """Takes steps one after another; one that does not hold does not stop the others."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def take(self, name: str, check: Callable[[], str]) -> None:
        """Run a check that returns what it found, and note the outcome.

        Whatever a forged file makes the checks run into is a failed step, not a crash.
        """
        try:
            self.steps.append(Step(name, True, check()))
        except RpcUnavailable as error:
            self.steps.append(Step(name, False, f"the node does not answer: {error}"))
        except (Refused, ContractError, CodeMismatch, RpcError, ValueError, ArithmeticError, LookupError) as error:
            self.steps.append(Step(name, False, str(error) or type(error).__name__))
