"""Settings of the fraud checks of a programme: which are on, and from where on they speak.

The checks themselves are those of domain.md ("Fraud patterns"); what a file does not mention keeps the values here.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Check(BaseModel):
    """A check that knows no threshold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: bool = True


class CrossRegionCheck(Check):
    """cross-region. Regions of claimants that are not held; empty for all."""

    claimant_regions: tuple[Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$")], ...] = ()


class PriceFairCheck(Check):
    """price-fair. Widest distance from the median of the same resource, and widest jump against the own last price."""

    max_deviation_bps: Annotated[int, Field(gt=0, le=100_000)] = 3_000
    max_jump_bps: Annotated[int, Field(gt=0, le=100_000)] = 5_000


class SplittingCheck(Check):
    """splitting. More agreements of like value of one pair than these, within so many days, are looked at as one
    purchase; so are several that are each below a threshold and together not."""

    threshold_fen: Annotated[int, Field(gt=0, lt=2**48)] | None = None
    max_contracts: Annotated[int, Field(ge=1, le=10_000)] = 5
    within_days: Annotated[int, Field(ge=1, le=366)] = 30


class PlausibleCheck(Check):
    """plausible. Share of a supplier's registered capacity above which claimed card-hours are not believed."""

    max_utilisation_bps: Annotated[int, Field(gt=0, le=10_000)] = 10_000


class CircularCheck(Check):
    """circular. Longest circle of organisations looked for, within so many days, and the share of a trade's amount that
    each part of it must carry; and how many like orders within an hour are a burst."""

    within_days: Annotated[int, Field(ge=1, le=366)] = 90
    min_return_bps: Annotated[int, Field(gt=0, le=10_000)] = 5_000
    max_length: Annotated[int, Field(ge=2, le=10)] = 6
    burst_orders: Annotated[int, Field(ge=2, le=100_000)] = 20


class GapCheck(Check):
    """gap. How many days a trade may be older than one that its platform posted before it."""

    max_late_days: Annotated[int, Field(ge=1, le=3_660)] = 180


class TradeRealCheck(Check):
    """trade-real. Widest distance between contract, invoice, payment and metering."""

    max_difference_bps: Annotated[int, Field(ge=0, le=10_000)] = 100
    max_days_apart: Annotated[int, Field(ge=0, le=3_660)] = 180


class Checks(BaseModel):
    """The fourteen checks, under domain.md's codes with `_` for `-`. Those that the contract makes itself (standing,
    related_party, same_trade, stacking, dates) can be told to look earlier, but never be turned off there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trade_real: TradeRealCheck = TradeRealCheck()
    scope_match: Check = Check()
    cross_region: CrossRegionCheck = CrossRegionCheck()
    price_fair: PriceFairCheck = PriceFairCheck()
    standing: Check = Check()
    related_party: Check = Check()
    same_trade: Check = Check()
    stacking: Check = Check()
    splitting: SplittingCheck = SplittingCheck()
    paid: Check = Check()
    dates: Check = Check()
    plausible: PlausibleCheck = PlausibleCheck()
    gap: GapCheck = GapCheck()
    circular: CircularCheck = CircularCheck()
