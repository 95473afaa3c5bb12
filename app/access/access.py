"""The terms on which a service lets callers in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.access.key_ring import KeyRing


class Reach(StrEnum):
    """Who can reach the service: code of its own process, programs on its own machine, or others too."""

    PROCESS = "process"
    LOOPBACK = "loopback"
    NETWORK = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`allow_no_keys`: others than this machine may call although there are no keys. `open_metrics`: whoever reads the
    metrics needs no key."""

    ring: KeyRing
    reach: Reach
    allow_no_keys: bool = False
    open_metrics: bool = False
