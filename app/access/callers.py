"""Who makes a call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`prefix` is that of the key, None where no key was needed; `account` the one that the key is bound to, None for a
    caller who sees all accounts."""

    prefix: str | None = None
    account: str | None = None


ANYONE = Caller()
"""The caller where no key is needed."""
