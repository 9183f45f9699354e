"""The reference against figures of the policies themselves (domain.md), so that both sides cannot be wrong together."""

from dataclasses import replace

import msgspec
import pytest

from app.programmes.facts import (
    Budget,
    Facts,
    Organisation,
    Period,
    Product,
    Programme,
    Quote,
    Refusal,
    Terms,
    Tier,
    Voucher,
)
from app.programmes.subsidy import decide
from chain.enums import (
    ComputeType,
    EntityRoles,
    Funding,
    Limit,
    ProgrammeStatus,
    TradeAttributes,
    TradeKind,
    VoucherState,
)
from chain.trade import Trade

YUAN = 100
WAN = 10_000 * YUAN  # 万元
YEAR = 365 * 86_400
START = 1_714_233_600  # 28 April 2024 in China, when Zhengzhou's policy came into force
NOW = START + 100 * 86_400
BUYER, SUPPLIER, PLATFORM = b"b" * 32, b"s" * 32, b"p" * 32

INTELLIGENT = Product(TradeKind.COMPUTE, ComputeType.INTELLIGENT, domestic_chip=False)
DOMESTIC = Product(TradeKind.COMPUTE, ComputeType.INTELLIGENT, domestic_chip=True)
IN_ZONE = Tier({INTELLIGENT: 3_000}, period_cap_fen=30 * WAN)
OUT_OF_ZONE = Tier({INTELLIGENT: 300}, total_cap_fen=3 * WAN)
FACTS = Facts(
    {
        BUYER: Organisation(EntityRoles.BUYER),
        SUPPLIER: Organisation(EntityRoles.SUPPLIER),
        PLATFORM: Organisation(EntityRoles.PLATFORM),
    }
)
# 5000万元 over three years, paid by trade time until exhausted, claimed after the trade.
ZHENGZHOU = Programme(
    number=1,
    terms=Terms(
        group=1,
        funding=Funding.FIRST_COME,
        periods=tuple(Period(START + year * YEAR, START + (year + 1) * YEAR, 0) for year in range(3)),
        claims_until=START + 3 * YEAR,
        in_trade_order=True,
        trade_before_issue=True,
    ),
    status=ProgrammeStatus.PUBLISHED,
    tiers=(IN_ZONE, OUT_OF_ZONE),
    budgets=(Budget(5_000 * WAN),),
)
VOUCHER = Voucher(
    number=(1 << 32) + 1,
    holder=BUYER,
    tier=0,
    period=None,
    state=VoucherState.LIVE,
    issued_at=NOW,
    valid_until=START + 3 * YEAR,
    face_fen=100 * WAN,
)


def trade(settled_fen: int) -> Trade:
    """Intelligent compute, settled a day ago."""
    return Trade(
        platform=PLATFORM,
        trade_id=bytes(32),
        buyer=BUYER,
        supplier=SUPPLIER,
        kind=TradeKind.COMPUTE,
        compute_type=ComputeType.INTELLIGENT,
        attributes=0,
        region=410100,
        traded_at=NOW - 86_400,
        contract_signed_at=NOW - 90 * 86_400,
        settled_fen=settled_fen,
        contract_fen=settled_fen,
        other_support_fen=0,
        settlement_key=bytes(32),
        contract_key=bytes(32),
        details=bytes(32),
    )


@pytest.mark.parametrize(
    ("settled_fen", "amount_fen", "limit"),
    [
        (1 * WAN, 3_000 * YUAN, Limit.NONE),
        (100 * WAN, 30 * WAN, Limit.NONE),
        (100 * WAN + 4, 30 * WAN, Limit.PERIOD_CAP),
        (3_333, 999, Limit.NONE),
    ],
)
def test_in_zone_enterprise_gets_30_percent_up_to_300_000_yuan_a_year(
    settled_fen: int, amount_fen: int, limit: Limit
) -> None:
    assert decide(trade(settled_fen), VOUCHER, ZHENGZHOU, FACTS, NOW) == Quote(amount_fen, 3_000, 0, limit)


def test_what_was_paid_in_another_year_does_not_count_against_this_years_cap() -> None:
    facts = replace(FACTS, used_by_period_fen={1: 30 * WAN}, used_total_fen=30 * WAN)
    assert decide(trade(1 * WAN), VOUCHER, ZHENGZHOU, facts, NOW) == Quote(3_000 * YUAN, 3_000, 0, Limit.NONE)


def test_out_of_zone_enterprise_gets_3_percent_up_to_30_000_yuan_over_the_whole_term() -> None:
    voucher = replace(VOUCHER, tier=1)
    facts = replace(FACTS, used_by_period_fen={1: 2 * WAN}, used_total_fen=2 * WAN)
    assert decide(trade(200 * WAN), voucher, ZHENGZHOU, FACTS, NOW) == Quote(3 * WAN, 300, 0, Limit.TOTAL_CAP)
    assert decide(trade(200 * WAN), voucher, ZHENGZHOU, facts, NOW) == Quote(1 * WAN, 300, 0, Limit.TOTAL_CAP)


def test_last_claim_is_paid_in_part_and_the_next_not_at_all() -> None:
    nearly = replace(ZHENGZHOU, budgets=(Budget(5_000 * WAN, redeemed_fen=4_000 * WAN, written_off_fen=999 * WAN),))
    empty = replace(ZHENGZHOU, budgets=(Budget(5_000 * WAN, written_off_fen=5_000 * WAN),))
    assert decide(trade(10 * WAN), VOUCHER, nearly, FACTS, NOW) == Quote(1 * WAN, 3_000, 0, Limit.BUDGET)
    assert decide(trade(10 * WAN), VOUCHER, empty, FACTS, NOW) == Refusal(
        "VoucherLedger_NothingToPay",
        {"voucherId": VOUCHER.number, "limit": Limit.BUDGET, "basisFen": 10 * WAN, "rateBps": 3_000},
    )


def test_trade_older_than_one_that_was_paid_is_refused() -> None:
    paid = replace(ZHENGZHOU, last_traded_at=NOW - 86_399)
    refusal = decide(trade(WAN), VOUCHER, paid, FACTS, NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.error == "VoucherLedger_OutOfOrder"


def test_etown_gives_30_percent_and_40_for_domestic_chips() -> None:
    etown = replace(ZHENGZHOU, tiers=(Tier({INTELLIGENT: 3_000, DOMESTIC: 4_000}, period_cap_fen=2_000 * WAN),))
    domestic = msgspec.structs.replace(trade(1 * WAN), attributes=int(TradeAttributes.DOMESTIC_CHIP))
    assert decide(trade(1 * WAN), VOUCHER, etown, FACTS, NOW) == Quote(3_000 * YUAN, 3_000, 0, Limit.NONE)
    assert decide(domestic, VOUCHER, etown, FACTS, NOW) == Quote(4_000 * YUAN, 4_000, 0, Limit.NONE)


def test_other_public_support_reduces_the_subsidy_to_the_ceiling() -> None:
    half = replace(ZHENGZHOU, terms=replace(ZHENGZHOU.terms, support_ceiling_bps=5_000))
    supported = msgspec.structs.replace(trade(10 * WAN), other_support_fen=4 * WAN)
    assert decide(supported, VOUCHER, half, FACTS, NOW) == Quote(1 * WAN, 3_000, 0, Limit.SUPPORT_CEILING)
