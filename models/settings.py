"""How a training goes: what a plan's `[training]` may change."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.domain.costs import Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """One step draws `stretches` of `starts` order starts, `repeat` orders (and `repeat_capped` with a slice cap) on
    each start. A share of the steps is simulated; a share has orders of up to the longest horizon, the rest of up to 12
    steps. The learning rate rises over `warmup` steps and falls to zero along a cosine. Before the first step, as many
    draws as `warm_batches` say what a straight line foresees.

    What is released is the running average of the weights at the step where the utility on validation bars, and on
    their mirror images, was best; training ends early after `patience` validations without a better one.
    """

    steps: int = 2_000
    seed: int = 0
    stretches: int = 32
    starts: int = 5
    repeat: int = 3
    repeat_capped: int = 2
    simulated_share: float = 0.25
    long_share: float = 0.3
    impact: float = 1.0
    half_spread_bps: float = 0.0
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.1
    warmup: int = 100
    average_decay: float = 0.995
    warm_batches: int = 3_000
    checkpoint_every: int = 100
    validate_every: int = 200
    patience: int = 8

    def rate(self, step: int) -> float:
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        return self.learning_rate * rise * 0.5 * (1.0 + math.cos(math.pi * step / self.steps))

    @property
    def costs(self) -> Costs:
        return Costs(impact=self.impact, half_spread_bps=self.half_spread_bps)

    @property
    def orders_per_step(self) -> int:
        """Orders rolled in one step, all scenarios counted."""
        return self.stretches * self.starts * (self.repeat + self.repeat_capped) * 8
