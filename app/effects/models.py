"""The table of reported effects."""

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Base, Hash32


class EffectReport(Base):
    """What an organisation reports of one year under one programme (应用领域, 算力规模, 营业收入).

    A row is never changed: a correction is the next number of the same programme, organisation and year, and the
    highest number counts (`repository.newest`). Figures are the organisation's own; nobody has audited them.

    Attributes:
        id: `ef_` and 32 hex digits.
        programme_id: Programme under which it was subsidised.
        entity_id: Registry id of the organisation; `uscc` its number.
        year: Calendar year of China Standard Time that the figures are of.
        number: Counts the reports of one programme, organisation and year, from 1.
        field: Where the compute was used (应用领域), one of `schemas.FIELDS`.
        purpose: The same in the organisation's own words; null where it said nothing.
        capacity_tflops: Computing capacity in use on average (算力规模), TFLOPS at FP16, owned and rented.
        capacity_before_tflops: The same in the year before the first subsidy, if stated.
        revenue_fen: Revenue of the year.
        revenue_before_fen: Revenue of the year before the first subsidy, if stated.
        reported_by: Id of the API key.
        reported_at: Unix seconds.
    """

    __tablename__ = "effect_reports"

    programme_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    entity_id: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(35), unique=True)
    uscc: Mapped[str] = mapped_column(String(64), index=True)
    field: Mapped[str] = mapped_column(String(32))
    purpose: Mapped[str | None] = mapped_column(String(500))
    capacity_tflops: Mapped[int] = mapped_column(BigInteger)
    capacity_before_tflops: Mapped[int | None] = mapped_column(BigInteger)
    revenue_fen: Mapped[int] = mapped_column(BigInteger)
    revenue_before_fen: Mapped[int | None] = mapped_column(BigInteger)
    reported_by: Mapped[str] = mapped_column(String(32))
    reported_at: Mapped[int] = mapped_column(BigInteger)
