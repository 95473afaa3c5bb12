"""How a training goes: what a plan's `[training]` may change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from app.domain.costs import Costs
from models.settings.ranges import Range, require_in_range

Count = Annotated[int, Range(1, 1_000_000_000)]
CountOrNone = Annotated[int, Range(0, 1_000_000_000)]
Draws = Annotated[int, Range(1, 10_000)]
DrawsOrNone = Annotated[int, Range(0, 10_000)]
Share = Annotated[float, Range(0, 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """One step draws `stretches` of `starts` order starts, `repeat` orders (and `repeat_capped` with a slice cap) on
    each start. A share of the steps is simulated; a share has orders of up to the longest horizon, the rest of up to 12
    steps. The learning rate rises over `warmup` steps and falls to zero along a cosine. Before the first step, as many
    draws as `warm_batches` say what a straight line foresees.

    What is released is the running average of the weights at the step where the utility on validation bars, and on
    their mirror images, was best; training ends early after `patience` validations without a better one.

    Raises ValueError with the first setting that is out of its range.
    """

    steps: Count = 2_000
    seed: Annotated[int, Range(0, 2**63 - 1)] = 0
    stretches: Draws = 32
    starts: Draws = 5
    repeat: DrawsOrNone = 3
    repeat_capped: DrawsOrNone = 2
    simulated_share: Share = 0.25
    long_share: Share = 0.3
    impact: Annotated[float, Range(0, 1_000)] = 1.0
    half_spread_bps: Annotated[float, Range(0, 10_000)] = 0.0
    learning_rate: Annotated[float, Range(0, 1)] = 1.5e-3
    weight_decay: Annotated[float, Range(0, 10)] = 0.1
    warmup: CountOrNone = 100
    average_decay: Annotated[float, Range(0, 0.99999)] = 0.995
    warm_batches: CountOrNone = 3_000
    checkpoint_every: Count = 100
    validate_every: Count = 200
    patience: Count = 8

    def __post_init__(self) -> None:
        require_in_range(self)
        if not self.repeat + self.repeat_capped:
            raise ValueError("repeat and repeat_capped are both 0; one of them must be a whole number from 1")

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
