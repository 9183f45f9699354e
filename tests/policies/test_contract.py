"""The golden tables on chain: the contract pays what the quotation says."""

import copy
import os
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from app.policies.compiled import compiled
from app.policies.files import shipped
from app.policies.question import ask
from app.policies.quote import quote
from chain.contract_error import ContractError
from chain.enums import Limit
from tests.differential.chain_side import ChainSide

from .golden_cases import cases
from .ledger import OPENING, Ledger

CASES = int(os.environ.get("SUANQUAN_DIFFERENTIAL_CASES", "1000")) // 5
SEED = int(os.environ.get("SUANQUAN_DIFFERENTIAL_SEED", "20240428"))
ASKED = [case for case in cases() if case.pays or case.chain.startswith(("VoucherLedger_", "EntityRegistry_"))]


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """All cases on one chain."""
    with ChainSide(OPENING) as chain:
        placed = Ledger(chain)
        placed.place(ASKED)
        yield placed


def test_the_contract_pays_what_the_tables_say(ledger: Ledger) -> None:
    for case in ASKED:
        said = ledger.says(case)
        if case.pays is None:
            assert isinstance(said, ContractError), (str(case), said)
            assert said.name == case.chain, (str(case), said)
            continue
        rate_bps, subsidy_fen, limited_by = case.pays
        limit = Limit.NONE if limited_by is None else Limit[limited_by.upper()]
        if said is None:
            # The budget that a voucher would reserve is used up: there is none to ask about.
            assert (subsidy_fen, limited_by) == (0, "budget"), str(case)
        elif subsidy_fen == 0:
            assert isinstance(said, ContractError), (str(case), said)
            assert (said.name, said.arguments["limit"]) == ("VoucherLedger_NothingToPay", limit), str(case)
        else:
            assert not isinstance(said, ContractError), (str(case), said)
            # What is left of a budget is the face of a voucher that reserves it.
            told = Limit.BUDGET if said["limit"] == Limit.VOUCHER_FACE else said["limit"]
            assert (said["amountFen"], said["rateBps"], told) == (subsidy_fen, rate_bps, limit), str(case)


def test_on_random_trades_the_contract_pays_what_the_quotation_says(ledger: Ledger) -> None:
    """The claimants of the tables with trades of any kind: the same amount and limit, or a refusal on both sides."""
    random = Random(SEED)
    seeds = [case for case in ASKED if case.pays and ledger.placed[str(case)].voucher]
    outcomes: Counter[str] = Counter()
    for _ in range(CASES):
        case = random.choice(seeds)
        question = ask(_another_trade(random, case.question))
        answer = quote(compiled(shipped()[case.policy]), question)
        if answer.subsidy_fen is None or answer.tier not in (None, case.tier):
            continue  # not known, or the trade's year or size moves the claimant to a tier that its voucher is not of
        said = ledger.says(case, question)
        codes = {one.code for one in answer.reasons}
        if answer.eligible and answer.subsidy_fen:
            assert not isinstance(said, ContractError), (question, answer, said)
            assert said is not None
            told = Limit.BUDGET if said["limit"] == Limit.VOUCHER_FACE else said["limit"]
            limit = Limit.NONE if answer.limited_by is None else Limit[answer.limited_by.upper()]
            assert (said["amountFen"], told) == (answer.subsidy_fen, limit), (question, answer)
        elif codes != {"price_not_fair"}:  # which is told before a claim is presented
            assert isinstance(said, ContractError), (question, answer, said)
        outcomes[answer.limited_by or ("paid" if answer.subsidy_fen else "refused")] += 1
    assert {"paid", "refused", "support_ceiling"} <= outcomes.keys()


def _another_trade(random: Random, question: dict[str, Any]) -> dict[str, Any]:
    """The same claimant and earlier payments with another trade."""
    found = copy.deepcopy(question)
    amount = int(10 ** random.uniform(0, 11))
    changes: list[dict[str, Any]] = [
        {"settled_fen": amount},
        {"contract_fen": amount},
        {"settled_fen": amount, "contract_fen": amount, "other_support_fen": random.randint(0, amount)},
        {"domestic_chip": random.random() < 0.5},
        {"paid": random.random() < 0.5, "price_fair": random.random() < 0.5},
        {"platform": random.choice([None, "zhengzhou-dispatch", "shanghai-dispatch"])},
        {"compute_type": random.choice(["general", "intelligent", "super"])},
        {"contract_signed_on": f"202{random.randint(2, 7)}-0{random.randint(1, 9)}-28"},
    ]
    if not any(found["used"].values()):  # which speaks of the period of the trade
        changes.append({"traded_at": random.randint(1_672_000_000, 1_780_000_000)})
    for one in random.sample(changes, random.randint(1, 3)):
        found["trade"] |= one
    if random.random() < 0.3:
        found["trade"]["supplier"] |= {"region": random.choice(["410122", "520115", "310115", "110115"])}
    return found


def test_every_way_to_pay_and_most_refusals_came_about() -> None:
    limits = {case.pays[2] for case in ASKED if case.pays}
    assert limits == {None, "period_cap", "total_cap", "budget", "support_ceiling"}
    assert len({case.chain for case in ASKED if case.chain}) >= 9
