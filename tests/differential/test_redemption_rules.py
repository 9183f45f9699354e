"""The contract and the reference decide alike: the same amount, or the same refusal with the same numbers.

SUANQUAN_DIFFERENTIAL_CASES=20000 ./scripts/test tests/differential      the long run
SUANQUAN_DIFFERENTIAL_SEED=7 ./scripts/test tests/differential           another world
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.programmes.facts import Decision, Facts, Programme, Quote, Voucher
from app.programmes.subsidy import decide
from chain.trade import Trade

from .book import Decide
from .campaign import OUTCOMES, Campaign
from .chain_side import ChainSide
from .differences import Difference

CASES = int(os.environ.get("SUANQUAN_DIFFERENTIAL_CASES", "1000"))
SEED = int(os.environ.get("SUANQUAN_DIFFERENTIAL_SEED", "20240428"))


@pytest.fixture(scope="module")
def campaign() -> Iterator[Campaign]:
    """A world on both sides that has lived through all cases: in a young one some rules have nothing to refuse yet.

    Raises:
        Difference: contract and reference decided a case otherwise.
    """
    with ChainSide() as chain:
        campaign = Campaign(chain, SEED)
        campaign.run(CASES)
        yield campaign


def test_contract_and_reference_decide_alike(campaign: Campaign, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        # To stderr, which xdist passes on from its workers.
        sys.stderr.write(_distribution(campaign))
    missing = sorted(OUTCOMES - campaign.questions.keys())
    assert not missing, f"the generator has gone blind to {missing}"
    unforeseen = sorted(campaign.questions.keys() - OUTCOMES)
    assert not unforeseen, f"outcomes that no list knows: {unforeseen}"


def _one_fen_more(trade: Trade, voucher: Voucher, programme: Programme, facts: Facts, now: int) -> Decision:
    decision = decide(trade, voucher, programme, facts, now)
    return replace(decision, amount_fen=decision.amount_fen + 1) if isinstance(decision, Quote) else decision


def _over_a_second_early(trade: Trade, voucher: Voucher, programme: Programme, facts: Facts, now: int) -> Decision:
    return decide(trade, replace(voucher, valid_until=voucher.valid_until - 1), programme, facts, now)


def _no_ceiling(trade: Trade, voucher: Voucher, programme: Programme, facts: Facts, now: int) -> Decision:
    terms = replace(programme.terms, support_ceiling_bps=10**9)
    return decide(trade, voucher, replace(programme, terms=terms), facts, now)


def _no_order(trade: Trade, voucher: Voucher, programme: Programme, facts: Facts, now: int) -> Decision:
    return decide(trade, voucher, replace(programme, last_traded_at=0), facts, now)


@pytest.mark.parametrize("wrong", [_one_fen_more, _over_a_second_early, _no_ceiling, _no_order])
def test_a_wrong_rule_is_found_and_reduced_to_a_small_case(campaign: Campaign, wrong: Decide) -> None:
    with pytest.raises(Difference, match=r"(?s)contract: .*reference: .*voucher: .*terms: .*trade: "):
        campaign.ask(2_000, wrong)


def _distribution(campaign: Campaign) -> str:
    """Table of what came about, and how often."""
    lines = [
        f"\nseed {campaign.seed}: {campaign.questions.total():,} questions, {campaign.claims.total():,} claims, "
        f"{campaign.world.moves.total():,} moves, no difference",
        f"{'questions':>10} {'claims':>7}",
    ]
    lines += [
        f"{campaign.questions[name]:>10,} {campaign.claims[name]:>7,}  {name}"
        for name in sorted(OUTCOMES | campaign.questions.keys() | campaign.claims.keys())
    ]
    return "\n".join([*lines, f"moves: {_listed(campaign.world.moves)}\n"])


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())
