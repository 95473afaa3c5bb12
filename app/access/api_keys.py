"""API keys. The service knows a key by its prefix, which may be shown, and by a hash of its whole text, which tells
nothing of the text: whoever reads the store cannot call with what is found there."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PREFIX_BYTES, SECRET_BYTES = 6, 32
PREFIX_LENGTH = len("lem_") + 2 * PREFIX_BYTES
KEY_LENGTH_MAX = 128
NAME_LENGTH_MAX = 128
REQUESTS_PER_SECOND_MAX = 100_000
PREFIX = re.compile(r"lem_[0-9a-f]{12}")
_KEY = re.compile(rb"(lem_[0-9a-f]{12})_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """What a key may do. `orders`: send orders, report on them and read them. `market_data`: post bars and read them.
    `read`: read everything but the metrics. `operations`: change instruments, read models and metrics."""

    ORDERS = "orders"
    MARKET_DATA = "market_data"
    READ = "read"
    OPERATIONS = "operations"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is recorded: everything but the key itself. `digest` is the SHA-256 of its text; a key is random and
    long enough that no slower hash is needed. `account` binds the key to one account, None lets it see all of them.
    `requests_per_second` None means as many as the service takes. Times are aware."""

    prefix: str
    digest: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    account: str | None = None
    requests_per_second: int | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        if not PREFIX.fullmatch(self.prefix) or not self.scopes:
            raise ValueError("a key has a prefix and at least one scope")

    def is_text_of(self, presented: bytes) -> bool:
        """Whether the text is this key's. How long that takes tells nothing of the key."""
        return hmac.compare_digest(digest_of(presented), self.digest)

    def good(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def permits(self, needed: Sequence[Scope]) -> bool:
        """Whether the key has one of these scopes."""
        return not self.scopes.isdisjoint(needed)


def new_key_text() -> tuple[str, str]:
    """The prefix and the whole text of a new key."""
    prefix = f"lem_{secrets.token_hex(PREFIX_BYTES)}"
    return prefix, f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"


def prefix_of(presented: bytes) -> str | None:
    """None for a text that is no key."""
    found = _KEY.fullmatch(presented[: KEY_LENGTH_MAX + 1])
    return found[1].decode() if found else None


def digest_of(presented: bytes) -> str:
    return hashlib.sha256(presented).hexdigest()
