"""Sums of the projection, kept as events come; see rollups.py. Amounts in fen."""

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Base

from .projected import Projected


class Rollup(Projected, Base):
    """What happened in a span, by programme and one dimension.

    Attributes:
        span: A day in China as 2026-03-05, a month as 2026-03, or total.
        dimension: programmes, periods, tiers, regions, kinds or suppliers; region and kind are the holder's when the
            voucher was issued.
        key: Value of the dimension as text; `none` for vouchers without a period.
        redeemed: Also those that were rejected later; `rejected` counts these, on the day of the rejection.
        reserved_fen: By how much budgets held more or less for issued vouchers; of the period that holds it.
        left_fen: By how much vouchers that had not ended were good for more or less.
    """

    __tablename__ = "rollups"

    span: Mapped[str] = mapped_column(String(10), primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    issued: Mapped[int] = mapped_column(BigInteger)
    issued_fen: Mapped[int] = mapped_column(BigInteger)
    redeemed: Mapped[int] = mapped_column(BigInteger)
    redeemed_fen: Mapped[int] = mapped_column(BigInteger)
    written_off: Mapped[int] = mapped_column(BigInteger)
    written_off_fen: Mapped[int] = mapped_column(BigInteger)
    rejected: Mapped[int] = mapped_column(BigInteger)
    rejected_fen: Mapped[int] = mapped_column(BigInteger)
    recovered: Mapped[int] = mapped_column(BigInteger)
    recovered_fen: Mapped[int] = mapped_column(BigInteger)
    returned: Mapped[int] = mapped_column(BigInteger)
    returned_fen: Mapped[int] = mapped_column(BigInteger)
    reserved_fen: Mapped[int] = mapped_column(BigInteger)
    left_fen: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_rollups_dimension", "deployment_id", "dimension", "span"),)


class Outstanding(Projected, Base):
    """What vouchers are still good for, by the day in China (since 1970-01-01) on which they end; what changes after
    that does not count."""

    __tablename__ = "outstanding"

    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    programme_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    valid_day: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    left_fen: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_outstanding_dimension", "deployment_id", "dimension", "valid_day"),)
