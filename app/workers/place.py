"""What a worker is told by its parent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Worker `number` of `count`, from 0. `folder` is where the workers ask each other for their metrics; `store_url`
    is that of the parent's embedded store, None where the store is another one."""

    number: int
    count: int
    folder: Path
    store_url: str | None
