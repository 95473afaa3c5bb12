"""What makes two orders the same order: a digest of everything that the OMS said."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain.order import Order


def digest_of(order: Order) -> str:
    """Equal for equal terms however they were written: 1.0 and 1, or a time with another offset."""
    return hashlib.sha256(json.dumps(asdict(order), default=_plain, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} is no term of an order")
