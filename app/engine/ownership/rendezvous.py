"""Who is to own what: rendezvous hashing, so that all processes agree without asking each other, and one that comes or
goes moves none but its own share."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b


def preferred(symbol: str, processes: Sequence[str]) -> str:
    """The one of the processes that is to decide for the instrument; empty where there are none."""
    return max(processes, key=lambda process: _weight(symbol, process), default="")


def _weight(symbol: str, process: str) -> bytes:
    return blake2b(f"{process} {symbol}".encode(), digest_size=8).digest()
