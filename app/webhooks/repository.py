"""SQL of webhooks."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from app.auth.models import ApiKey
from app.events.models import Event
from app.webhooks.models import DEAD, PENDING, Attempt, Delivery, Webhook

# The subscriptions

_ACTIVE = (Webhook.disabled_reason.is_(None), ApiKey.revoked_at.is_(None))


def active(session: Session) -> Sequence[Webhook]:
    """Webhooks that are sent to: not disabled, and made by a key that is still valid."""
    return session.scalars(select(Webhook).join(ApiKey, ApiKey.id == Webhook.key_id).where(*_ACTIVE)).all()


def of_owner(session: Session, role: str, subject: str) -> Sequence[Webhook]:
    """Webhooks of one tenant, oldest first."""
    query = select(Webhook).where(Webhook.role == role, Webhook.subject == subject)
    return session.scalars(query.order_by(Webhook.created_at, Webhook.id)).all()


def find(session: Session, webhook_id: str, *, lock: bool = False) -> Webhook | None:
    """A webhook, locked until the transaction ends if asked."""
    return session.get(Webhook, webhook_id, with_for_update=lock, populate_existing=lock)


def remove(session: Session, webhook: Webhook) -> None:
    """Deletes a webhook, its deliveries and their log."""
    deliveries = select(Delivery.id).where(Delivery.webhook_id == webhook.id)
    session.execute(delete(Attempt).where(Attempt.delivery_id.in_(deliveries)))
    session.execute(delete(Delivery).where(Delivery.webhook_id == webhook.id))
    session.delete(webhook)


# Deliveries


def add_deliveries(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Adds new deliveries."""
    if rows:
        session.execute(insert(Delivery), rows)


def next_due(session: Session) -> float | None:
    """When the next try is due, Unix seconds."""
    return session.scalar(select(func.min(Delivery.due_at)).where(Delivery.state == PENDING))


def claim(session: Session, at: float, busy: Collection[str], limit: int) -> Sequence[tuple[Delivery, Webhook, Event]]:
    """Deliveries that are due, locked; those that another gateway has are passed over.

    Args:
        busy: Webhooks to leave out.
    """
    query = (
        select(Delivery, Webhook, Event)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .join(ApiKey, ApiKey.id == Webhook.key_id)
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.state == PENDING, Delivery.due_at <= at, Delivery.webhook_id.not_in(busy), *_ACTIVE)
        .order_by(Delivery.due_at, Delivery.id)
        .limit(limit)
        .with_for_update(of=Delivery, skip_locked=True)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def lock_delivery(session: Session, delivery_id: int) -> Delivery | None:
    """A delivery, locked; None if it was deleted meanwhile."""
    return session.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)


def give_up(session: Session, webhook_id: str) -> None:
    """Ends all pending deliveries of a webhook."""
    session.execute(
        update(Delivery).where(Delivery.webhook_id == webhook_id, Delivery.state == PENDING).values(state=DEAD)
    )


def send_again(session: Session, webhook_id: str, event_ids: Sequence[int], at: int) -> None:
    """Makes deliveries of these events due now, adding those that are not there."""
    there = set(
        session.scalars(
            select(Delivery.event_id).where(Delivery.webhook_id == webhook_id, Delivery.event_id.in_(event_ids))
        )
    )
    session.execute(
        update(Delivery)
        .where(Delivery.webhook_id == webhook_id, Delivery.event_id.in_(event_ids))
        .values(state=PENDING, due_at=float(at), waiting_since=at, delivered_at=None)
    )
    add_deliveries(session, [fresh(webhook_id, event_id, at) for event_id in event_ids if event_id not in there])


def fresh(webhook_id: str, event_id: int, at: int) -> dict[str, Any]:
    """Values of a delivery that was not tried yet."""
    return {
        "webhook_id": webhook_id,
        "event_id": event_id,
        "state": PENDING,
        "attempts": 0,
        "due_at": float(at),
        "waiting_since": at,
    }


# The log


def page(
    session: Session, webhook_id: str, state: str | None, before: int | None, limit: int
) -> Sequence[tuple[Delivery, Event]]:
    """Deliveries of a webhook, newest first."""
    query = (
        select(Delivery, Event)
        .join(Event, Event.id == Delivery.event_id)
        .where(
            Delivery.webhook_id == webhook_id,
            literal(True) if state is None else Delivery.state == state,
            literal(True) if before is None else Delivery.id < before,
        )
        .order_by(Delivery.id.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def delivery_of(session: Session, webhook_id: str, message_id: str) -> tuple[Delivery, Event] | None:
    """One delivery by its message id."""
    query = (
        select(Delivery, Event)
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.webhook_id == webhook_id, Event.uid == message_id)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else (row[0], row[1])


def attempts_of(session: Session, delivery_id: int) -> Sequence[Attempt]:
    """Tries of a delivery, oldest first."""
    return session.scalars(select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.id)).all()
