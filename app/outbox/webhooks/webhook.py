"""A webhook, how far its deliveries are, and what could not be delivered."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from app.domain.errors import InvalidInput
from app.outbox.log import Place

URL_LENGTH_MAX = 2_000
SECRET_BYTES = 32
KEY_PREFIX = "whsec_"
EVERY_EVENT = "*"
ID_DIGITS = 24


class WebhookStatus(StrEnum):
    """`active`: deliveries arrive, or there were none yet; `failing`: the newest attempt has failed, and another one
    follows; `disabled`: the address has answered 410, so that nothing is sent to it any more."""

    ACTIVE = "active"
    FAILING = "failing"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Who is told what: `events` are names such as `order.completed`, beginnings such as `order.*`, or `*`. With an
    `account` it is of that account's orders alone. `secret` is what deliveries are signed with."""

    webhook_id: str
    url: str
    secret: str
    events: Sequence[str]
    account: str | None
    created_at: datetime

    def wants(self, event: str) -> bool:
        return any(
            each in (event, EVERY_EVENT) or (each.endswith(".*") and event.startswith(each[:-1]))
            for each in self.events
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Everything up to `place` is `delivered`, or was given up and is among the `dead`. Behind it, the next delivery
    has had so many `attempts` since `failing_since`, the newest of which ended in `error`; it is tried again `next_at`.
    Times are seconds since the epoch."""

    place: Place
    delivered: int = 0
    dead: int = 0
    attempts: int = 0
    failing_since: float | None = None
    next_at: float | None = None
    error: str | None = None
    disabled: bool = False

    @property
    def status(self) -> WebhookStatus:
        if self.disabled:
            return WebhookStatus.DISABLED
        return WebhookStatus.FAILING if self.attempts else WebhookStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that could not be delivered: `text` is what it tells, as JSON."""

    id: str
    event: str
    text: str
    attempts: int
    error: str
    failed_at: float


def webhook_id_of(url: str, account: str | None) -> str:
    """One address is told once, however often somebody asks for it."""
    named = "\x1f".join((account or "", url))
    return f"wh_{hashlib.sha256(named.encode()).hexdigest()[:ID_DIGITS]}"


def new_secret() -> str:
    return KEY_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def require_url(url: str) -> None:
    """Raises InvalidInput("bad_url")."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        good = good and parts.username is None and url.isascii() and url.isprintable() and " " not in url
    except ValueError:
        good = False
    if not good or len(url) > URL_LENGTH_MAX:
        raise InvalidInput("bad_url", "must be an http or https URL without a user and a password", "#/url")
