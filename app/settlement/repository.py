"""SQL of settlement: what suppliers are owed and were paid."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.indexer.models import Redemption
from app.indexer.rollup_models import Rollup
from app.indexer.rollups import TOTAL
from chain.enums import RedemptionState

PROVISIONAL = RedemptionState.PROVISIONAL.name.lower()
WRITTEN_OFF = RedemptionState.WRITTEN_OFF.name.lower()


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
    query = (
        select(
            Rollup.programme_id,
            Rollup.redeemed,
            Rollup.redeemed_fen - Rollup.rejected_fen - Rollup.written_off_fen,
            Rollup.written_off_fen,
            Rollup.rejected_fen,
            Rollup.recovered_fen,
        )
        .where(Rollup.span == TOTAL, Rollup.dimension == "suppliers", Rollup.key == f"0x{supplier_id.hex()}")
        .order_by(Rollup.programme_id)
    )
    return [Owed(*row) for row in session.execute(query)]


def redemptions(session: Session, ids: Sequence[int]) -> dict[int, Redemption]:
    """Redemptions by number."""
    return {row.id: row for row in session.scalars(select(Redemption).where(Redemption.id.in_(ids)))}
