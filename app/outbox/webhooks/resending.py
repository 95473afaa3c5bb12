"""Dead letters that are sent again, because somebody who has mended the address asks for it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.outbox.log import Place
from app.outbox.webhooks.delivery import body_of, is_refusal, posted, took
from app.outbox.webhooks.ports import WebhookMetrics, WebhookStore
from app.outbox.webhooks.sender import Sender
from app.outbox.webhooks.webhook import DeadLetter, Webhook

RESENDING_SECONDS_MAX = 20.0
"""Of one call; what has not been tried by then stays a dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """So many dead letters are `delivered` and no longer there; so many have `failed` once more, the last of them with
    `error`."""

    delivered: int = 0
    failed: int = 0
    error: str | None = None


async def resend(
    webhook: Webhook, letters: Mapping[str, DeadLetter], store: WebhookStore, metrics: WebhookMetrics
) -> Resent:
    """Try each letter once, under the id that the event has always had. `letters` are by their entries in the store. An
    address that is away is not asked for the rest of them. Raises Unavailable("store_unavailable")."""
    sender, until, resent = Sender(webhook.url), time.monotonic() + RESENDING_SECONDS_MAX, Resent()
    try:
        for entry, letter in letters.items():
            place = Place.parsed(letter.id)
            if place is None or time.monotonic() > until:
                continue
            receipt, error = await posted(sender, webhook.secret, place, body_of(place, letter.event, letter.text))
            if took(receipt):
                metrics.webhook_tried("delivered")
                await store.remove_dead_letter(webhook.webhook_id, entry)
                resent = replace(resent, delivered=resent.delivered + 1)
                continue
            metrics.webhook_tried("failed")
            resent = replace(resent, failed=resent.failed + 1, error=error)
            if not is_refusal(receipt):
                break
    finally:
        sender.close()
    return resent
