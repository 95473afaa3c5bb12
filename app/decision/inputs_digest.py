"""What a slice was decided on, as a short digest: whoever decides it again can tell whether he has the same inputs.

The digest covers every bar of the window as the chain reads it, every value of the order's row, and what the step
permits. It does not cover the bundle, whose own digest the slice records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from hashlib import blake2b
from operator import attrgetter

import numpy as np

from app.decision.market import Floats
from app.decision.policy import Rows
from app.domain.projection import Room

DIGEST_BYTES = 6
"""Twelve hexadecimal digits, as of a bundle: it tells a mistake, and is no proof against a forger."""
ROW_NAMES = tuple(field.name for field in fields(Rows) if field.name != "market")
"""All that a policy reads of an order; `market` is its place in a batch."""
_permitted = attrgetter(*(field.name for field in fields(Room)))


def window_digest(bars: Floats, lookback: int) -> bytes:
    """Of the newest `lookback` bars of a raw window [1, L, C], whatever more of them is kept."""
    return blake2b(np.ascontiguousarray(bars[:, bars.shape[1] - lookback :]).tobytes()).digest()


def input_digests(window: bytes, rows: Rows, rooms: Sequence[Room]) -> list[str]:
    """One for each row, all of them on the window with that digest; `rooms[b]` belongs to row b."""
    table = np.column_stack([getattr(rows, name) for name in ROW_NAMES]).astype(np.float64)
    text, width = table.tobytes(), table.itemsize * table.shape[1]
    return [
        blake2b(
            b"".join((window, text[width * number : width * (number + 1)], repr(_permitted(room)).encode())),
            digest_size=DIGEST_BYTES,
        ).hexdigest()
        for number, room in enumerate(rooms)
    ]
