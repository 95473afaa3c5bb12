"""The bars of one training."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from models.tapes.tapes import MarketTapes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingBars:
    """Markets to learn from, markets to choose on, and walks on which nothing can be forecast."""

    train: Sequence[MarketTapes]
    validation: Sequence[MarketTapes]
    walks: MarketTapes

    @property
    def digest(self) -> str:
        """Tells whether two trainings have the same bars, split and weighed alike."""
        digest = hashlib.sha256()
        for market in (*self.train, *self.validation, self.walks):
            digest.update(f"{market.name} {market.weight}".encode())
            for tape in market.tapes:
                digest.update(f"{tape.instrument} {tape.bar_seconds} {tape.lo} {tape.hi}".encode())
                digest.update(tape.open_time.tobytes())
                digest.update(tape.raw.tobytes())
        return digest.hexdigest()
