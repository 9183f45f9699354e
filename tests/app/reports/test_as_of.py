"""A report as of a past block is what it was when that block was the newest, and its numbers tie."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.indexer import Indexer
from app.indexer.models import Budget
from app.reports import point as points
from app.reports.catalogue import REPORTS
from app.reports.digest import chain_part
from app.reports.part import DIMENSIONS
from app.reports.question import Question, Reading
from app.reports.table import Row
from chain.rpc import RpcClient
from tests.chain.ledger_world import World

_CHAIN = ("overview", "flows", "budgets", "burn", "suppliers", "concentration")


def _questions(number: int) -> Iterator[tuple[str, Question]]:
    """All of them at every tenth block."""
    for name in _CHAIN if number % 10 == 0 else ("budgets", "suppliers"):
        takes = REPORTS[name].takes
        for dimension in DIMENSIONS if "dimension" in takes else ("programmes",):
            for by in ("day", "month") if "by" in takes else ("month",):
                yield name, Question(dimension=dimension, by=by)


def _read(session: Session, world: World, name: str, question: Question) -> list[Row]:
    point = points.at(session, world.contracts, world.rpc, question.as_of)
    table = REPORTS[name].read(Reading(session, question, point))
    return chain_part([column.to_dict() for column in table.columns], table.rows)


class _Slow(RpcClient):
    """A node that has not seen all blocks yet."""

    head = 0

    def __init__(self, rpc: RpcClient) -> None:
        super().__init__(rpc._url)

    def fetch(self, kind: Any, requests: Sequence[Any], *, timeout: float | None = None) -> list[Any]:
        if [method for method, _ in requests] == ["eth_blockNumber"]:
            return [hex(self.head)]
        return super().fetch(kind, requests, timeout=timeout)


@pytest.fixture(scope="module")
def projected(told: World, make: sessionmaker[Session]) -> tuple[World, sessionmaker[Session], dict[int, Any]]:
    """The story read block by block; what the reports said when each block was the newest."""
    rpc = _Slow(told.rpc)
    indexer = Indexer(make, rpc, told.contracts, told.start_block)
    said: dict[int, Any] = {}
    for rpc.head in range(told.start_block, int(told.rpc.call("eth_blockNumber"), 16) + 1):
        indexer.catch_up()
        with make() as session:
            said[rpc.head] = [_read(session, told, name, question) for name, question in _questions(rpc.head)]
    return told, make, said


def test_a_report_as_of_a_block_is_what_it_said_then(projected: tuple[World, Any, dict[int, Any]]) -> None:
    world, make, said = projected
    assert len(said) > 10
    with make() as session:
        for number, reports in said.items():
            for (name, question), then in zip(_questions(number), reports, strict=True):
                now = _read(session, world, name, replace(question, as_of=str(number)))
                assert now == then, (name, question, number)


def test_ledgers_close_and_parts_make_the_whole(projected: tuple[World, Any, dict[int, Any]]) -> None:
    world, make, said = projected
    with make() as session:
        for number in [*list(said)[::10], None]:
            question = Question(as_of=None if number is None else str(number))
            whole = {row["programme_id"]: row for row in _read(session, world, "overview", question)}
            for dimension in DIMENSIONS:
                rows = _read(session, world, "overview", replace(question, dimension=dimension))
                for programme_id, total in whole.items():
                    of_suppliers = ("redeemed", "redeemed_fen", "written_off_fen", "rejected_fen", "recovered_fen")
                    names = (
                        of_suppliers if dimension == "suppliers" else [name for name in total if name.endswith("fen")]
                    )
                    for name in names:
                        found = sum(row[name] for row in rows if row["programme_id"] == programme_id)
                        assert found == total[name], (number, dimension, name)
            for row in _read(session, world, "suppliers", question):
                moved = row["redeemed_fen"] - row["rejected_fen"] - row["settled_fen"]
                assert row["closing_fen"] == row["opening_fen"] + moved
            last: dict[int, int] = {}
            for row in _read(session, world, "burn", replace(question, by="day")):
                moved = row["recovered_fen"] + row["rejected_fen"] - row["redeemed_fen"] - row["reserved_fen"]
                assert row["closing_fen"] == row["opening_fen"] + moved
                assert row["opening_fen"] == last.get(row["programme_id"], row["opening_fen"])
                last[row["programme_id"]] = row["closing_fen"]
            free: Counter[int] = Counter()
            for row in _read(session, world, "budgets", question):
                parts = ("reserved_fen", "provisional_fen", "written_off_fen", "available_fen")
                assert row["amount_fen"] + row["recovered_fen"] == sum(row[name] for name in parts)
                free[row["programme_id"]] += row["available_fen"]
            assert last.items() <= free.items()


def test_budgets_are_those_of_the_contracts(projected: tuple[World, Any, dict[int, Any]]) -> None:
    world, make, _ = projected
    with make() as session:
        rows = {(row["programme_id"], row["budget"]): row for row in _read(session, world, "budgets", Question())}
        for budget in session.scalars(select(Budget)):
            row = rows[budget.programme_id, budget.index]
            assert (row["reserved_fen"], row["provisional_fen"]) == (budget.reserved_fen, budget.redeemed_fen)
            assert (row["written_off_fen"], row["recovered_fen"]) == (budget.written_off_fen, budget.recovered_fen)
