"""Bodies of webhooks."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from app.events.catalogue import is_pattern
from app.schema import Schema, UnixSeconds

MAX_OVERLAP_S = 30 * 86400


def _check_pattern(value: str) -> str:
    if not is_pattern(value):
        raise PydanticCustomError(
            "event_type", "no event has this type: give one as in /v1/event-types, a stem such as voucher.*, or *"
        )
    return value


TypePattern = Annotated[str, Field(max_length=64, examples=["voucher.*"]), AfterValidator(_check_pattern)]


class NewWebhook(Schema):
    """A webhook to make.

    Attributes:
        url: Where to post; https, and on the public internet.
        types: Which events: types, stems such as `voucher.*`, or `*` for all that the caller may see.
    """

    url: Annotated[str, Field(min_length=1, max_length=2000, examples=["https://platform.example/hooks/suanquan"])]
    types: Annotated[list[TypePattern], Field(min_length=1, max_length=50, default_factory=lambda: ["*"])]
    description: Annotated[str, Field(max_length=200)] = ""


class WebhookView(Schema):
    """A webhook.

    Attributes:
        previous_secret_until: Until then messages carry a signature with the secret before the rotation too.
        disabled_reason: Why nothing is sent; null while it is active.
    """

    webhook_id: str
    url: str
    types: list[str]
    description: str
    previous_secret_until: int | None
    disabled_reason: str | None
    created_at: int


class WebhookWithSecret(WebhookView):
    """A webhook and its secret, shown this once. It verifies with any Standard Webhooks library."""

    secret: str


class Rotation(Schema):
    """How long the old secret goes on signing beside the new one, in seconds."""

    overlap_s: Annotated[int, Field(ge=0, le=MAX_OVERLAP_S)] = 86400


class Replay(Schema):
    """What to send again: one message, or all of a stretch of time that the webhook's types fit.

    Attributes:
        message_id: `evt_...`.
        since, until: When the events happened, both included.
    """

    message_id: Annotated[str, Field(pattern=r"^evt_[0-9a-f]{32}$")] | None = None
    since: UnixSeconds | None = None
    until: UnixSeconds | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Replay":
        a_stretch = self.since is not None and self.until is not None
        if (self.message_id is None) != a_stretch or (self.since is None) != (self.until is None):
            raise PydanticCustomError("one_of", "give message_id, or since and until")
        return self


class Replayed(Schema):
    """How many messages are sent again."""

    messages: int


class DeliveryView(Schema):
    """One message to the webhook.

    Attributes:
        state: pending, delivered or dead.
        next_attempt_at: Unix seconds; null unless pending.
    """

    message_id: str
    type: str
    occurred_at: int
    state: Literal["pending", "delivered", "dead"]
    attempts: int
    next_attempt_at: int | None
    delivered_at: int | None


class DeliveryPage(Schema):
    """A page of deliveries, newest first; `next` is the cursor of the page after it."""

    items: list[DeliveryView]
    next: str | None


class AttemptView(Schema):
    """One try: the receiver's status and the beginning of its answer, or why there was none."""

    number: int
    started_at: int
    duration_ms: int
    status: int | None
    error: str | None
    body: str | None


class DeliveryDetail(DeliveryView):
    """A delivery, what it says, and its tries, oldest first."""

    message: dict[str, Any]
    log: list[AttemptView]
