"""A webhook as it is asked for and answered, and what could not be delivered."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.api.events.bodies import EXAMPLE, EventData
from app.api.values import Answer, Edge, Name, TimeOut
from app.outbox.webhooks.resending import Resent
from app.outbox.webhooks.webhook import EVERY_EVENT, URL_LENGTH_MAX, DeadLetter, Progress, Webhook, WebhookStatus

EVENTS_MAX = 20
EVENT_PATTERN = r"(\*|[a-z]+\.(\*|[a-z_]+))"
ASKED: JsonDict = {"url": "https://oms.example/lem", "events": ["order.*", "fill.booked"]}
STATE: JsonDict = {
    "webhook_id": "wh_0a1b2c3d4e5f60718293a4b5",
    **ASKED,
    "account": None,
    "created_at": "2025-01-06T14:00:00Z",
    "status": "active",
    "delivered": 12,
    "dead_letters": 0,
    "attempts": 0,
    "next_attempt_at": None,
    "last_error": None,
    "last_event_id": "1736174700012-0-BTC-USDT",
}
LETTER: JsonDict = {
    "id": "1736174700012-0-BTC-USDT",
    "event": "slice.committed",
    "data": EXAMPLE,
    "attempts": 10,
    "error": "the answer was 400",
    "failed_at": "2025-01-06T14:40:00Z",
}


def _event_name(value: str) -> str:
    if re.fullmatch(EVENT_PATTERN, value) is None:
        raise PydanticCustomError("unknown_value", 'must be an event such as "order.completed", "order.*", or "*"')
    return value


EventName = Annotated[
    str, Field(max_length=64, json_schema_extra={"pattern": f"^{EVENT_PATTERN}$"}), AfterValidator(_event_name)
]


class WebhookIn(Edge):
    """An address that events are to be sent to."""

    model_config = ConfigDict(json_schema_extra={"examples": [ASKED]})

    url: Annotated[str, Field(min_length=1, max_length=URL_LENGTH_MAX, json_schema_extra={"format": "uri"})]
    """Where to: an http or https URL without a user and a password. Use https beyond your own machines."""
    events: Annotated[
        list[EventName], Field(min_length=1, max_length=EVENTS_MAX, default_factory=lambda: [EVERY_EVENT])
    ]
    """Which events: names such as `order.completed`, beginnings such as `order.*`, or `*` for all of them."""
    account: Name | None = None
    """Only events of that account's orders; without it those of the key's account, or of all."""


class WebhookOut(Answer):
    """A webhook, and how its deliveries go."""

    model_config = ConfigDict(json_schema_extra={"examples": [STATE]})

    webhook_id: str
    """Our id of the webhook; it follows from url and account."""
    url: str
    """Where events are sent to."""
    events: list[str]
    """Which events are sent."""
    account: str | None
    """Whose orders' events; null for those of all."""
    created_at: TimeOut
    """Events are sent that were recorded since then."""
    status: WebhookStatus
    """Whether deliveries arrive."""
    delivered: int
    """How many events have been delivered."""
    dead_letters: int
    """How many events were given up."""
    attempts: int
    """How often the event that is next has been tried in vain."""
    next_attempt_at: TimeOut | None
    """When it is tried again; null where it was not tried, or not again."""
    last_error: str | None
    """Why the newest attempt has failed; null where it has not."""
    last_event_id: str
    """Everything up to that place in the sequence of all events is delivered, not wanted or given up."""

    @classmethod
    def of(cls, webhook: Webhook, progress: Progress) -> Self:
        return cls(**_told(webhook, progress))


class NewWebhookOut(WebhookOut):
    """A new webhook and its secret, which is not shown again."""

    model_config = ConfigDict(json_schema_extra={"examples": [STATE | {"secret": "whsec_c2VjcmV0..."}]})

    secret: str
    """What deliveries are signed with: the key is what follows `whsec_`, decoded from base64. Shown this once."""

    @classmethod
    def of(cls, webhook: Webhook, progress: Progress) -> Self:
        return cls(**_told(webhook, progress), secret=webhook.secret)


class WebhooksOut(Answer):
    """All webhooks that the caller may see, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"webhooks": [STATE]}]})

    webhooks: list[WebhookOut]
    """The webhooks."""


class DeadLetterOut(Answer):
    """An event that was given up."""

    model_config = ConfigDict(json_schema_extra={"examples": [LETTER]})

    id: str
    """Of the event, as streams of events have it."""
    event: str
    """The event's name."""
    data: EventData
    """What the event says."""
    attempts: int
    """How often it was tried."""
    error: str
    """Why the last attempt has failed."""
    failed_at: TimeOut
    """When that was."""

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        return cls(
            id=letter.id,
            event=letter.event,
            data=EventData.model_validate(json.loads(letter.text)),
            attempts=letter.attempts,
            error=letter.error,
            failed_at=datetime.fromtimestamp(letter.failed_at, UTC),
        )


class DeadLettersOut(Answer):
    """Events that were given up, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dead_letters": [LETTER]}]})

    dead_letters: list[DeadLetterOut]
    """At most `limit` of them; the newest 1,000 are kept."""

    @classmethod
    def of(cls, letters: Sequence[DeadLetter]) -> Self:
        return cls(dead_letters=[DeadLetterOut.of(each) for each in letters])


class ResentOut(Answer):
    """What came of sending dead letters again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"delivered": 3, "failed": 0, "last_error": None}]})

    delivered: int
    """How many were taken, and are dead letters no longer."""
    failed: int
    """How many were tried in vain, and stay."""
    last_error: str | None
    """Why the last of these has failed; null where none has."""

    @classmethod
    def of(cls, resent: Resent) -> Self:
        return cls(delivered=resent.delivered, failed=resent.failed, last_error=resent.error)


def _told(webhook: Webhook, progress: Progress) -> dict[str, Any]:
    return {
        "webhook_id": webhook.webhook_id,
        "url": webhook.url,
        "events": list(webhook.events),
        "account": webhook.account,
        "created_at": webhook.created_at,
        "status": progress.status,
        "delivered": progress.delivered,
        "dead_letters": progress.dead,
        "attempts": progress.attempts,
        "next_attempt_at": None if progress.next_at is None else datetime.fromtimestamp(progress.next_at, UTC),
        "last_error": progress.error,
        "last_event_id": str(progress.place),
    }
