"""Tables of webhooks."""

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.models import ApiKey
from app.events.models import Event
from chain.sql import Base, Hash32, Json, RowId

PENDING, DELIVERED, DEAD = "pending", "delivered", "dead"


class Webhook(Base):
    """A subscription: where to post which events.

    Attributes:
        id: `wh_` and 32 hex digits.
        key_id: API key that made it; once that is revoked, nothing is sent any more.
        role, subject: Those of the key. Keys of the same role and subject see and change it too.
        party: Registry id of the organisation whose events it gets; null for staff.
        url: Where to post.
        types: Patterns of app.events.catalogue.
        secret_version: Secrets are derived, not stored: from the id and this number, see app.webhooks.signing.
        previous_until: Unix seconds until which the version before signs too; null unless the secret was rotated.
        disabled_reason: Why nothing is sent; null while it is active.
    """

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(35), primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey(ApiKey.id))
    role: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    party: Mapped[bytes | None] = mapped_column(Hash32)
    url: Mapped[str] = mapped_column(String(2000))
    description: Mapped[str] = mapped_column(String(200))
    types: Mapped[list[str]] = mapped_column(Json)
    secret_version: Mapped[int] = mapped_column(Integer)
    previous_until: Mapped[int | None] = mapped_column(BigInteger)
    disabled_reason: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_webhooks_role_subject", "role", "subject"),)


class Delivery(Base):
    """One message to one webhook.

    Attributes:
        state: pending, delivered (answered with 2xx) or dead (given up).
        attempts: Tries so far. It is raised before a try, so a result is taken only from whoever made the last one.
        due_at: Unix seconds of the next try, and while one is under way of the moment at which it counts as lost.
        waiting_since: Unix seconds since when it is tried; a replay sets it anew.
        delivered_at: Unix seconds.
    """

    __tablename__ = "webhook_deliveries"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey(Webhook.id))
    event_id: Mapped[int] = mapped_column(ForeignKey(Event.id), index=True)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[float] = mapped_column(Float)
    waiting_since: Mapped[int] = mapped_column(BigInteger)
    delivered_at: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        UniqueConstraint("webhook_id", "event_id"),
        Index("ix_webhook_deliveries_state_due_at", "state", "due_at"),
    )


class Attempt(Base):
    """One try of a delivery: what the receiver answered, or why there was no answer.

    Attributes:
        number: The delivery's count of tries, from 1.
        status: HTTP status; null without an answer.
        error: Why there was no answer.
        body: The first bytes of the answer, as text.
    """

    __tablename__ = "webhook_attempts"

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey(Delivery.id))
    number: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[int] = mapped_column(BigInteger)
    duration_ms: Mapped[int] = mapped_column(Integer)
    status: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(String(500))
    body: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_webhook_attempts_delivery_id", "delivery_id", "id"),)
