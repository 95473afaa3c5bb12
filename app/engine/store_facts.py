"""What the store says of itself, for whoever runs the service."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """`masters` servers answered within `seconds`. `memory_bytes` is what all of them use, `name` what the first one
    calls itself; None where a server does not say."""

    masters: int
    seconds: float
    name: str | None
    memory_bytes: int | None
