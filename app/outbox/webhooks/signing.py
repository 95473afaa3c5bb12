"""How a delivery is signed: HMAC-SHA256 over its id, its time and its body (Standard Webhooks, symmetric `v1`)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode

from app.outbox.webhooks.webhook import KEY_PREFIX


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header `webhook-signature`. `timestamp` is in seconds since the epoch."""
    key = b64decode(secret.removeprefix(KEY_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """A delivery that is repeated has the same id, and the time of its own attempt."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message_id, timestamp, body),
    }
