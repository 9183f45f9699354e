"""What a message says, the same in the stream and in webhooks (Standard Webhooks, payload structure)."""

import json
from datetime import UTC, datetime

from app.events.models import Event


def body_of(event: Event) -> str:
    """The message as JSON on one line: id, type, ISO 8601 timestamp, data. The same text at every call."""
    content = {
        "id": event.uid,
        "type": event.type,
        "timestamp": datetime.fromtimestamp(event.occurred_at, UTC).isoformat().replace("+00:00", "Z"),
        "data": event.data,
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
