"""What makes two orders the same order: a digest of everything that the OMS said."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from json import JSONEncoder
from typing import Any

from app.domain.order import AskedOrder, Limits
from app.domain.order_words import Completion

ADDED_LATER = {
    **dict.fromkeys(("report_delay_seconds", "horizon_in_time", "account", "replaces", "model")),
    "completion": Completion.WITHIN_LIMITS,
}
"""Terms that earlier releases did not know, with their defaults. Where a term has its default, the digest is what it
was then, so that an order of an earlier release may be sent again."""
LIMITS_ADDED_LATER = dict.fromkeys(("finish_price", "avoid_open_minutes", "avoid_close_minutes"))
"""As `ADDED_LATER`, of the limits."""


def digest_of(order: AskedOrder) -> str:
    """Equal for equal terms however they were written: 1.0 and 1, or a time with another offset. Of a horizon in time
    the times count, whatever steps were counted for it: later they would be others."""
    terms = _without_defaults(_fields(order), ADDED_LATER)
    if "horizon_in_time" in terms:
        terms["horizon"] = terms.pop("horizon_in_time")
    return hashlib.sha256(_ENCODER.encode(terms).encode()).hexdigest()


def _fields(value: Any) -> dict[str, Any]:
    """As `dataclasses.asdict`, without its copies, which took longer than all else here, and of this value alone."""
    kind: Any = type(value)
    return {name: getattr(value, name) for name in _names(kind)}


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _without_defaults(terms: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in terms.items() if name not in defaults or each != defaults[name]}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Limits):
        return _without_defaults(_fields(value), LIMITS_ADDED_LATER)
    if is_dataclass(value):
        return _fields(value)
    raise TypeError(f"{type(value).__name__} is no term of an order")


_ENCODER = JSONEncoder(default=_plain, sort_keys=True)
