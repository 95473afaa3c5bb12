"""What makes two orders the same order: a digest of everything that the OMS said."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain.order import AskedOrder

ADDED_LATER = ("report_delay_seconds", "horizon_in_time", "account")
"""Terms that earlier releases did not know. Where the OMS does not name them, the digest is what it was then, so that
an order of an earlier release may be sent again."""


def digest_of(order: AskedOrder) -> str:
    """Equal for equal terms however they were written: 1.0 and 1, or a time with another offset. Of a horizon in time
    the times count, whatever steps were counted for it: later they would be others."""
    terms = {name: value for name, value in _fields(order).items() if value is not None or name not in ADDED_LATER}
    if "horizon_in_time" in terms:
        terms["horizon"] = terms.pop("horizon_in_time")
    return hashlib.sha256(json.dumps(terms, default=_plain, sort_keys=True).encode()).hexdigest()


def _fields(value: Any) -> dict[str, Any]:
    """As `dataclasses.asdict`, without its copies, which took longer than all else here."""
    found = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: _fields(each) if is_dataclass(each) else each for name, each in found.items()}


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} is no term of an order")
