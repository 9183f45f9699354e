"""`/v1/webhooks`: every caller has its own, of the events that it may see."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from app.route import Caller, CommandRoute, CommandSession, QuerySession, Reader, TheGateway
from app.webhooks import presenting, repository, service
from app.webhooks.schemas import (
    DeliveryDetail,
    DeliveryPage,
    NewWebhook,
    Replay,
    Replayed,
    Rotation,
    WebhookView,
    WebhookWithSecret,
)

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=CommandRoute)
queries = APIRouter(prefix="/v1", tags=["webhooks"])
WebhookId = Annotated[str, Path(max_length=64)]
MessageId = Annotated[str, Path(max_length=64)]


@router.post("", status_code=201)
def create(
    body: NewWebhook, session: CommandSession, gateway: TheGateway, caller: Caller, response: Response
) -> WebhookWithSecret:
    """Makes a webhook. Its secret is shown once; rotate it if it is lost."""
    return presenting.with_secret(gateway, service.create(session, gateway, caller, body), response)


@router.delete("/{webhook_id}", status_code=204)
def remove(webhook_id: WebhookId, session: CommandSession, caller: Caller) -> None:
    """Deletes a webhook and its log."""
    repository.remove(session, service.owned(session, caller, webhook_id, lock=True))


@router.post("/{webhook_id}/rotate")
def rotate(
    *,
    webhook_id: WebhookId,
    body: Rotation,
    session: CommandSession,
    gateway: TheGateway,
    caller: Caller,
    response: Response,
) -> WebhookWithSecret:
    """Makes a new secret. Until the overlap ends, messages carry two signatures, one with each."""
    webhook = service.owned(session, caller, webhook_id, lock=True)
    service.rotate(webhook, body.overlap_s)
    return presenting.with_secret(gateway, webhook, response)


@router.post("/{webhook_id}/enable")
def enable(webhook_id: WebhookId, session: CommandSession, caller: Caller) -> WebhookView:
    """Sends again to a webhook that was disabled. What was given up meanwhile comes with a replay."""
    webhook = service.owned(session, caller, webhook_id, lock=True)
    service.enable(webhook)
    return presenting.view(webhook)


@router.post("/{webhook_id}/replay")
def replay(webhook_id: WebhookId, body: Replay, session: CommandSession, caller: Caller) -> Replayed:
    """Sends one message or those of a stretch of time again, under the same message ids."""
    webhook = service.owned(session, caller, webhook_id, lock=True)
    return Replayed(messages=service.replay(session, webhook, body))


@queries.get("/webhooks")
def list_webhooks(session: QuerySession, caller: Reader) -> list[WebhookView]:
    """The caller's webhooks, oldest first."""
    return [presenting.view(one) for one in repository.of_owner(session, caller.role.value, caller.subject)]


@queries.get("/webhooks/{webhook_id}")
def read(webhook_id: WebhookId, session: QuerySession, caller: Reader) -> WebhookView:
    """A webhook."""
    return presenting.view(service.owned(session, caller, webhook_id))


@queries.get("/webhooks/{webhook_id}/deliveries")
def list_deliveries(
    *,
    webhook_id: WebhookId,
    session: QuerySession,
    caller: Reader,
    state: Literal["pending", "delivered", "dead"] | None = None,
    after: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveryPage:
    """The delivery log, newest first."""
    webhook = service.owned(session, caller, webhook_id)
    return presenting.page(repository.page(session, webhook.id, state, after, limit), limit)


@queries.get("/webhooks/{webhook_id}/deliveries/{message_id}")
def read_delivery(
    webhook_id: WebhookId, message_id: MessageId, session: QuerySession, caller: Reader
) -> DeliveryDetail:
    """One message: what it says, and each try with the receiver's answer."""
    return presenting.detail(session, service.owned(session, caller, webhook_id), message_id)
