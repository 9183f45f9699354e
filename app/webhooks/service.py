"""Subscriptions: who may have them, what they get, rotation and replay."""

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy.orm import Session

from app.auth.service import Principal
from app.clock import now
from app.errors import ApiError, Conflict, Invalid, NotFound
from app.events.catalogue import STAFF_PREFIXES, matches
from app.events.models import Event
from app.events.reading import party_of
from app.events.repository import readable
from app.gateway import Gateway
from app.webhooks import repository
from app.webhooks.addresses import ForbiddenAddress, checked_url
from app.webhooks.models import Webhook
from app.webhooks.schemas import NewWebhook, Replay

MOST_WEBHOOKS = 20
"""Of one tenant."""
MOST_REPLAYED = 10_000


def create(session: Session, gateway: Gateway, caller: Principal, body: NewWebhook) -> Webhook:
    """Adds a webhook.

    Raises:
        Invalid: The address is none to post to, or a type is for staff only.
        Conflict: The tenant has as many as it may.
    """
    try:
        checked_url(body.url, allow_private=gateway.settings.webhooks_allow_private)
    except ForbiddenAddress as error:
        raise Invalid("/url", "webhook_url", str(error)) from error
    if not caller.is_staff:
        for index, pattern in enumerate(body.types):
            if pattern.startswith(STAFF_PREFIXES):
                raise Invalid(f"/types/{index}", "staff_only", f"{pattern} is for staff")
    if len(repository.of_owner(session, caller.role.value, caller.subject)) >= MOST_WEBHOOKS:
        raise Conflict("too_many_webhooks", f"You may have {MOST_WEBHOOKS} webhooks.", limit=MOST_WEBHOOKS)
    webhook = Webhook(
        id=f"wh_{uuid4().hex}",
        key_id=caller.key_id,
        role=caller.role.value,
        subject=caller.subject,
        party=party_of(gateway, caller),
        url=body.url,
        description=body.description,
        types=body.types,
        secret_version=1,
        previous_until=None,
        disabled_reason=None,
        created_at=now(),
    )
    session.add(webhook)
    return webhook


def owned(session: Session, caller: Principal, webhook_id: str, *, lock: bool = False) -> Webhook:
    """A webhook of the caller's.

    Raises:
        NotFound: There is none, or it is another tenant's.
    """
    webhook = repository.find(session, webhook_id, lock=lock)
    if webhook is None or (webhook.role, webhook.subject) != (caller.role.value, caller.subject):
        raise NotFound("webhook", webhook_id)
    return webhook


def rotate(webhook: Webhook, overlap_s: int) -> None:
    """A new secret; the old one signs too for a while, and one before it no more."""
    webhook.secret_version += 1
    webhook.previous_until = now() + overlap_s


def enable(webhook: Webhook) -> None:
    """Sends again to a webhook whose receiver had wanted no more."""
    webhook.disabled_reason = None


def replay(session: Session, webhook: Webhook, body: Replay) -> int:
    """Sends messages again, under their own ids; returns how many.

    Raises:
        NotFound: The webhook may not see such a message.
        ApiError: 422 if the stretch holds too many.
    """
    query = readable(webhook.types, webhook.party).with_only_columns(Event.id)
    if body.message_id is not None:
        query = query.where(Event.uid == body.message_id)
    else:
        query = query.where(Event.occurred_at >= body.since, Event.occurred_at <= body.until)
    ids = session.scalars(query.order_by(Event.position).limit(MOST_REPLAYED + 1)).all()
    if body.message_id is not None and not ids:
        raise NotFound("message", body.message_id)
    if len(ids) > MOST_REPLAYED:
        text = f"The stretch holds more than {MOST_REPLAYED} messages; ask for shorter ones."
        raise ApiError(422, "too_many_messages", text, limit=MOST_REPLAYED)
    repository.send_again(session, webhook.id, ids, now())
    return len(ids)


def deliver(session: Session, events: Sequence[Event]) -> None:
    """Adds a delivery for each webhook that wants an event and may see it; called with what was just published."""
    webhooks = repository.active(session)
    if not webhooks or not events:
        return
    at = now()
    ids = [event.id for event in events]
    rows = []
    visible: dict[bytes | None, frozenset[int]] = {}
    for webhook in webhooks:
        if webhook.party not in visible:
            query = readable(["*"], webhook.party).with_only_columns(Event.id).where(Event.id.in_(ids))
            visible[webhook.party] = frozenset(session.scalars(query))
        rows += [
            repository.fresh(webhook.id, event.id, at)
            for event in events
            if event.id in visible[webhook.party] and matches(event.type, webhook.types)
        ]
    repository.add_deliveries(session, rows)
