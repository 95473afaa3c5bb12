"""Addresses that the service sends events to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lem_client.events import EventData
from lem_client.words import WebhookStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """Send `events` (names such as `order.completed`, beginnings such as `order.*`, or `*`) to the url; with an
    `account` those of that account's orders."""

    url: str
    events: tuple[str, ...] = ("*",)
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """How the deliveries of a webhook go. While it is failing, the next event has had so many `attempts`. Everything up
    to `last_event_id` is delivered, not wanted, or given up."""

    webhook_id: str
    url: str
    events: tuple[str, ...]
    account: str | None
    created_at: datetime
    status: WebhookStatus
    delivered: int
    dead_letters: int
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    last_event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedWebhook(Webhook):
    """A new webhook, with the `secret` that its deliveries are signed with: keep it, since it is not shown again."""

    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that could not be delivered, and why."""

    id: str
    event: str
    data: EventData
    attempts: int
    error: str
    failed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """What came of sending dead letters again: so many were taken, and are dead letters no longer; so many have failed
    once more, the last of them with `last_error`."""

    delivered: int
    failed: int
    last_error: str | None
