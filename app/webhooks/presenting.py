"""Rows of webhooks as callers see them."""

import json
from collections.abc import Sequence

from fastapi import Response
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.events.message import body_of
from app.events.models import Event
from app.gateway import Gateway
from app.webhooks import repository
from app.webhooks.models import PENDING, Delivery, Webhook
from app.webhooks.schemas import (
    AttemptView,
    DeliveryDetail,
    DeliveryPage,
    DeliveryView,
    WebhookView,
    WebhookWithSecret,
)
from app.webhooks.signing import secret_of


def view(webhook: Webhook) -> WebhookView:
    """A webhook without its secret."""
    return WebhookView(
        webhook_id=webhook.id,
        url=webhook.url,
        types=webhook.types,
        description=webhook.description,
        previous_secret_until=webhook.previous_until,
        disabled_reason=webhook.disabled_reason,
        created_at=webhook.created_at,
    )


def with_secret(gateway: Gateway, webhook: Webhook, response: Response) -> WebhookWithSecret:
    """A webhook with its secret, in an answer that nobody stores."""
    response.headers["cache-control"] = "no-store"
    secret = secret_of(gateway.webhook_seed, webhook.id, webhook.secret_version)
    return WebhookWithSecret(**view(webhook).model_dump(), secret=secret)


def page(rows: Sequence[tuple[Delivery, Event]], limit: int) -> DeliveryPage:
    """A page of deliveries."""
    more = str(rows[-1][0].id) if len(rows) == limit else None
    return DeliveryPage(items=[_delivery(*row) for row in rows], next=more)


def detail(session: Session, webhook: Webhook, message_id: str) -> DeliveryDetail:
    """A delivery with its message and its tries.

    Raises:
        NotFound: The webhook got no such message.
    """
    found = repository.delivery_of(session, webhook.id, message_id)
    if found is None:
        raise NotFound("message", message_id)
    delivery, event = found
    log = [
        AttemptView(
            number=one.number,
            started_at=one.started_at,
            duration_ms=one.duration_ms,
            status=one.status,
            error=one.error,
            body=one.body,
        )
        for one in repository.attempts_of(session, delivery.id)
    ]
    return DeliveryDetail(**_delivery(delivery, event).model_dump(), message=json.loads(body_of(event)), log=log)


def _delivery(delivery: Delivery, event: Event) -> DeliveryView:
    return DeliveryView(
        message_id=event.uid,
        type=event.type,
        occurred_at=event.occurred_at,
        state=delivery.state,  # type: ignore[arg-type] # one of the three
        attempts=delivery.attempts,
        next_attempt_at=int(delivery.due_at) if delivery.state == PENDING else None,
        delivered_at=delivery.delivered_at,
    )
