"""SQL of orders."""

from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.applications.repository import on_their_way
from app.indexer.models import Budget, Period, Redemption, Tier, Voucher
from app.orders.models import Order

REJECTED = "rejected"
LIVE = ("live", "frozen")


def put(session: Session, values: dict[str, Any]) -> bool:
    """Adds an order; False where the platform posted one of this number before, also at the same time."""
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(Order)
    return session.scalars(insert.values(values).on_conflict_do_nothing().returning(Order.id)).first() is not None


def by_number(session: Session, platform: str, number: str) -> Order:
    """An order by the platform's number."""
    return session.scalars(select(Order).where(Order.platform == platform, Order.number == number)).one()


def find(session: Session, order_id: str) -> Order | None:
    """An order."""
    return session.get(Order, order_id)


def incomplete(session: Session, buyer: str) -> list[Order]:
    """Orders of an organisation that could not be decided, oldest first."""
    query = select(Order).where(Order.buyer == buyer, Order.state == "incomplete")
    return list(session.scalars(query.order_by(Order.created_at, Order.id).with_for_update()))


def page(
    session: Session,
    *,
    party: str | None,
    programme_id: int | None,
    state: str | None,
    after: Order | None,
    limit: int,
) -> list[Order]:
    """Orders, oldest first.

    Args:
        party: Only those that this organisation posted or is to buy.
    """
    query = select(Order).order_by(Order.created_at, Order.id).limit(limit)
    if party is not None:
        query = query.where(or_(Order.platform == party, Order.buyer == party))
    if programme_id is not None:
        query = query.where(Order.programme_id == programme_id)
    if state is not None:
        query = query.where(Order.state == state)
    if after is not None:
        later = Order.created_at > after.created_at
        query = query.where(later | ((Order.created_at == after.created_at) & (Order.id > after.id)))
    return list(session.scalars(query))


def period_at(session: Session, programme_id: int, at: int) -> Period | None:
    """The period of a programme in which a moment lies."""
    query = select(Period).where(Period.programme_id == programme_id, Period.starts_at <= at, Period.ends_at > at)
    return session.scalars(query).first()


def used(session: Session, programme_id: int, entity_id: bytes, period: Period) -> dict[str, int]:
    """What an organisation got under a programme, and all from the budget of a period; vouchers that can still be used,
    or are on their way to the chain, count with all that is left of them: so orders promise no more than the caps."""
    mine = (Redemption.programme_id == programme_id, Redemption.entity_id == entity_id, Redemption.state != REJECTED)
    paid = func.coalesce(func.sum(Redemption.amount_fen), 0)
    total = session.scalar(select(paid).where(*mine)) or 0
    in_period = session.scalar(select(paid).where(*mine, Redemption.period == period.index)) or 0
    promised = session.scalar(
        select(func.coalesce(func.sum(Voucher.face_fen - Voucher.redeemed_fen), 0)).where(
            Voucher.programme_id == programme_id, Voucher.entity_id == entity_id, Voucher.state.in_(LIVE)
        )
    )
    promised = (promised or 0) + on_their_way(session, programme_id, entity_id)
    budget = session.get_one(Budget, (programme_id, period.budget_index))
    taken = budget.reserved_fen + budget.redeemed_fen + budget.written_off_fen - budget.recovered_fen
    return {
        "entity_period_fen": int(in_period) + int(promised),
        "entity_total_fen": int(total) + int(promised),
        "programme_period_fen": taken,
    }


def tier(session: Session, programme_id: int, name: str) -> Tier:
    """A tier of the policy by its name; agreements have tiers of their own."""
    query = select(Tier).where(Tier.programme_id == programme_id, Tier.name == name, Tier.entity_id.is_(None))
    return (
        session.scalars(query.order_by(Tier.index)).first()
        or session.scalars(select(Tier).where(Tier.programme_id == programme_id, Tier.name == name)).one()
    )


def is_issued(session: Session, voucher_id: int) -> bool:
    """Whether a voucher is on chain."""
    return session.get(Voucher, voucher_id) is not None
