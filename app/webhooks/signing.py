"""Secrets and signatures of webhooks (Standard Webhooks, https://www.standardwebhooks.com).

A secret is derived from a seed in the keystore, as custodial keys are: the database holds none, so a copy of it signs
nothing.
"""

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook as Signing

from app.webhooks.models import Webhook


def secret_of(seed: bytes, webhook_id: str, version: int) -> str:
    """The secret that signs, `whsec_` and base64 of 32 bytes."""
    secret = hmac.digest(seed, f"suanquan/webhook/{webhook_id}/{version}".encode(), "sha256")
    return f"whsec_{base64.b64encode(secret).decode()}"


def headers_of(seed: bytes, webhook: Webhook, message_id: str, body: str, at: int) -> Mapping[str, str]:
    """The signed headers of a delivery; after a rotation with both secrets until the old one ends.

    Args:
        at: Unix seconds of this try.
    """
    versions = [webhook.secret_version]
    if webhook.previous_until is not None and at < webhook.previous_until:
        versions.append(webhook.secret_version - 1)
    timestamp = datetime.fromtimestamp(at, UTC)
    signatures = [
        Signing(secret_of(seed, webhook.id, version)).sign(message_id, timestamp, body) for version in versions
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
        "content-type": "application/json",
        "user-agent": "suanquan-webhooks",
    }
