"""The table of `lem keys list`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.access.api_keys import ApiKey

HEADINGS = ("prefix", "name", "scopes", "account", "per second", "created", "expires", "state")
NONE = "-"


def table_of(keys: Sequence[ApiKey], now: datetime) -> str:
    """A line for each key, oldest first."""
    rows = [HEADINGS, *(_row(key, now) for key in sorted(keys, key=lambda key: key.created_at))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _row(key: ApiKey, now: datetime) -> tuple[str, ...]:
    return (
        key.prefix,
        key.name or NONE,
        ",".join(sorted(key.scopes)),
        key.account or NONE,
        str(key.requests_per_second or NONE),
        f"{key.created_at:%Y-%m-%d}",
        f"{key.expires_at:%Y-%m-%d}" if key.expires_at else NONE,
        _state(key, now),
    )


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    return "good" if key.good(now) else "expired"
