"""SQL of settlement: what suppliers are owed and were paid."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.indexer.models import Redemption
from chain.enums import RedemptionState

PROVISIONAL = RedemptionState.PROVISIONAL.name.lower()
WRITTEN_OFF = RedemptionState.WRITTEN_OFF.name.lower()
REJECTED = RedemptionState.REJECTED.name.lower()


class Owed(NamedTuple):
    """Sums over a supplier's redemptions under one programme, in fen."""

    programme_id: int
    redemptions: int
    owed_fen: int
    settled_fen: int
    rejected_fen: int
    recovered_fen: int


def supplier_sums(session: Session, supplier_id: bytes) -> list[Owed]:
    """What a supplier is owed and was paid, by programme."""

    def sum_in(state: str) -> object:
        return func.coalesce(func.sum(case((Redemption.state == state, Redemption.amount_fen), else_=0)), 0)

    query = (
        select(
            Redemption.programme_id,
            func.count(),
            sum_in(PROVISIONAL),  # type: ignore[call-overload]
            sum_in(WRITTEN_OFF),
            sum_in(REJECTED),
            func.coalesce(func.sum(Redemption.recovered_fen), 0),
        )
        .where(Redemption.supplier_id == supplier_id)
        .group_by(Redemption.programme_id)
        .order_by(Redemption.programme_id)
    )
    # PostgreSQL sums BIGINT as NUMERIC
    return [Owed(*(int(value) for value in row)) for row in session.execute(query)]


def redemptions(session: Session, ids: Sequence[int]) -> dict[int, Redemption]:
    """Redemptions by number."""
    return {row.id: row for row in session.scalars(select(Redemption).where(Redemption.id.in_(ids)))}
