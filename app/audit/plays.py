"""Which function plays which event on the book."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from app.audit.book import Book
from app.audit.findings import Findings
from app.audit.policy_texts import PolicyTexts
from app.indexer.projector import Occurrence
from chain.trade import Trade


class Stage:
    """What is played on: the book, the policies' texts, trades by settlement key, and where to tell what is wrong."""

    def __init__(self, texts: PolicyTexts, findings: Findings, trades: Mapping[bytes, Trade]) -> None:
        self.book = Book()
        self.texts = texts
        self.trades = trades
        self.findings = findings


Play: TypeAlias = Callable[[Stage, Occurrence], None]
PLAYS: dict[str, Play] = {}


def plays(*names: str) -> Callable[[Play], Play]:
    """Registers what plays the events of these names."""

    def register(play: Play) -> Play:
        for name in names:
            assert name not in PLAYS, name  # noqa: S101 - a mistake of ours
            PLAYS[name] = play
        return play

    return register
